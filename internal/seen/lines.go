package seen

import (
	"time"
)

// changes returns lines with what has changed since the last ones; none where there is
// nothing to say, unless due.
func (s *Store) changes(last, due bool) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Round(0)
	s.expire(now)
	var text []byte
	for _, r := range s.rolls {
		changed := r.present > 0
		for _, e := range r.entries {
			if e.dirty {
				text = r.entryLine(text, e)
				changed = true
			}
		}
		if changed {
			text = r.line(text)
		}
	}
	if text == nil && !last && !due {
		return nil
	}
	return ending(text, now, last)
}

// everything returns all lines of a file.
func (s *Store) everything(last bool) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Round(0)
	s.expire(now)
	head := record{Kind: kindHead, Version: version, Since: at(s.since)}
	for _, g := range s.gaps {
		head.Gaps = append(head.Gaps, [2]moment{at(g.From), at(g.To)})
	}
	text := appendRecord(nil, head)
	for _, r := range s.rolls {
		for _, e := range r.entries {
			text = r.entryLine(text, e)
		}
		text = r.line(text)
	}
	return ending(text, now, last)
}

func (s *Store) expire(now time.Time) {
	for _, r := range s.rolls {
		r.expire(now.Add(-MaxAge))
	}
}

func (r *roll) entryLine(dst []byte, e *entry) []byte {
	e.dirty = false
	return appendRecord(dst, record{
		Kind: kindSeen, Dialect: r.dialect, UID: e.uid, Channel: e.channel, Addr: e.addr,
		Key: e.key.String(), Line: int(e.keyLine), First: e.first, Last: e.last, Present: e.present > 0,
	})
}

func (r *roll) line(dst []byte) []byte {
	return appendRecord(dst, record{Kind: kindRoll, Dialect: r.dialect, Last: r.last, Dropped: r.dropped, Present: r.present > 0})
}

// ending is what every write ends with.
func ending(dst []byte, now time.Time, last bool) []byte {
	kind := kindBeat
	if last {
		kind = kindStop
	}
	return appendRecord(dst, record{Kind: kind, At: at(now)})
}

// recall takes over what a file tells.
func (s *Store) recall(p past) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range p.rolls {
		r := s.roll(old.Dialect)
		r.used(old.Last)
		r.dropped += old.Dropped
	}
	for _, old := range p.entries {
		r := s.roll(old.Dialect)
		r.used(old.Last)
		r.remember(old)
	}
	if p.damage != nil || !p.since.Before(s.since) {
		return
	}
	gaps := p.gaps
	if !p.stopped && s.since.Sub(p.end) > silence {
		gaps = withGap(gaps, Gap{p.end, s.since})
	}
	for _, g := range s.gaps {
		gaps = withGap(gaps, g)
	}
	s.since, s.gaps = p.since, gaps
}
