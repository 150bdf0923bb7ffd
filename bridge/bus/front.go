package bus

// front knows how far the most advanced members of a log have come, so that
// whether a publisher must be slowed is told without asking every member. It
// keeps the best two positions, since a publisher itself does not count.
type front struct {
	best   *Member
	pos    int64
	second int64
	stale  bool // somebody left; ask everybody again
}

// moved notes that m is at pos.
func (f *front) moved(m *Member, pos int64) {
	switch {
	case m == f.best:
		f.pos = max(f.pos, pos)
	case f.best == nil || pos > f.pos:
		if f.best != nil {
			f.second = f.pos
		}
		f.best, f.pos = m, pos
	case pos > f.second:
		f.second = pos
	}
}

// unheard says whether all who follow the log only pass on what nobody hears.
func (l *log) unheard() bool {
	for _, m := range l.members {
		if m.relay == nil || m.relay() {
			return false
		}
	}
	return true
}

// nearest returns how far behind the head the most advanced member other than
// except is; ok is false where there is none.
func (l *log) nearest(except *Member) (lag int64, ok bool) {
	others := len(l.members)
	if except != nil && except.log == l {
		others--
	}
	if others == 0 {
		return 0, false
	}
	for _, m := range l.idle {
		if m != except {
			return 0, true
		}
	}
	if l.front.stale {
		l.front = front{}
		for _, m := range l.members {
			l.front.moved(m, m.position())
		}
	}
	if l.front.best == except {
		return l.head - l.front.second, true
	}
	return l.head - l.front.pos, true
}
