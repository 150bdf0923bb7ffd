//go:build load

package load

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOrder has 8 publishers, half on each dialect, send 100,000 numbered messages each into one channel as fast as they
// can, all of them reading too, while members join and leave. Each sees every sender's numbers in order, without gap or
// double, from the first one it sees; those who were there from the beginning see all.
func TestOrder(t *testing.T) {
	n, listeners := 100_000, 4
	if testing.Short() {
		n = 15_000
	}
	const publishers = 8
	kinds := []transport{v1TCP, v2TLS, v1TLS, v2Plain}
	d := start(t, options{})
	members := d.crowd(t, publishers+listeners, func(i int) (transport, string, string) {
		return kinds[i%len(kinds)], fmt.Sprintf("member-%02d", i), "order"
	})
	d.joined(t, len(members))
	begun := time.Now()

	var got atomic.Int64
	var reading, writing sync.WaitGroup
	failures := make(chan error, 2*len(members)+1)
	for i, c := range members {
		reading.Go(func() {
			var seen numbers
			seen.complete(n, i, publishers)
			c.SetReadDeadline(time.Now().Add(3 * starved))
			for !seen.done() {
				message, err := c.recv()
				if err == nil {
					err = seen.add(message)
				}
				if err != nil {
					failures <- fmt.Errorf("%s on %s: %w; next numbers %v", c.uid, c.tr, err, seen.next)
					return
				}
				got.Add(1)
			}
		})
	}
	for i, c := range members[:publishers] {
		writing.Go(func() {
			if err := c.count(i, n); err != nil {
				failures <- fmt.Errorf("%s on %s publishes: %w", c.uid, c.tr, err)
			}
		})
	}

	// Others come and go for as long as the flood lasts.
	stop := make(chan struct{})
	var visits atomic.Int64
	var visiting sync.WaitGroup
	for w := range 4 {
		visiting.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := d.passBy(kinds[(w+k)%len(kinds)], fmt.Sprintf("visitor-%d-%d", w, k), 2000, stop); err != nil {
					failures <- fmt.Errorf("visitor: %w", err)
					return
				}
				visits.Add(1)
			}
		})
	}
	writing.Wait()
	reading.Wait()
	close(stop)
	visiting.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if visits.Load() < 5 {
		t.Errorf("%d members came and went in the middle, too few to prove anything", visits.Load())
	}
	if lines := d.log("subscription cut"); len(lines) > 0 {
		t.Errorf("cut: %q", lines)
	}
	want := int64(n) * (publishers*(publishers-1) + int64(listeners)*publishers)
	if got.Load() != want {
		t.Errorf("%d messages received, want %d", got.Load(), want)
	}
	t.Logf("order: %d publishers, %d messages each, %d received by %d members in order, %d others came and went, in %s; peak %s",
		publishers, n, got.Load(), len(members), visits.Load(), time.Since(begun).Round(time.Second), mib(d.status(t, "VmHWM")))
}

// count sends n messages: the sender's index, the number, and bytes that follow from it.
func (c *client) count(sender, n int) error {
	var batch []byte
	for i := 0; i < n; {
		batch = batch[:0]
		for ; i < n && len(batch) < 16<<10; i++ {
			batch = c.frame(batch, numbered(sender, i))
		}
		c.SetWriteDeadline(time.Now().Add(3 * starved))
		if err := c.write(batch); err != nil {
			return err
		}
	}
	return nil
}

func numbered(sender, number int) []byte {
	message := binary.BigEndian.AppendUint32([]byte{byte(sender)}, uint32(number))
	for i := range number % 41 {
		message = append(message, byte(number+i))
	}
	return message
}

// numbers follows what each sender has said.
type numbers struct {
	next  [8]int // 0: nothing yet
	from0 bool   // from the beginning
	last  int    // complete when next is that for each of waits
	waits []int
}

// complete says that member i is to see n numbers of each publisher but itself.
func (s *numbers) complete(n, i, publishers int) {
	s.from0, s.last = true, n
	for p := range publishers {
		if p != i {
			s.waits = append(s.waits, p)
		}
	}
}

func (s *numbers) done() bool {
	for _, p := range s.waits {
		if s.next[p] < s.last {
			return false
		}
	}
	return len(s.waits) > 0
}

func (s *numbers) add(message []byte) error {
	if len(message) < 5 || int(message[0]) >= len(s.next) {
		return fmt.Errorf("message % x", message)
	}
	sender, number := int(message[0]), int(binary.BigEndian.Uint32(message[1:]))
	if want := s.next[sender]; number != want && (want > 0 || s.from0) {
		return fmt.Errorf("number %d of sender %d, want %d", number, sender, want)
	}
	if string(message) != string(numbered(sender, number)) {
		return fmt.Errorf("number %d of sender %d has %d other bytes", number, sender, len(message))
	}
	s.next[sender] = number + 1
	return nil
}

// passBy joins, receives up to n messages and leaves.
func (d *daemon) passBy(tr transport, uid string, n int, stop <-chan struct{}) error {
	c, err := d.join(plainDialer, tr, uid, "order", "")
	if err != nil {
		return err
	}
	defer c.Close()
	var seen numbers
	for range n {
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		message, err := c.recv()
		if err != nil {
			select {
			case <-time.After(3 * time.Second): // the flood may just be over
				return fmt.Errorf("%s on %s: %w", uid, tr, err)
			case <-stop:
				return nil
			}
		}
		if err := seen.add(message); err != nil {
			return fmt.Errorf("%s on %s: %w", uid, tr, err)
		}
	}
	return nil
}
