package bridge

import (
	"mles/v1"
)

// unshared leaves out of two histories what both channels have already: an earlier link
// has passed it on, before the gateway was restarted or one of the channels was
// forgotten. What goes before the last such message is known, too: the other channel has
// dropped it, or could not be given it. Arrivals say less, since somebody may have come to
// both channels: of these each is left out by itself.
func (l *maskLink) unshared(plain, masked []byte) (newPlain, newMasked []byte) {
	ours, theirs := l.spoken(plain, l.sides[0]), l.spoken(masked, l.sides[1])
	return behindLast(plain, ours, theirs), behindLast(masked, theirs, ours)
}

// A spoken is an event of a link's history.
type spoken struct {
	digest         // of what it says in plain; the zero one: nothing that the other channel could have
	arrival   bool // and nothing else
	from, end int  // in the bytes of all
}

// spoken goes through what a side has read.
func (l *maskLink) spoken(data []byte, s *maskSide) (all []spoken) {
	for at := 0; at < len(data); {
		n := relayedSize(data[at:])
		if n == 0 || n > len(data)-at {
			break
		}
		d, arrival := l.inPlain(data[at:at+n], s)
		all = append(all, spoken{d, arrival, at, at + n})
		at += n
	}
	return all
}

// inPlain is the digest of an event of a side as it stands on the plain channel if a
// link has brought it there, or has taken it from there.
func (l *maskLink) inPlain(data []byte, s *maskSide) (d digest, arrival bool) {
	m, err := v1.DecodeMsg(data[relayHead+v1.HeaderLen:])
	if err != nil {
		return d, false
	}
	if s.masks {
		_, err = disguise(l.mask, m)
	} else {
		m, err = undisguise(l.mask, m)
	}
	if err == v1.ErrMaskShort && data[0] == 1 {
		m.Message, err = nil, nil
	}
	if err != nil {
		return d, false
	}
	return digestOf(append(m.Append(nil), data[0])), data[0] == 1 && len(m.Message) == 0
}

// behindLast is what stands behind the last message that others have, too, without the
// arrivals that they have.
func behindLast(data []byte, all, others []spoken) (rest []byte) {
	count := make(map[digest]int, len(others))
	for _, o := range others {
		count[o.digest]++
	}
	count[digest{}] = 0
	known := make([]bool, len(all))
	last := -1
	for i, e := range all {
		if count[e.digest] > 0 {
			count[e.digest]--
			known[i] = true
			if !e.arrival {
				last = i
			}
		}
	}
	for i, e := range all {
		if i > last && !known[i] {
			rest = append(rest, data[e.from:e.end]...)
		}
	}
	return rest
}
