package bus

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func used(t *testing.T, m *Member) Usage {
	t.Helper()
	u, present := m.Usage()
	if !present {
		t.Error("is no member")
	}
	return u
}

// TestUsage: alice and bob talk, in turn and at once; carol comes later and reads the
// history, then lags. Nobody is counted what is their own.
func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10})
		defer b.Close()
		say := func(m *Member, texts ...string) {
			t.Helper()
			var events []Event
			for _, s := range texts {
				events = append(events, Event{Message: []byte(s)})
			}
			m.Publish(events)
		}
		alice := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}, First: Event{Join: true, UID: "alice", Message: []byte("hello")}})
		defer alice.Leave()
		began := time.Now()
		bob := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}, First: Event{Join: true}})
		defer bob.Leave()
		if u := used(t, alice); !u.Last.Equal(began) || u.In != (Traffic{1, 5}) || u.Out != (Traffic{}) || u.Lag == 0 {
			t.Errorf("alice has said hello, and is told of bob: %+v", u)
		}
		if u := used(t, bob); !u.Last.IsZero() || u.In != (Traffic{}) {
			t.Errorf("bob has not said anything: %+v", u)
		}
		size := int64(testCodec{}.Size(0, "c", &Event{Message: []byte("1234")}, false))

		time.Sleep(time.Minute)
		got := read(bob, 1<<30)
		say(alice, "1234", "1234")
		say(bob, "1234")
		say(alice, "1234")
		got += read(bob, 1<<30)
		read(alice, 1<<30)
		if u := used(t, bob); u.In != (Traffic{1, 4}) || u.Out != (Traffic{1 + 3, int64(got)}) || u.Lag != 0 {
			t.Errorf("bob got alice's hello and three more: %+v", u)
		}
		if u := used(t, alice); u.In != (Traffic{4, 5 + 12}) || u.Out.Messages != 2 || time.Since(u.Last) != 0 {
			t.Errorf("alice got bob's arrival and message: %+v", u)
		}
		say(alice, "1234") // her own at the end again
		say(bob, "1234")
		say(bob, "1234")
		say(alice, "1234")
		read(alice, 1<<30)
		if u := used(t, alice); u.Out.Messages != 4 {
			t.Errorf("alice got two more: %+v", u)
		}

		carol := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}, First: Event{Join: true, UID: "carol"}})
		defer carol.Leave()
		if u := used(t, carol); u.Lag == 0 || u.Out != (Traffic{}) {
			t.Errorf("carol has yet to read the history: %+v", u)
		}
		got = read(carol, 1<<30)
		if u := used(t, carol); u.Lag != 0 || u.Out != (Traffic{10, int64(got)}) {
			t.Errorf("carol has read ten from the history: %+v", u)
		}
		say(bob, "1234")
		if u := used(t, carol); u.Lag < size || u.Out.Messages != 10 {
			t.Errorf("carol lags: %+v", u)
		}
		got += read(carol, 1<<30)
		if u := used(t, carol); u.Lag != 0 || u.Out != (Traffic{11, int64(got)}) {
			t.Errorf("carol has caught up: %+v", u)
		}
		carol.Leave()
		if _, present := carol.Usage(); present {
			t.Error("carol is still there")
		}
	})
}

// TestCensus: everybody is counted once, those who only talk any more too, and links
// are not.
func TestCensus(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 10})
	defer b.Close()
	join := func(channel, id string, d Dialect) *Member {
		m := mustJoin(t, b, Join{Channel: channel, ID: id, Dialect: d, Sink: &hand{}, First: Event{From: d, Join: true, UID: id}})
		t.Cleanup(m.Leave)
		return m
	}
	join("hall", "alice", 0)
	join("hall", "alice", 1)
	join("attic", "carol", 0)
	join("attic", "dave", 0).Leave()
	join("attic", "", 2)
	join("hall", "bob", 0).Mute()
	link := mustJoin(t, b, Join{Channel: "hall", Sink: &hand{}, Quiet: true})
	defer link.Leave()

	names := make(map[string][]string)
	history := make(map[string]int64)
	for c := range b.Channels() {
		for _, m := range c.Members {
			names[c.Channel] = append(names[c.Channel], string('0'+rune(m.Dialect()))+m.id)
		}
		slices.Sort(names[c.Channel])
		if history[c.Channel] = c.History.Messages; c.History.Bytes == 0 || time.Since(c.LastUsed) > time.Minute {
			t.Errorf("%+v", c)
		}
	}
	if diff := cmp.Diff(map[string][]string{"hall": {"0alice", "0bob", "1alice"}, "attic": {"0carol", "2"}}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"hall": 3, "attic": 3}, history); diff != "" {
		t.Error(diff)
	}
	if c, ok := b.Census("hall"); !ok || len(c.Members) != 3 {
		t.Errorf("the hall: %v, %+v", ok, c)
	}
	if _, ok := b.Census("cellar"); ok {
		t.Error("there is a cellar")
	}
	for range b.Channels() {
		break
	}
}

// BenchmarkCensus looks at 10,000 members on 100 channels, and what each has done.
func BenchmarkCensus(b *testing.B) {
	bus := benchBus(b, 0)
	for i := range 10_000 {
		mustJoin(b, bus, Join{Channel: fmt.Sprint("c", i%100), ID: fmt.Sprint(i), Sink: &counting{}, First: Event{Join: true}})
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for c := range bus.Channels() {
			for _, m := range c.Members {
				if _, present := m.Usage(); present {
					n++
				}
			}
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
}
