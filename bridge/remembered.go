package bridge

import (
	"bytes"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// A Remembered is an event of a channel's history: an arrival, or something that was said, or both.
type Remembered struct {
	Dialect string // that it came in, as in [Stats]
	Join    bool   // it announces UID
	UID     string // who; "" also where the event cannot be read
	// Text is true for a text frame of v2; else Message is bytes.
	Text    bool
	Message []byte // nil: an arrival that says nothing
	// Frame is what came from a v1 client over TCP and cannot be read; then there is nothing but that and Dialect.
	Frame []byte
}

// History returns what a channel remembers, oldest first; ok is false where the channel has neither members nor
// history. It is a copy: as much memory as the history, 32 MiB at most.
func (g *Gateway) History(channel string) (events []Remembered, ok bool) {
	ok = g.bus.Recall(channel, func(past []bus.Event) {
		events = make([]Remembered, 0, len(past))
		for i := range past {
			events = append(events, rememberedOf(&past[i]))
		}
	})
	return events, ok
}

func rememberedOf(e *bus.Event) Remembered {
	r := Remembered{Dialect: dialectName(e.From), Join: e.Join, UID: e.UID, Text: e.From == onV2 && e.Op == v2.OpText && !e.Join}
	if e.Opaque {
		r.Frame = bytes.Clone(e.Data)
		return r
	}
	if says(e) {
		r.Message = append([]byte{}, e.Message...) // an empty one of v2 is one
	}
	if e.UID == "" && e.Data != nil { // of what v1 says later, the frame alone names the sender
		body := e.Data
		if e.From == onV1 {
			body = body[v1.HeaderLen:]
		}
		var m v1.View
		if m.Decode(body) == nil {
			r.UID = string(m.UID)
		}
	}
	return r
}

// Purge forgets what a channel remembers, and what its masked twin does where channels are linked; of a masked channel, its plain
// one if that is linked now. Who is
// there stays, and whoever joins later does not learn what was said before. It returns how many events of the channel there were; ok
// is false where the channel has neither members nor history.
//
// An upstream server remembers what it did, and may replay it when it is connected anew.
func (g *Gateway) Purge(channel string) (events int, ok bool) {
	events, ok = g.bus.Purge(channel)
	if g.links != nil {
		if twin, linked := g.links.twinOf(channel); linked {
			g.bus.Purge(twin)
		}
	}
	return events, ok
}

// twinOf is the channel that one is linked to, or would be.
func (k *maskLinks) twinOf(channel string) (twin string, linked bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.plain[channel]; l != nil {
		return l.sides[1].channel, true
	}
	if l := k.masked[channel]; l != nil {
		return l.sides[0].channel, true
	}
	if len(channel) <= v1.MaxMaskedName { // they were linked before a restart, perhaps
		return v1.NewMask(channel).Masked(), true
	}
	return "", false
}
