package bridge

import (
	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// The dialects, as the bus numbers them. Members of the same number get the same
// bytes. The v1 WebSocket dialect will be the third.
const (
	onV1 bus.Dialect = iota
	onV2
)

// codec is the table of mapping.md, "What each side gets": it writes an event of
// any dialect down in any other. Events of a v1 connection carry the frame in
// Data; events of a v2 connection have only Message, with the opcode in Op and the
// key for v1 headers in Key.
type codec struct{ joins JoinMode }

// Size implements [bus.Codec].
func (c codec) Size(d bus.Dialect, channel string, e *bus.Event, replay bool) int {
	switch {
	case d == onV1 && e.From == onV1:
		return len(e.Data)
	case d == onV1:
		m := v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}
		return v1.HeaderLen + m.Size()
	case e.Opaque:
		return 0
	}
	size := 0
	if c.notice(e, replay) {
		size += v2.FrameSize(len(v2.AppendNotice(nil, e.UID, channel)))
	}
	if says(e) {
		size += v2.FrameSize(len(e.Message))
	}
	return size
}

// Append implements [bus.Codec].
func (c codec) Append(dst []byte, d bus.Dialect, channel string, e *bus.Event, replay bool) []byte {
	switch {
	case d == onV1 && e.From == onV1:
		return append(dst, e.Data...)
	case d == onV1:
		m := v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}
		return v1.AppendFrame(dst, v1.CID(e.Key), e.Key, m)
	case e.Opaque:
		return dst
	}
	if c.notice(e, replay) {
		dst = v2.AppendFrame(dst, v2.OpText, v2.AppendNotice(nil, e.UID, channel))
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

// notice says whether v2 members are told of an arrival.
func (c codec) notice(e *bus.Event, replay bool) bool {
	return e.Join && (c.joins == JoinsLive || c.joins == JoinsHistory && replay)
}

// says says whether an event is more than an arrival.
func says(e *bus.Event) bool { return !e.Join || len(e.Message) > 0 }
