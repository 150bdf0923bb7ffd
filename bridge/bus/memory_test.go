package bus

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeldReplays: three hundred members join a channel with one large message,
// begin to read it and stop. What they hold is over the budget: some are cut,
// and publishers are not stopped for ever.
func TestHeldReplays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 3, MemoryLimit: 16 << 20})
		defer b.Close()
		alice := mustJoin(t, b, Join{Channel: "c", Sink: &honest{}})
		defer alice.Leave()
		alice.Publish([]Event{{Message: make([]byte, 100_000)}})
		var sinks []*hand
		var members []*Member
		for range 300 {
			h := &hand{}
			// In dialect 2 arrivals are not told: nobody lags but for the history.
			m := mustJoin(t, b, Join{Channel: "c", Dialect: 2, Sink: h, First: Event{Join: true, UID: "device"}})
			defer m.Leave()
			sinks, members = append(sinks, h), append(members, m)
		}
		for _, m := range members {
			m.Next() // which encodes the message, 100 kB
		}
		time.Sleep(5 * time.Second)
		if used := b.Budget().Used(); used > b.Budget().Limit() {
			t.Errorf("%d bytes are used", used)
		}
		var cut int
		for _, h := range sinks {
			cut += len(h.reasons())
		}
		if cut < 140 || cut > 170 {
			t.Errorf("%d were cut of 300 that hold 100 kB each, in 16 MiB", cut)
		}
		if b.gate.wait() != nil {
			t.Error("publishers are still stopped")
		}
	})
}

// TestOverMemory: a member in each of 500 channels stops reading, and somebody
// else floods each of them. The budget holds but for a batch of each, and alice
// and bob are served.
func TestOverMemory(t *testing.T) {
	const limit, rounds = 64 << 20, 40
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10, MemoryLimit: limit})
		defer b.Close()
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var most int64
		var cuts atomic.Int64
		message := make([]byte, 5000)
		for i := range 500 {
			name := fmt.Sprint(i)
			h := &hand{}
			silent := mustJoin(t, b, Join{Channel: name, Sink: h})
			flood := mustJoin(t, b, Join{Channel: name, Sink: &honest{}})
			batch := []Event{{Message: message}}
			wg.Go(func() {
				defer silent.Leave()
				defer flood.Leave()
				for {
					wait := flood.Publish(nil) // who waited asks again
					if wait == nil {
						wait = flood.Publish(batch)
					}
					if len(h.reasons()) > 0 {
						cuts.Add(1)
						if h.reasons()[0] != OverMemory {
							t.Errorf("cut for %q", h.reasons())
						}
						// He is back at once, and again does not read.
						silent.Leave()
						h = &hand{}
						silent, _ = b.Join(Join{Channel: name, Sink: h})
					}
					if wait == nil {
						wait = after(20 * time.Millisecond)
					}
					select {
					case <-stop:
						return
					case <-wait:
					}
				}
			})
		}
		bob := &honest{}
		reader := mustJoin(t, b, Join{Channel: "honest", Sink: bob})
		defer reader.Leave()
		alice := mustJoin(t, b, Join{Channel: "honest", Sink: &honest{}})
		defer alice.Leave()
		for range rounds {
			if wait := alice.Publish([]Event{{Message: []byte("hello")}}); wait != nil {
				<-wait
			}
			time.Sleep(100 * time.Millisecond)
			most = max(most, b.Budget().Used())
		}
		close(stop)
		wg.Wait()
		if len(bob.cuts) > 0 || bob.got() < rounds*(headLen+5) {
			t.Errorf("bob got %d bytes and was cut for %q", bob.got(), bob.cuts)
		}
		if cuts.Load() < 100 {
			t.Errorf("%d were cut, though memory was short", cuts.Load())
		}
		// An eighth more for channels that keep up, and whoever had not published
		// when memory became short got one batch in.
		if slack := int64(limit/8 + 500*classes[1]); most > limit+slack {
			t.Errorf("up to %d MiB were used, of %d", most>>20, limit>>20)
		}
	})
}

func after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return done
}

// TestColdestFirst: histories are forgotten by age when memory is short, and
// those of the last hour are kept.
func TestColdestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10, MemoryLimit: 16 << 20})
		defer b.Close()
		m := func(name string) {
			m := mustJoin(t, b, Join{Channel: name, Sink: &honest{}, First: Event{Message: make([]byte, 100_000)}})
			m.Leave()
		}
		for i := range 400 { // 40 MB, one each minute
			m(fmt.Sprint(i))
			time.Sleep(time.Minute)
		}
		used, limit := b.Budget().Used(), b.Budget().Limit()
		if used > limit/8*7 || used < limit/8*5 {
			t.Errorf("%d of %d bytes are used", used, limit)
		}
		kept := make(map[string]bool)
		b.each(func(ch *channel) { kept[ch.name] = true })
		for i := range 300 {
			if kept[fmt.Sprint(i)] && i < 250 {
				t.Errorf("channel %d, %d minutes old, is still there", i, 400-i)
			}
		}
		for i := 300; i < 400; i++ {
			if !kept[fmt.Sprint(i)] {
				t.Errorf("channel %d, %d minutes old, is gone", i, 400-i)
			}
		}
	})
}

// TestIdleChannels: what nobody has used for as long as configured is dropped
// within the hour; a channel with a silent member is kept.
func TestIdleChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10, IdleLimit: 3 * time.Hour})
		defer b.Close()
		silent := mustJoin(t, b, Join{Channel: "silent", Sink: &hand{}, First: Event{Join: true, UID: "carol"}})
		mustJoin(t, b, Join{Channel: "left", Sink: &hand{}, First: Event{Join: true, UID: "alice"}}).Leave()
		time.Sleep(2 * time.Hour)
		mustJoin(t, b, Join{Channel: "late", Sink: &hand{}, First: Event{Join: true, UID: "bob"}}).Leave()
		if n := b.Stats().Channels; n != 3 {
			t.Errorf("%d channels of three", n)
		}
		time.Sleep(2*time.Hour + time.Minute)
		if n := b.Stats().Channels; n != 2 {
			t.Errorf("after four hours %d channels are kept, should be two", n)
		}
		time.Sleep(4 * time.Hour)
		if n := b.Stats().Channels; n != 1 {
			t.Errorf("after eight hours %d channels are kept, should be one", n)
		}
		silent.Leave()
		time.Sleep(5 * time.Hour)
		if st := b.Stats(); st != (Stats{}) {
			t.Errorf("in the end there is %+v", st)
		}
	})
	if b := New(Config{Codec: testCodec{}}); true {
		defer b.Close()
		if b.conf.IdleLimit != 30*24*time.Hour {
			t.Errorf("channels are dropped after %v by default", b.conf.IdleLimit)
		}
	}
}

// TestPinned: bob's writer is still writing what Next gave it when bob departs.
// Nothing that is published afterwards is put in its place.
func TestPinned(t *testing.T) {
	for _, how := range []string{"leaves", "is muted"} {
		for _, size := range []int{100, 5000, 40_000, 2 * maxWrite} {
			b := New(Config{Codec: testCodec{}})
			defer b.Close()
			alice := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}})
			defer alice.Leave()
			for range 20 {
				bob := mustJoin(t, b, Join{Channel: "c", Dialect: 1, Sink: &hand{}})
				alice.Publish([]Event{{Message: bytes.Repeat([]byte("b"), size)}})
				data, _, _ := bob.Next()
				was := bytes.Clone(data)
				if how == "leaves" {
					bob.Leave()
				} else {
					bob.Mute()
					defer bob.Leave()
				}
				carol := mustJoin(t, b, Join{Channel: "c", Dialect: 1, Sink: &hand{}})
				for range 4 {
					alice.Publish([]Event{{Message: bytes.Repeat([]byte("c"), size)}})
				}
				if !bytes.Equal(data, was) {
					t.Fatalf("bob %s, and his %d bytes are overwritten", how, size)
				}
				carol.Leave()
			}
		}
	}
}

// TestShortLived: a million channels, each with somebody who joins and leaves
// and whose join is stored.
func TestShortLived(t *testing.T) {
	n := 1_000_000
	if raceEnabled || testing.Short() {
		n = 100_000
	}
	const limit = 64 << 20
	b := New(Config{Codec: testCodec{}, HistoryLimit: 200, MemoryLimit: limit})
	defer b.Close()
	start := time.Now()
	var most int64
	for i := range n {
		name := fmt.Sprint("channel ", i)
		mustJoin(t, b, Join{Channel: name, Sink: &hand{}, First: Event{Join: true, UID: "device", Data: make([]byte, 40)}}).Leave()
		most = max(most, b.Budget().Used())
	}
	if most > 2*limit { // the janitor may get its turn late on a busy machine
		t.Errorf("up to %d MiB were used, of %d", most>>20, limit>>20)
	}
	t.Logf("%v a channel, %d MiB at most, %d channels kept", time.Since(start)/time.Duration(n), most>>20, b.Stats().Channels)
}

// TestGateAfterClose: the bus is closed while memory is short. Whoever still
// publishes is not left waiting for a janitor that is gone.
func TestGateAfterClose(t *testing.T) {
	b := New(Config{Codec: testCodec{}, MemoryLimit: 1 << 20})
	alice := mustJoin(t, b, Join{Channel: "c", Sink: &honest{}})
	defer alice.Leave()
	bob := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}})
	defer bob.Leave()
	b.Close()
	if blocked(alice.Publish([]Event{{Message: make([]byte, 2<<20)}})) {
		t.Error("alice waits for ever")
	}
}
