package bridge

import (
	"encoding/binary"
	"net/netip"

	"mles/bridge/bus"
	"mles/v1"
)

// What a link reads (onMask) are v1 frames, each behind relayHead bytes: whether it is
// an arrival, and the event's ordinal.
const relayHead = 5

func appendRelayHead(dst []byte, e *bus.Event) []byte {
	arrival := byte(0)
	if e.Join {
		arrival = 1
	}
	return binary.BigEndian.AppendUint32(append(dst, arrival), e.Ordinal)
}

// maxRelayed is how many bytes of events are passed on together, about.
const maxRelayed = 64 << 10

// pass gives the twin what has been read: whole events, or pieces of one.
func (s *maskSide) pass(data []byte) {
	if len(s.begun) > 0 {
		s.begun = append(s.begun, data...)
		data = s.begun
	}
	var events []bus.Event
	size := 0
	for {
		n := relayedSize(data)
		if n == 0 || n > len(data) {
			break
		}
		if e, ok := s.translate(data[:n]); ok {
			events = append(events, e)
			size += len(e.Data)
		}
		heard := binary.BigEndian.Uint32(data[1:])
		data = data[n:]
		if size > maxRelayed {
			s.twin.publish(events)
			events, size = nil, 0
		}
		if int32(heard-s.heard) > 0 {
			s.heard = heard
		}
	}
	s.twin.publish(events)
	s.keep(data)
}

// keep holds the beginning of an event until the rest has come.
func (s *maskSide) keep(data []byte) {
	if len(data) == 0 {
		s.begun = nil
	} else if len(s.begun) == 0 || &s.begun[0] != &data[0] {
		s.begun = append([]byte(nil), data...)
	}
	s.link.links.g.bus.Budget().Add(int64(cap(s.begun) - s.counts))
	s.counts = cap(s.begun)
}

// relayedSize is the length of the event at the front of data; 0 where that does not
// tell yet.
func relayedSize(data []byte) int {
	if len(data) < relayHead+v1.HeaderLen {
		return 0
	}
	h, err := v1.ParseHeader(data[relayHead:])
	if err != nil {
		return 0 // cannot be: the codec has written it
	}
	return relayHead + v1.HeaderLen + h.Len
}

// translate makes of an event what the twin is given, unless it has no such form,
// which is counted. An arrival whose message has none goes without it.
func (s *maskSide) translate(data []byte) (e bus.Event, ok bool) {
	g := s.link.links.g
	m, err := v1.DecodeMsg(data[relayHead+v1.HeaderLen:])
	arrives := data[0] == 1
	if err == nil && s.masks {
		m, err = disguise(s.link.mask, m)
	} else if err == nil {
		m, err = undisguise(s.link.mask, m)
	}
	if err == nil && len(m.UID) > v1.MaxName {
		err = v1.ErrMaskName
	}
	if err != nil {
		g.counters.unmaskable.Add(1)
		g.log.Debug("message not passed on between plain and masked", "channel", s.channel, "reason", err.Error())
	}
	if err != nil && !(arrives && err == v1.ErrMaskShort) {
		return e, false
	}
	return relayedEvent(g, m, arrives), true
}

// relayedEvent is what is said on a channel by a member of its twin. The header is that
// of a v1 client with the shared key: the client's address is of no use there.
func relayedEvent(g *Gateway, m v1.Msg, arrives bool) bus.Event {
	key := g.keys().headerKey(netip.AddrPort{}, m.UID, m.Channel)
	frame := v1.AppendFrame(make([]byte, 0, v1.HeaderLen+m.Size()), v1.CID(key), key, m)
	e := bus.Event{From: onV1, Op: relayed, Data: frame, Message: frame[len(frame)-len(m.Message):]}
	if arrives {
		e.Join, e.UID = true, m.UID
	}
	return e
}

// publish puts events on the side's channel, for the twin, and waits where the
// channel's readers cannot keep up: then the twin reads nothing more.
func (s *maskSide) publish(events []bus.Event) {
	if len(events) == 0 {
		return
	}
	for wait := s.say(events); wait != nil; wait = s.say(nil) { // others may have gone on first
		<-wait
	}
}

func (s *maskSide) say(events []bus.Event) (wait <-chan struct{}) {
	s.voiceMu.Lock()
	defer s.voiceMu.Unlock()
	if m := s.voice.Load(); m != nil {
		return m.Publish(events)
	}
	return nil
}
