package bench

import "testing"

// BenchmarkScan is what a delivery costs the generator, apart from the kernel.
func BenchmarkScan(b *testing.B) {
	for _, d := range []Dialect{V1, V1WebSocket, V2, NATS, MQTT, Raw} {
		b.Run(string(d), func(b *testing.B) {
			w, err := wireOf(d)
			if err != nil {
				b.Fatal(err)
			}
			const frames = 640
			var stream []byte
			for seq := range uint64(frames) {
				stream = append(stream, delivered(d, "p000004", "b01234567-00000", said(4, seq))...)
			}
			in := ears(100)
			in.channel = "b01234567-00000"
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += frames {
				in.restart()
				if _, err := w.scan(stream, in); err != nil || in.fault != nil {
					b.Fatal(err, in.fault)
				}
			}
		})
	}
}

// restart expects the first messages again.
func (in *inbox) restart() {
	clear(in.next)
	in.same = 0
}
