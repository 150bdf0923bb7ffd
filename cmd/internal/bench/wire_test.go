package bench

import (
	"encoding/binary"
	"strings"
	"testing"

	"mles/v1"
	"mles/v2"
)

// delivered is what a server of each dialect makes of a message.
func delivered(d Dialect, uid, channel string, m []byte) []byte {
	body := v1.Msg{UID: uid, Channel: channel, Message: m}
	switch d {
	case V1:
		return v1.AppendFrame(nil, 1, 2, body)
	case V1WebSocket:
		return v2.AppendFrame(nil, v2.OpBinary, body.Append(nil))
	case V2:
		return v2.AppendFrame(nil, v2.OpBinary, m)
	case NATS:
		return append(append([]byte("MSG "+channel+" 1 100\r\n"), m...), "\r\n"...)
	case MQTT:
		return mqttPacket(0x30, append(mqttString(channel), m...))
	}
	return m
}

// between is what may stand between messages.
var between = map[Dialect][]byte{
	V1:          v1.AppendFrame(nil, 1, 2, v1.Msg{UID: "bob", Channel: "hall"}),
	V1WebSocket: v2.AppendFrame(nil, v2.OpPing, []byte("x")),
	V2:          append(v2.AppendFrame(nil, v2.OpText, v2.AppendNotice(nil, "bob", "hall")), v2.AppendFrame(nil, v2.OpPing, nil)...),
	NATS:        []byte("PING\r\nINFO {}\r\n+OK\r\n"),
	MQTT:        {0x90, 3, 0, 1, 0},
	Raw:         nil,
}

// TestScan reads ten messages of each dialect in pieces of every size.
func TestScan(t *testing.T) {
	for d, noise := range between {
		w, err := wireOf(d)
		if err != nil {
			t.Fatal(err)
		}
		var stream []byte
		for seq := range uint64(10) {
			stream = append(stream, noise...)
			f := delivered(d, "alice", "hall", said(4, seq))
			if got := w.weight("alice", "hall", 100); got != len(f) {
				t.Errorf("%s: a message weighs %d, want %d", d, got, len(f))
			}
			stream = append(stream, f...)
		}
		for piece := 1; piece <= len(stream); piece++ {
			in := ears(100)
			var buf []byte
			for rest := stream; len(rest) > 0; {
				n := min(piece, len(rest))
				buf, rest = append(buf, rest[:n]...), rest[n:]
				used, err := w.scan(buf, in)
				if err != nil {
					t.Fatalf("%s in pieces of %d: %v", d, piece, err)
				}
				buf = buf[used:]
			}
			if in.got != 10 || in.fault != nil || len(buf) > 0 {
				t.Fatalf("%s in pieces of %d: got %d of 10, fault %v, %d bytes left", d, piece, in.got, in.fault, len(buf))
			}
			if pings := strings.Contains(string(noise), "PING") || d == V2 || d == V1WebSocket; pings != (len(in.replies) > 0) {
				t.Errorf("%s: replies are %q", d, in.replies)
			}
		}
	}
}

// TestPublish holds what is published, stamped in place, against what was meant.
func TestPublish(t *testing.T) {
	for d := range between {
		w, err := wireOf(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, channel := range []string{"hall", "halls", "hallway"} { // the mask falls otherwise on each
			l := &link{wire: w, uid: "alice", channel: channel}
			if d == V2 || d == V1WebSocket {
				l.mask = 0x0123456701234567
			}
			p := &publisher{t: &trial{tag: 77, size: 100}, link: l, number: 4}
			b := p.newBlock(1000)
			if b.frames < 2 || len(b.bytes) > 1000 {
				t.Fatalf("%s: %d frames in %d bytes", d, b.frames, len(b.bytes))
			}
			stamp(b.message(1), 1234, 5678, l.mask)
			setPublisher(b.message(1), 4|flagLast, l.mask)
			want := template(77, 4|flagLast, 100)
			stamp(want, 1234, 5678, 0)
			frame := unmasked(t, d, b.bytes[b.each:2*b.each])
			if !strings.Contains(string(frame), string(want)) {
				t.Errorf("%s on %s: the frame %q does not hold the message", d, channel, frame)
			}
			if d == V1 || d == V1WebSocket {
				if d == V1 {
					frame = frame[v1.HeaderLen:]
				}
				if m, err := v1.DecodeMsg(frame); err != nil || m.UID != "alice" || m.Channel != channel {
					t.Errorf("%s: the body is %+v, %v", d, m, err)
				}
			}
		}
	}
}

// unmasked is the payload of a client's WebSocket frame, other dialects' frames as
// they are.
func unmasked(t *testing.T, d Dialect, frame []byte) []byte {
	if d != V2 && d != V1WebSocket {
		return frame
	}
	t.Helper()
	if frame[0] != 0x80|v2.OpBinary || frame[1]&0x80 == 0 {
		t.Fatalf("a frame begins with % x", frame[:2])
	}
	n, at := int(frame[1]&0x7f), 2
	if n == 126 {
		n, at = int(binary.BigEndian.Uint16(frame[2:])), 4
	}
	key, payload := frame[at:at+4], frame[at+4:]
	if len(payload) != n {
		t.Fatalf("a frame of %d bytes announces %d", len(payload), n)
	}
	out := make([]byte, n)
	for i := range payload {
		out[i] = payload[i] ^ key[i&3]
	}
	return out
}

// TestScanRefuses: what is no frame, or ends the connection, is an error.
func TestScanRefuses(t *testing.T) {
	for _, c := range []struct {
		dialect Dialect
		bytes   []byte
		want    string
	}{
		{V1, make([]byte, 16), "no frame"},
		{V1, v1.AppendFrame(nil, 1, 2, v1.Msg{UID: "alice", Channel: "elsewhere", Message: said(4, 0)}), "channel \"elsewhere\""},
		{V2, v2.AppendClose(nil, 1008, "go away"), "1008 go away"},
		{V2, []byte{0x82, 0xff, 0, 0}, "no frame"},
		{V2, []byte{0x02, 1, 0}, "no frame"},
		{NATS, []byte("-ERR 'Slow Consumer'\r\n"), "Slow Consumer"},
	} {
		w, err := wireOf(c.dialect)
		if err != nil {
			t.Fatal(err)
		}
		in := ears(100)
		_, err = w.scan(c.bytes, in)
		if err == nil {
			err = in.fault
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: % x is %v, want an error with %q", c.dialect, c.bytes, err, c.want)
		}
	}
}
