package bridge

// send passes on what is said here. While the uplink settles, arrivals go up at
// once, ahead of what others have said, and the rest is held.
func (s *passage) send() error {
	o, budget := s.out, s.p.u.g.bus.Budget()
	open := s.open // nil once what was held has gone up
	if err := s.hasten(); err != nil {
		return err
	}
	for {
		if open != nil && s.isOpen() {
			open = nil
			if err := s.release(); err != nil {
				return err
			}
		}
		var frames []byte
		if open == nil || o.size < maxHeld {
			frames = o.take(budget)
		}
		if frames == nil {
			s.idle.Store(true)
			select {
			case <-o.wake:
			case <-open:
			case <-s.stop:
				return nil
			}
			s.idle.Store(false)
			continue
		}
		var err error
		if open == nil {
			err = s.pass(frames)
		} else {
			err = s.hold(frames)
		}
		if err != nil {
			return err
		}
		select {
		case <-s.stop:
			return nil
		default:
		}
	}
}

// hasten sends the arrivals that are held since an earlier uplink.
func (s *passage) hasten() error {
	for i := range s.out.held {
		h := &s.out.held[i]
		if h.arrives && s.out.overtakes(h.who, i) {
			if err := s.early(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold keeps frames until the uplink is open, except for arrivals.
func (s *passage) hold(frames []byte) error {
	t, o := s.p.up.transport, s.out
	for len(frames) > 0 {
		n, d, who, arrives := t.inspect(frames)
		h := o.hold(heldFrame{frame: frames[:n], d: d, who: who, arrives: arrives}, s.p.u.g.bus.Budget())
		if arrives && o.overtakes(who, len(o.held)-1) {
			if err := s.early(h); err != nil {
				return err
			}
		}
		frames = frames[n:]
	}
	return nil
}

// early sends a held frame before the others.
func (s *passage) early(h *heldFrame) error {
	h.early = true
	if s.out.skips(h.frame) {
		return nil
	}
	return s.write(h.frame, []trace{{h.d, h.arrives}})
}

// release sends what was held.
func (s *passage) release() error {
	o := s.out
	for _, h := range o.held {
		if h.early || o.skips(h.frame) {
			continue
		}
		if err := s.write(h.frame, []trace{{h.d, h.arrives}}); err != nil {
			return err
		}
	}
	o.skip = nil
	o.drop(s.p.u.g.bus.Budget())
	return nil
}

// pass sends frames on.
func (s *passage) pass(frames []byte) error {
	traces := make([]trace, 0, 16)
	for rest := frames; len(rest) > 0; {
		n, d, _, arrives := s.p.up.transport.inspect(rest)
		traces = append(traces, trace{d, arrives})
		rest = rest[n:]
	}
	return s.write(frames, traces)
}

func (s *passage) write(frames []byte, traces []trace) error {
	p := s.p
	p.knownMu.Lock() // before they can come back
	for _, t := range traces {
		p.known.wrote(t)
	}
	p.knownMu.Unlock()
	if err := s.link.write(frames); err != nil {
		return err
	}
	p.sentUp(len(traces), len(frames))
	return nil
}
