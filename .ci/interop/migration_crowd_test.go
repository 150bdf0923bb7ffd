//go:build interop

package interop

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// A seat is a member's place on a server: one connection, or one process of a client.
type seat interface {
	// say sends a line. Whether it arrives is found out by those who hear it.
	say(line string) error
	// heard is all that was received here, from the first byte on.
	heard() string
}

// A member says numbered lines all the time, and remembers what it hears.
type member struct {
	name string
	room string // whoever has the same hears it, by whatever name the channel goes

	mu     sync.Mutex
	seat   seat // nil: away
	next   int  // number of its next line
	mute   bool // it is not to be heard now
	heard  map[string]*hearing
	parsed int            // of seat.heard()
	from   map[string]int // by voice: what must be heard without a gap
}

// A hearing is what a member has heard of a voice in its seat.
type hearing struct {
	live  int // the voice's next line when the member took its seat: what is before is history
	first int // of the lines that have to come in order: 0 or live
	got   map[int]bool
	last  int // of those; -1: none yet
	fault error
}

// A crowd is everybody who is there.
type crowd struct {
	members []*member
	slowest time.Duration // from a member's return until everybody heard everybody

	// pieces says that a server's history is put together of what it heard itself and of what its upstream told it after
	// that, of the time before: then only its pieces are in order.
	pieces bool
}

const (
	pause   = 100 * time.Millisecond // between lines of a member
	restore = 2 * time.Second        // after which all are to hear each other again
)

// joins has a new member take a seat and speak until the test ends.
func (c *crowd) joins(t *testing.T, name, room string, s seat) *member {
	m := &member{name: name, room: room, from: make(map[string]int)}
	c.members = append(c.members, m)
	c.sits(m, s)
	done := make(chan struct{})
	var speaking sync.WaitGroup
	speaking.Go(func() {
		for ticker := time.NewTicker(pause); ; {
			select {
			case <-done:
				ticker.Stop()
				return
			case <-ticker.C:
				m.speak()
			}
		}
	})
	t.Cleanup(func() { close(done); speaking.Wait() })
	return m
}

// sits has the member take a seat, on a connection of its own.
func (c *crowd) sits(m *member, s seat) {
	heard := make(map[string]*hearing)
	for _, voice := range c.members {
		voice.mu.Lock()
		h := &hearing{live: voice.next, got: make(map[int]bool), last: -1}
		voice.mu.Unlock()
		if c.pieces {
			h.first = h.live
		}
		heard[voice.name] = h
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seat, m.parsed, m.heard = s, 0, heard
}

// rises has the member leave its seat, having judged what it heard there. It does not end the connection.
func (m *member) rises(t *testing.T) {
	t.Helper()
	if err := m.judge(nil); err != nil {
		t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seat, m.from = nil, make(map[string]int)
}

func (m *member) speak() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seat != nil {
		_ = m.seat.say(fmt.Sprintf("«%s %d»", m.name, m.next)) // an error is a line that nobody hears
		m.next++
	}
}

// silence says whether the member is to be heard from now on.
func (m *member) silence(mute bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mute = mute
}

var numbered = regexp.MustCompile(`«([a-z]+) ([0-9]+)»`)

// listen reads on in what was heard.
func (m *member) listen() {
	if m.seat == nil {
		return
	}
	fresh := m.seat.heard()[m.parsed:]
	for _, at := range numbered.FindAllStringSubmatchIndex(fresh, -1) {
		voice := fresh[at[2]:at[3]]
		n, err := strconv.Atoi(fresh[at[4]:at[5]])
		if err != nil {
			panic(err) // digits
		}
		h := m.heard[voice]
		if h == nil { // somebody who came later
			h = &hearing{got: make(map[int]bool), last: -1}
			m.heard[voice] = h
		}
		h.hear(n, voice == m.name)
	}
	if end := strings.LastIndex(fresh, "»"); end >= 0 {
		m.parsed += end
	}
}

// hear takes a line and finds fault with it if it comes twice, out of order, or back to who said it.
func (h *hearing) hear(n int, own bool) {
	switch {
	case h.fault != nil:
	case h.got[n]:
		h.fault = fmt.Errorf("%d a second time", n)
	case own && n >= h.live:
		h.fault = fmt.Errorf("its own %d", n)
	case n >= h.first && n < h.last:
		h.fault = fmt.Errorf("%d after %d", n, h.last)
	}
	h.got[n] = true
	if n >= h.first {
		h.last = n
	}
}

// judge says what is wrong with what the member has heard in its seat, if it should have heard of each voice up to a
// number, which is not included.
func (m *member) judge(upTo map[string]int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listen()
	for voice, h := range m.heard {
		if h.fault != nil {
			return fmt.Errorf("%s hears of %s %w", m.name, voice, h.fault)
		}
	}
	for voice, end := range upTo {
		from, expected := m.from[voice]
		for n := from; expected && n < end; n++ {
			if !m.heard[voice].got[n] {
				return fmt.Errorf("%s has yet to hear %s's %d of %d; last was %d", m.name, voice, n, end-1, m.heard[voice].last)
			}
		}
	}
	return nil
}

// said is the number of the next line of everybody who is there and may be heard.
func (c *crowd) said() map[string]int {
	numbers := make(map[string]int)
	for _, m := range c.members {
		m.mu.Lock()
		if m.seat != nil && !m.mute {
			numbers[m.name] = m.next
		}
		m.mu.Unlock()
	}
	return numbers
}

// hear waits until everybody has heard all that has been said up to now by everybody whom they hear: each line once,
// in order, with none missing.
func (c *crowd) hear(t *testing.T) {
	t.Helper()
	numbers := c.said()
	hosts.Eventually(t, func() error {
		for _, m := range c.members {
			if err := m.judge(numbers); err != nil {
				return err
			}
		}
		return nil
	})
}

// talk lets everybody talk for a while and expects that nothing is lost.
func (c *crowd) talk(t *testing.T) {
	t.Helper()
	time.Sleep(5 * pause)
	c.hear(t)
}

// returned expects that everybody hears those who have just come back, or whose server has, and is heard by them, within
// 2 s; from then on nothing may be missing.
func (c *crowd) returned(t *testing.T, back ...*member) {
	t.Helper()
	isBack := make(map[*member]bool)
	for _, m := range back {
		isBack[m] = true
	}
	begun, since := time.Now(), c.said()
	for {
		err := c.reunited(isBack, since)
		if err == nil {
			break
		}
		if time.Since(begun) > restore {
			t.Fatalf("%v after the clients' return: %v", restore, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.slowest = max(c.slowest, time.Since(begun))
}

// reunited says who has yet to hear whom, of those who are back and those who have stayed.
func (c *crowd) reunited(isBack map[*member]bool, since map[string]int) error {
	for _, ear := range c.members {
		for _, voice := range c.members {
			begin, speaks := since[voice.name]
			if ear == voice || ear.room != voice.room || !speaks || !isBack[ear] && !isBack[voice] {
				continue
			}
			if err := ear.hasHeard(voice.name, begin); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasHeard expects some line of a voice that was said since a number; what follows that line must be complete.
func (m *member) hasHeard(voice string, since int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seat == nil {
		return nil
	}
	m.listen()
	if h := m.heard[voice]; h != nil && h.last >= since {
		for m.from[voice] = h.last; m.from[voice] > since && h.got[m.from[voice]-1]; m.from[voice]-- {
		}
		return nil
	}
	return fmt.Errorf("%s has yet to hear %s again, who is at %d", m.name, voice, since)
}

// nextLine is the number of what the member says next.
func (m *member) nextLine() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.next
}

// remembers expects that the member was told, from the history, what a voice had said as its line n.
func (m *member) remembers(t *testing.T, voice *member, n int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listen()
	if h := m.heard[voice.name]; h == nil || n >= h.live || !h.got[n] {
		t.Errorf("%s was not told of %s's %d", m.name, voice.name, n)
	}
}

// hearsNothingOf expects that none of the voices reaches the ear.
func (m *member) hearsNothingOf(t *testing.T, voice *member) {
	t.Helper()
	since := voice.nextLine()
	time.Sleep(8 * pause) // nothing to wait for: this is the fact
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listen()
	if h := m.heard[voice.name]; h != nil && h.last >= since {
		t.Errorf("%s hears %s's %d", m.name, voice.name, h.last)
	}
}

// parts takes the member out of what the others expect: they cannot reach each other now.
func (c *crowd) parts(m *member) {
	m.room = "apart from " + m.room
	for _, other := range c.members {
		other.mu.Lock()
		if other == m {
			clear(m.from)
		} else {
			delete(other.from, m.name)
		}
		other.mu.Unlock()
	}
}

// meets undoes parts.
func (m *member) meets() { m.room = strings.TrimPrefix(m.room, "apart from ") }
