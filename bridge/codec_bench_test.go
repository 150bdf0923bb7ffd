package bridge

import (
	"bytes"
	"testing"

	"mles/bridge/bus"
	"mles/v1"
)

// BenchmarkMapping writes an event of each dialect down in each, as the bus does
// once a message and dialect.
func BenchmarkMapping(b *testing.B) {
	const channel = "bench"
	message := bytes.Repeat([]byte("x"), 64)
	key := v1.Key("k", "alice", channel)
	frame := v1.AppendFrame(nil, v1.CID(key), key, v1.Msg{UID: "alice", Channel: channel, Message: message})
	from := map[string]bus.Event{
		"v1":        {From: onV1, Data: frame, Message: frame[len(frame)-len(message):]},
		"v2":        {From: onV2, Op: 2, Key: key, UID: "alice", Message: message},
		"v2 joins":  {From: onV2, Join: true, Key: key, UID: "alice"},
		"v1 opaque": {From: onV1, Opaque: true, Data: frame},
	}
	for name, e := range from {
		for to, d := range map[string]bus.Dialect{"v1": onV1, "v2": onV2} {
			b.Run(name+"→"+to, func(b *testing.B) {
				c := codec{joins: JoinsLive}
				dst := make([]byte, 0, 1<<10)
				b.ReportAllocs()
				for b.Loop() {
					if n := c.Size(d, channel, &e, false); n > 0 {
						dst = c.Append(dst[:0], d, channel, &e, false)
					}
				}
			})
		}
	}
}
