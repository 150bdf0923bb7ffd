package bridge_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"mles/bridge"
)

const (
	publishers = 8
	numbers    = 100_000 / publishers // that each of them says
)

// numbered is what publisher i says as its n-th.
func numbered(i, n int) string {
	return string(binary.BigEndian.AppendUint32([]byte{'#', byte(i)}, uint32(n)))
}

// A follower checks what a member hears: the numbers of each publisher in order,
// without gap or double from the first one.
type follower struct {
	name string
	next func() (last []byte, err error) // the last six bytes of the next frame
	self int                             // the publisher it is itself, or -1

	seen  [publishers]int // number that is due; 0: none seen
	done  int             // publishers whose last number has been heard
	heard int
}

// hear reads one frame. Whatever is no number is an arrival.
func (f *follower) hear() error {
	b, err := f.next()
	if err != nil {
		return fmt.Errorf("%s: %w after %d numbers: %v", f.name, err, f.heard, f.seen)
	}
	if b[0] != '#' || b[1] >= publishers {
		return nil
	}
	i, n := int(b[1]), int(binary.BigEndian.Uint32(b[2:]))
	if i == f.self {
		return fmt.Errorf("%s hears itself", f.name)
	}
	if f.seen[i] != 0 && f.seen[i] != n || n == 0 || n > numbers {
		return fmt.Errorf("%s hears %d of publisher %d after %d numbers, due are %v", f.name, n, i, f.heard, f.seen)
	}
	f.seen[i] = n + 1
	f.heard++
	if n == numbers {
		f.done++
	}
	return nil
}

// tail skips a payload of n bytes and returns its last six; "" where it is shorter.
func tail(r *bufio.Reader, n int) ([]byte, error) {
	if n < 6 {
		_, err := r.Discard(n)
		return make([]byte, 6), err
	}
	if _, err := r.Discard(n - 6); err != nil {
		return nil, err
	}
	b, err := r.Peek(6)
	if err == nil {
		r.Discard(6)
	}
	return b, err
}

func (c *v1client) tail() ([]byte, error) {
	head, err := c.r.Peek(16)
	if err != nil {
		return nil, err
	}
	if head[0] != 'M' {
		return nil, fmt.Errorf("frame begins with %x", head)
	}
	n := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	c.r.Discard(16)
	return tail(c.r, n)
}

func (c *v2client) tail() ([]byte, error) {
	head, err := c.r.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0x81 && head[0] != 0x82 || head[1] > 125 {
		return nil, fmt.Errorf("frame begins with %x", head)
	}
	n := int(head[1])
	c.r.Discard(2)
	return tail(c.r, n)
}

// Eight publishers in both dialects say 100,000 numbers in all, while members
// join and leave: each member hears each publisher's numbers in order, with
// nothing missing or twice between history and live traffic.
func TestOrderAndSeam(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}, V2Joins: bridge.JoinsLive, HistoryLimit: 300})
	var all sync.WaitGroup
	run := func(f func() error) {
		all.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	// Whoever is there from the beginning hears everything.
	member := func(name string, n, self int) (*follower, io.Writer, func(message string) []byte) {
		if n%2 == 0 {
			c := h.v1Joins(name, "room", "")
			return &follower{name: name + " on v1", next: c.tail, self: self}, c.nc, c.frame
		}
		c := h.v2Joins(name, "room")
		return &follower{name: name + " on v2", next: c.tail, self: self}, c.nc, func(m string) []byte { return final(opBinary, m) }
	}
	var senders []func() error
	for i := range publishers + 2 {
		self := i
		if i >= publishers {
			self = -1
		}
		f, to, frame := member(fmt.Sprint("member", i), i, self)
		due := publishers
		if self >= 0 {
			due--
			senders = append(senders, func() error { return speak(to, self, frame) })
		}
		run(func() error {
			for f.done < due {
				if err := f.hear(); err != nil {
					return err
				}
			}
			if f.heard != due*numbers {
				return fmt.Errorf("%s heard %d numbers", f.name, f.heard)
			}
			return nil
		})
	}
	for _, speak := range senders {
		run(speak)
	}
	// Others come and go.
	for i := range 4 {
		run(func() error { return come(h, i) })
	}
	all.Wait()
}

// speak says all numbers, a random many at a time.
func speak(to io.Writer, self int, frame func(string) []byte) error {
	random := rand.New(rand.NewPCG(1, uint64(self)))
	var batch []byte
	for n := 1; n <= numbers; n++ {
		batch = append(batch, frame(numbered(self, n))...)
		if n == numbers || random.IntN(40) == 0 {
			if _, err := to.Write(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// come joins again and again, in turn on v1 and v2, and stays for a random while.
func come(h *house, who int) error {
	random := rand.New(rand.NewPCG(2, uint64(who)))
	for i := 0; ; i++ {
		f := &follower{name: fmt.Sprintf("visitor %d the %dth", who, i), self: -1}
		var leave func() error
		if i%2 == 0 {
			c := h.v1()
			c.join(fmt.Sprint("visitor", who, i), "room", "")
			f.next, leave = c.tail, c.nc.Close
		} else {
			c := h.v2()
			c.join(fmt.Sprint("visitor", who, i), "room")
			f.next, leave = c.tail, c.nc.Close
		}
		for stay := 500 + random.IntN(5000); f.heard < stay && f.done < publishers; {
			if err := f.hear(); err != nil {
				return err
			}
			if f.done > 0 && f.over() { // the others had gone out of the history
				break
			}
		}
		leave()
		if f.done > 0 {
			return nil
		}
	}
}

// over says whether all publishers that were heard have said their last.
func (f *follower) over() bool {
	for _, due := range f.seen {
		if due != 0 && due <= numbers {
			return false
		}
	}
	return true
}
