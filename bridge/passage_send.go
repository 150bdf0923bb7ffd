package bridge

// send passes on what is said here. While the uplink settles, arrivals go up at
// once, ahead of what others have said, and the rest is held. What has been sent is
// kept until it is certain that the server has taken the uplink's arrival: another
// arrival would have to send it again.
func (s *passage) send() error {
	o, budget := s.out, s.p.u.g.bus.Budget()
	opened := s.open // nil once what was held has gone up
	if err := s.hasten(); err != nil {
		return err
	}
	for {
		if opened != nil && s.isOpen() {
			opened = nil
			if err := s.release(); err != nil {
				return err
			}
		}
		if opened == nil && len(o.held) > 0 && s.taken() {
			o.drop(budget)
		}
		if s.doubt.CompareAndSwap(doubtDue, doubtSent) {
			if err := s.ask(); err != nil {
				return err
			}
		}
		var frames []byte
		if opened == nil || o.size < maxHeld {
			frames = o.take(budget)
		}
		if frames == nil {
			s.idle.Store(true)
			select {
			case <-o.wake:
			case <-opened:
			case <-s.stop:
				return nil
			}
			s.idle.Store(false)
			continue
		}
		var err error
		if opened == nil {
			err = s.pass(frames)
		} else {
			err = s.hold(frames)
		}
		if err != nil {
			return err
		}
		if s.halted.Load() {
			return errHalted
		}
		select {
		case <-s.stop:
			return nil
		default:
		}
	}
}

// ask sends an arrival once more, where there is doubt: one under the gateway's own
// name, which can be told from all others.
func (s *passage) ask() error {
	m := s.p.mark()
	if m == nil {
		return nil
	}
	sent := m.sent
	if l, ok := s.link.(prober); ok && !m.own {
		own := l.probe(s.p.up.uid, s.p.room.name)
		s.p.retract()
		s.p.announce(own, s)
		sent = own.sent
	}
	_, d, _, arrives := s.p.up.transport.inspect(sent)
	return s.write(sent, []trace{{d, arrives}})
}

// hasten sends the arrivals that are held since an earlier uplink.
func (s *passage) hasten() error {
	for i := range s.out.held {
		h := &s.out.held[i]
		if h.arrives && s.out.overtakes(h.who, i) {
			if err := s.sendHeld(h); err != nil {
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
		if arrives && o.overtakes(who, len(o.held)-1) || s.p.isMark(h.frame) {
			if err := s.sendHeld(h); err != nil {
				return err
			}
		}
		frames = frames[n:]
	}
	return nil
}

// sendHeld sends a held frame.
func (s *passage) sendHeld(h *heldFrame) error {
	h.gone = true
	if s.out.skips(h.frame) {
		return nil
	}
	return s.write(h.frame, []trace{{h.d, h.arrives}})
}

// release sends what was held.
func (s *passage) release() error {
	o := s.out
	for i := range o.held {
		h := &o.held[i]
		if h.gone {
			continue
		}
		if s.there[h.d] > 0 {
			s.there[h.d]--
			h.gone = true
			continue
		}
		if err := s.sendHeld(h); err != nil {
			return err
		}
	}
	o.skip = nil
	return nil
}

// pass sends frames on.
func (s *passage) pass(frames []byte) error {
	o, keep := s.out, !s.taken()
	if keep && o.size+len(frames) > maxHeld {
		s.spilled.Store(true)
		o.drop(s.p.u.g.bus.Budget())
		keep = false
	}
	traces := make([]trace, 0, 16)
	for rest := frames; len(rest) > 0; {
		n, d, who, arrives := s.p.up.transport.inspect(rest)
		if keep && !s.spilled.Load() {
			o.hold(heldFrame{frame: rest[:n], d: d, who: who, arrives: arrives, gone: true}, s.p.u.g.bus.Budget())
		}
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
