package bridge

import (
	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// The dialects, as the bus numbers them. Members of the same number get the same
// bytes.
const (
	onV1   bus.Dialect = iota // v1 over TCP
	onV2                      // v2
	onV1WS                    // v1 over WebSocket
	onLink                    // v2 between gateways, and to upstream servers: see links.go
	onMask                    // what a link to the masked twin reads: see masklink.go
)

// astray is the Op of a v1 event whose body names another channel than its
// connection's.
const astray = 1

// relayed is the Op of a v1 event that has come from the channel's twin.
const relayed = 2

// codec is the table of mapping.md, "What each side gets": it writes an event of
// any dialect down in any other. Events of a v1 connection carry the frame in
// Data, those of a v1 WebSocket the body; events of a v2 connection have only
// Message, with the opcode in Op. Key is that of v1 headers where one is made.
type codec struct {
	joins    JoinMode
	identity string // of the gateway, for onLink
	counters *counters
	masks    *masks // where v1 WebSocket members are on masked channels; else nil
}

// Size implements [bus.Codec].
func (c codec) Size(d bus.Dialect, channel string, e *bus.Event, replay bool) int {
	switch d {
	case onV1:
		return v1.HeaderLen + bodySize(channel, e)
	case onV1WS:
		if unread(e) {
			return 0
		}
		if c.masks != nil {
			m, _, ok := c.masks.unmasked(channel, e, !replay)
			if !ok {
				return 0
			}
			return v2.FrameSize(m.Size())
		}
		return v2.FrameSize(bodySize(channel, e))
	case onMask:
		if unread(e) {
			if !replay {
				c.counters.unmaskable.Add(1)
			}
			return 0
		}
		return relayHead + v1.HeaderLen + bodySize(channel, e)
	}
	if e.Opaque {
		return 0
	}
	size := 0
	if c.notice(d, e, replay) {
		size += v2.FrameSize(len(c.appendNotice(nil, d, e.UID, channel)))
	}
	if says(e) {
		size += v2.FrameSize(len(e.Message))
	}
	return size
}

// Append implements [bus.Codec].
func (c codec) Append(dst []byte, d bus.Dialect, channel string, e *bus.Event, replay bool) []byte {
	switch d {
	case onV1:
		if e.From == onV1 {
			return append(dst, e.Data...)
		}
		dst = v1.Header{Len: bodySize(channel, e), CID: v1.CID(e.Key), Key: e.Key}.Append(dst)
		return appendBody(dst, channel, e)
	case onV1WS:
		if unread(e) {
			return dst
		}
		if c.masks != nil {
			return c.masks.append(dst, channel, e)
		}
		dst = v2.AppendFrameHeader(dst, v2.OpBinary, bodySize(channel, e))
		return appendBody(dst, channel, e)
	case onMask:
		if unread(e) {
			return dst
		}
		return c.Append(appendRelayHead(dst, e), onV1, channel, e, replay)
	}
	if e.Opaque {
		return dst
	}
	if c.notice(d, e, replay) {
		dst = v2.AppendFrame(dst, v2.OpText, c.appendNotice(nil, d, e.UID, channel))
	}
	if says(e) {
		op := byte(v2.OpBinary)
		if e.From == onV2 {
			op = e.Op
		}
		dst = v2.AppendFrame(dst, op, e.Message)
	}
	return dst
}

// bodySize is the length of an event's v1 body: as it came or, where it did not
// come as one, the canonical one.
func bodySize(channel string, e *bus.Event) int {
	switch e.From {
	case onV1:
		return len(e.Data) - v1.HeaderLen
	case onV1WS:
		return len(e.Data)
	}
	return v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}.Size()
}

func appendBody(dst []byte, channel string, e *bus.Event) []byte {
	switch e.From {
	case onV1:
		return append(dst, e.Data[v1.HeaderLen:]...)
	case onV1WS:
		return append(dst, e.Data...)
	}
	return v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}.Append(dst)
}

// strays says whether an event names another channel in its body, by which v1
// WebSocket members tell channels apart.
func strays(e *bus.Event) bool { return e.From == onV1 && e.Op == astray }

// unread says whether an event is nothing to those who look into its body: it does
// not decode, or strays.
func unread(e *bus.Event) bool { return e.Opaque || strays(e) }

// notice says whether v2 members are told of an arrival. Links always are.
func (c codec) notice(d bus.Dialect, e *bus.Event, replay bool) bool {
	return e.Join && (d == onLink || c.joins == JoinsLive || c.joins == JoinsHistory && replay)
}

func (c codec) appendNotice(dst []byte, d bus.Dialect, uid, channel string) []byte {
	if d == onLink {
		return appendArrival(dst, uid, channel, c.identity)
	}
	return v2.AppendNotice(dst, uid, channel)
}

// says says whether an event is more than an arrival.
func says(e *bus.Event) bool { return !e.Join || len(e.Message) > 0 }
