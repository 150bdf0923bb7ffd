package main

import "hash/maphash"

// A server replays its history to whoever joins, so after a reconnect most of
// what comes first has been seen before. No dialect numbers its messages; what
// was missed must be found by lining the replay up with what was seen.
//
// The rule: the new part of a replay begins after its longest beginning that
// can be explained as the end of what was seen. Joins do not count, for servers
// replace and leave out joins as they like; own messages may stand anywhere in
// it, for their order among those of others is known to the server only. So
// nothing is shown twice, and a message is missed only if the replay looks
// exactly like a repetition of what was seen.

const (
	keptSeen = 4096 // messages of others that are remembered; servers keep 100 or 200
	keptSent = 1024 // own messages that are remembered
)

// tail remembers the end of a channel, message by message, as hashes.
type tail struct {
	seed maphash.Seed
	seen []uint64 // messages of others, oldest first
	cut  bool     // whether older ones were dropped from seen
	sent []uint64 // own messages, oldest first
}

func newTail() *tail { return &tail{seed: maphash.MakeSeed()} }

// saw remembers what came from the channel.
func (t *tail) saw(e event) {
	if e.join {
		return
	}
	t.seen = append(t.seen, t.hash(e))
	if len(t.seen) >= 2*keptSeen {
		t.seen = append(t.seen[:0], t.seen[len(t.seen)-keptSeen:]...)
		t.cut = true
	}
}

// said remembers what was sent to the channel, as it would come back.
func (t *tail) said(e event) {
	t.sent = append(t.sent, t.hash(e))
	if len(t.sent) >= 2*keptSent {
		t.sent = append(t.sent[:0], t.sent[len(t.sent)-keptSent:]...)
	}
}

// news returns the part of a replay that was not seen before.
func (t *tail) news(replay []event) []event {
	var hashes []uint64 // of the messages in replay
	var places []int    // where in replay each of them stands
	for i, e := range replay {
		if !e.join {
			hashes = append(hashes, t.hash(e))
			places = append(places, i)
		}
	}
	own := make(map[uint64]bool, len(t.sent))
	for _, h := range t.sent {
		own[h] = true
	}
	for n := len(hashes); n > 0; n-- {
		if t.explains(hashes[:n], own) {
			return replay[places[n-1]+1:]
		}
	}
	return replay
}

// explains tells whether replayed ends as seen does, back to where the one or
// the other begins. A server may go further back than the memory does only if
// something was dropped from it.
func (t *tail) explains(replayed []uint64, own map[uint64]bool) bool {
	j := len(t.seen) - 1
	for i := len(replayed) - 1; i >= 0; i-- {
		switch {
		case j >= 0 && replayed[i] == t.seen[j]:
			j--
		case own[replayed[i]]:
		case j < 0 && t.cut:
			return true
		default:
			return false
		}
	}
	return true
}

func (t *tail) hash(e event) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteByte(e.op)
	h.WriteString(e.uid)
	h.WriteByte(0xff) // no uid holds it
	h.Write(e.data)
	return h.Sum64()
}
