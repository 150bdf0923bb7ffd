package bus

import (
	"fmt"
	"runtime"
	"testing"
)

// counting is a sink that counts and does nothing else: what is measured is the
// bus. It reads when woken, like honest, without a lock.
type counting struct{ n int64 }

func (c *counting) Wake(m *Member) {
	for {
		data, _, ok := m.Next()
		if !ok {
			return
		}
		c.n += int64(len(data))
	}
}

func (c *counting) Cut(*Member, Reason) {}

func benchBus(b *testing.B, history int) *Bus {
	bus := New(Config{Codec: testCodec{}, HistoryLimit: history, MemoryLimit: 4 << 30})
	b.Cleanup(bus.Close)
	b.ReportAllocs()
	return bus
}

// BenchmarkPublish: one message of 64 bytes to n readers, who read it at once.
func BenchmarkPublish(b *testing.B) {
	for _, history := range []int{0, 200} {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("history=%d/members=%d", history, n), func(b *testing.B) {
				bus := benchBus(b, history)
				alice := mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}, First: Event{Join: true, UID: "alice"}})
				for range n {
					mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}, First: Event{Join: true, UID: "reader"}})
				}
				events := []Event{{UID: "alice", Data: make([]byte, 64)}}
				events[0].Message = events[0].Data[20:]
				for b.Loop() {
					alice.Publish(events)
				}
				b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "deliveries/s")
			})
		}
	}
}

// BenchmarkBatch: 100 messages of 64 bytes at once, to n readers.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			bus := benchBus(b, 200)
			alice := mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}})
			for range n {
				mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}})
			}
			events := make([]Event, 100)
			for i := range events {
				events[i] = Event{UID: "alice", Message: make([]byte, 64)}
			}
			for b.Loop() {
				alice.Publish(events)
			}
			b.ReportMetric(float64(b.N)*100*float64(n)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkCatchUp: a member that is 4 MiB behind in messages of 64 bytes
// reads it all, in writes of up to 256 KiB.
func BenchmarkCatchUp(b *testing.B) {
	bus := benchBus(b, 0)
	alice := mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}})
	behind := make([]*Member, 2000)
	for i := range behind {
		behind[i] = mustJoin(b, bus, Join{Channel: "c", Sink: &hand{}})
	}
	events := make([]Event, 1000)
	for i := range events {
		events[i] = Event{UID: "alice", Message: make([]byte, 64)}
	}
	b.SetBytes(4 << 20)
	for i := 0; b.Loop(); i++ {
		if i%len(behind) == 0 {
			b.StopTimer()
			read(behind[0], 1<<30)
			for behind[0].lag() < 4<<20 {
				alice.Publish(events)
			}
			b.StartTimer()
		}
		read(behind[i%len(behind)], 1<<30)
	}
}

// BenchmarkReplay: somebody joins a channel with 200 stored messages of 64
// bytes, reads them and leaves.
func BenchmarkReplay(b *testing.B) {
	bus := benchBus(b, 200)
	alice := mustJoin(b, bus, Join{Channel: "c", Dialect: 2, Sink: &counting{}})
	for range 200 {
		alice.Publish([]Event{{UID: "alice", Message: make([]byte, 64)}})
	}
	var sink counting
	for b.Loop() {
		mustJoin(b, bus, Join{Channel: "c", Sink: &sink, First: Event{Join: true, UID: "bob"}}).Leave()
	}
}

// BenchmarkJoin: somebody joins and leaves a channel without history.
func BenchmarkJoin(b *testing.B) {
	bus := benchBus(b, 0)
	mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}})
	var sink counting
	for b.Loop() {
		mustJoin(b, bus, Join{Channel: "c", ID: "bob", Sink: &sink, First: Event{Join: true, UID: "bob"}}).Leave()
	}
}

// BenchmarkChannels: the memory that channels really take, each with some
// stored joins of different names and nobody there, beside what the budget counts for them.
func BenchmarkChannels(b *testing.B) {
	for _, joins := range []int{1, 16, 100} {
		b.Run(fmt.Sprintf("joins=%d", joins), func(b *testing.B) {
			n := 100_000 / joins
			for b.Loop() {
				bus := benchBus(b, 200)
				before := heap()
				for i := range n * joins {
					uid := fmt.Sprint("device", i%joins)
					mustJoin(b, bus, Join{
						Channel: fmt.Sprintf("a channel %08d", i/joins), ID: uid, Sink: &hand{},
						First: Event{Join: true, UID: uid, Data: make([]byte, 48)},
					}).Leave()
				}
				real, counted := heap()-before, bus.Budget().Used()
				b.ReportMetric(float64(real)/float64(n), "heap-B/channel")
				b.ReportMetric(float64(counted)/float64(n), "counted-B/channel")
				runtime.KeepAlive(bus)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkSurvey: looking at all members of a channel, as each scrape of metrics does.
func BenchmarkSurvey(b *testing.B) {
	const members = 10_000
	bus := benchBus(b, 0)
	for range members {
		mustJoin(b, bus, Join{Channel: "c", Sink: &counting{}, First: Event{Join: true, UID: "reader"}})
	}
	for b.Loop() {
		n := 0
		bus.Survey(func(Dialect, Usage) { n++ })
		if n != members {
			b.Fatalf("%d members", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/members, "ns/member")
}

// BenchmarkAmong: what publishing and joining cost on one channel while there are others, each with a stored join and
// nobody there; and joining all of them in turn, which is as cold as memory gets.
func BenchmarkAmong(b *testing.B) {
	for _, channels := range []int{1, 100_000} {
		bus := benchBus(b, 200)
		name := func(i int) string { return fmt.Sprintf("a channel %08d", i%channels) }
		join := func(channel, uid string) *Member {
			return mustJoin(b, bus, Join{
				Channel: channel, ID: uid, Sink: &counting{}, First: Event{Join: true, UID: uid, Data: make([]byte, 48)},
			})
		}
		for i := range channels {
			join(name(i), "device").Leave()
		}
		run := func(what string, f func(b *testing.B)) {
			b.Run(fmt.Sprintf("%s/channels=%d", what, channels), func(b *testing.B) { b.ReportAllocs(); f(b) })
		}
		run("join", func(b *testing.B) {
			for b.Loop() {
				join(name(0), "bob").Leave()
			}
		})
		run("join-in-turn", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				join(name(i*7919), "bob").Leave()
			}
		})
		run("publish", func(b *testing.B) {
			alice, bob := join("busy", "alice"), join("busy", "bob")
			defer alice.Leave()
			defer bob.Leave()
			events := []Event{{UID: "alice", Message: make([]byte, 64)}}
			for b.Loop() {
				alice.Publish(events)
			}
		})
	}
}
