package bus

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A heard is one message as a member got it.
type heard struct {
	sender uint32
	seq    uint32
	replay bool
}

// A listener is a member that notes what it gets and may dawdle.
type listener struct {
	writer
	t    *testing.T
	lazy int // one in so many writes takes a while; 0: none
	rest []byte
	log  []heard
	n    atomic.Int64
}

func newListener(t *testing.T, lazy int) *listener {
	l := &listener{t: t, lazy: lazy}
	l.put = l.hear
	return l
}

func (l *listener) hear(data []byte, whole bool) {
	if l.lazy > 0 && rand.IntN(l.lazy) == 0 {
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
	l.rest = append(l.rest, data...)
	for {
		f, rest, ok := parseFrame(l.rest)
		if !ok {
			break
		}
		if len(f.payload) >= 8 {
			l.log = append(l.log, heard{
				sender: binary.BigEndian.Uint32(f.payload),
				seq:    binary.BigEndian.Uint32(f.payload[4:]),
				replay: f.flags&flagReplay != 0,
			})
			l.n.Add(1)
		}
		l.rest = rest
	}
	if whole != (len(l.rest) == 0) && len(data) < maxWrite {
		l.t.Errorf("whole = %v with %d bytes of a frame left", whole, len(l.rest))
	}
}

// check says whether each sender's messages came without gap or double, history
// first.
func (l *listener) check(name string) {
	last := make(map[uint32]uint32)
	live := false
	for i, h := range l.log {
		if h.replay && live {
			l.t.Errorf("%s: history after live traffic at %d", name, i)
			return
		}
		live = live || !h.replay
		if before, known := last[h.sender]; known && h.seq != before+1 {
			l.t.Errorf("%s: sender %d's %d after %d", name, h.sender, h.seq, before)
			return
		}
		last[h.sender] = h.seq
	}
}

func sayings(sender uint32, seq *uint32, n, size int) []Event {
	events := make([]Event, n)
	for i := range events {
		*seq++
		p := make([]byte, max(8, size))
		binary.BigEndian.PutUint32(p, sender)
		binary.BigEndian.PutUint32(p[4:], *seq)
		events[i] = Event{From: Dialect(sender % 2), UID: "u", Message: p}
	}
	return events
}

// TestConcurrent: publishers, joiners and leavers at once; an observer of each
// dialect stays all the time. Everybody must find each sender in order and
// whole, and what the observer of its dialect found in the same order.
func TestConcurrent(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 50, MemoryLimit: 1 << 30})
	defer b.Close()
	const channels, talkers = 2, 6
	messages := 1500
	if raceEnabled {
		messages = 400
	}
	var sender atomic.Uint32
	var observers [channels][2]*listener
	var stay []*Member
	for c := range channels {
		for d := range 2 {
			o := newListener(t, 0)
			observers[c][d] = o
			stay = append(stay, mustJoin(t, b, Join{Channel: fmt.Sprint(c), Dialect: Dialect(d), Sink: o}))
		}
	}
	var said [channels]atomic.Int64
	type visit struct {
		*listener
		c int
		d Dialect
		s uint32
	}
	var mu sync.Mutex
	var visits []visit
	var wg, lingering sync.WaitGroup
	for k := range channels * talkers {
		wg.Go(func() {
			c := k % channels
			for left := messages; left > 0; {
				v := visit{newListener(t, rand.IntN(2)*20), c, Dialect(rand.IntN(2)), sender.Add(1)}
				m, err := b.Join(Join{Channel: fmt.Sprint(c), Dialect: v.d, Sink: v, First: Event{Join: true, UID: fmt.Sprint("u", k)}})
				if err != nil {
					t.Error(err)
					return
				}
				var seq uint32
				for range 1 + rand.IntN(60) {
					n := min(left, 1+rand.IntN(8))
					size := 8
					if rand.IntN(50) == 0 {
						size = rand.IntN(20_000)
					}
					wait := m.Publish(sayings(v.s, &seq, n, size))
					said[c].Add(int64(n))
					left -= n
					if wait != nil {
						<-wait
					}
					if rand.IntN(4) == 0 {
						runtime.Gosched()
					}
					if left == 0 {
						break
					}
				}
				switch rand.IntN(3) {
				case 0:
					m.Leave()
				case 1:
					m.Mute()
					m.Leave()
				default: // linger for a while
					lingering.Go(func() {
						time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
						m.Leave()
					})
				}
				mu.Lock()
				visits = append(visits, v)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	lingering.Wait()
	for c := range channels {
		for d := range 2 {
			o := observers[c][d]
			for deadline := time.Now().Add(10 * time.Second); o.n.Load() != said[c].Load(); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("channel %d, dialect %d: the observer got %d of %d", c, d, o.n.Load(), said[c].Load())
				}
			}
		}
	}
	for _, m := range stay {
		m.Leave()
		m.sink.(*listener).done.Wait()
	}
	for c := range channels {
		for d := range 2 {
			observers[c][d].check(fmt.Sprint("observer ", c, d))
		}
	}
	for i, v := range visits {
		v.done.Wait()
		v.check(fmt.Sprint("visitor ", i))
		follows(t, observers[v.c][v.d], v.listener, v.s)
	}
	b.each(func(ch *channel) { b.remove(ch, math.MaxInt64) })
	if st := b.Stats(); st != (Stats{}) {
		t.Errorf("everybody has left, and there is %+v", st)
	}
}

// follows checks that l heard a stretch of what o heard, less its own.
func follows(t *testing.T, o, l *listener, own uint32) {
	if len(l.log) == 0 {
		return
	}
	at := 0
	for at < len(o.log) && (o.log[at].sender != l.log[0].sender || o.log[at].seq != l.log[0].seq) {
		at++
	}
	for _, h := range l.log {
		for at < len(o.log) && o.log[at].sender == own {
			at++
		}
		if at == len(o.log) || o.log[at].sender != h.sender || o.log[at].seq != h.seq {
			t.Errorf("a member heard sender %d's %d out of the channel's order", h.sender, h.seq)
			return
		}
		at++
	}
}
