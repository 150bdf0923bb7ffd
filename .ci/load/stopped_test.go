//go:build load

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const memoryLimit = 512 << 20

// A publisher sends numbered messages of a size as fast as it can: a frame holds the number in its first 8 bytes.
type publisher struct {
	*client
	size  int
	sent  atomic.Int64
	slow  atomic.Bool  // a message now and then is enough
	pause atomic.Int64 // ns between batches
	ended atomic.Bool  // stop
	err   error        // why it could not go on, when run has returned
}

// run sends batches of about 32 KiB until ended.
func (p *publisher) run() {
	message := bytes.Repeat([]byte{'p'}, p.size)
	var batch []byte
	for !p.ended.Load() {
		time.Sleep(time.Duration(p.pause.Load()))
		n := max(1, 32<<10/p.size)
		if p.slow.Load() {
			n = 1
			time.Sleep(20 * time.Millisecond)
		}
		batch = batch[:0]
		for i := range n {
			binary.BigEndian.PutUint64(message, uint64(p.sent.Load())+uint64(i))
			batch = p.frame(batch, message)
		}
		p.SetWriteDeadline(time.Now().Add(starved))
		if p.err = p.write(batch); p.err != nil {
			p.err = p.farewell(p.err)
			return
		}
		p.sent.Add(int64(n))
	}
}

// farewell adds what the gateway said last to err.
func (c *client) farewell(err error) error {
	c.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, last := c.recv(); last != nil {
			return fmt.Errorf("%w; then %w", err, last)
		}
	}
}

// inOrder receives n messages of a publisher and checks that each follows the one before.
func (c *client) inOrder(n int) error {
	c.SetReadDeadline(time.Now().Add(starved))
	defer c.SetReadDeadline(time.Time{})
	for i, last := 0, uint64(0); i < n; i++ {
		message, err := c.recv()
		if err != nil {
			return err
		}
		if len(message) < 8 {
			return fmt.Errorf("message %d has %d bytes", i, len(message))
		}
		number := binary.BigEndian.Uint64(message)
		if i > 0 && number != last+1 {
			return fmt.Errorf("number %d follows %d", number, last)
		}
		last = number
	}
	return nil
}

// TestStopped has a member stop reading in each of 500 channels whose publishers send as fast as they can. All of the
// stopped are cut, by name and with a reason; nobody else notices.
func TestStopped(t *testing.T) {
	n := 500
	if testing.Short() {
		t.Parallel()
		n = 100
	}
	d := start(t, options{}, "--memory-limit=512MiB", "--log-level=debug")
	d.trace(t)
	pair := d.honest(t)
	kinds := []transport{v1TCP, v2TLS}
	channel := func(i int) string { return fmt.Sprintf("stopped-%03d", i) }
	d.crowd(t, n, func(i int) (transport, string, string) { return kinds[i&1], fmt.Sprintf("sleeper-%03d", i), channel(i) })
	d.joined(t, n+2)
	publishers := make([]*publisher, n)
	for i, c := range d.crowd(t, n, func(i int) (transport, string, string) { return kinds[i>>1&1], "publisher", channel(i) }) {
		publishers[i] = &publisher{client: c, size: 1024}
	}
	d.joined(t, 2*n+2)
	var running sync.WaitGroup
	for _, p := range publishers {
		running.Go(p.run)
	}

	// A channel whose sleeper is gone needs no flood any more.
	begun := time.Now()
	cut := make(map[string]string)
	for len(cut) < n && time.Since(begun) < starved {
		for _, l := range d.log("subscription cut", "sleeper-") {
			cut[field(l, "uid")] = field(l, "reason")
		}
		for i, p := range publishers {
			p.slow.Store(cut[fmt.Sprintf("sleeper-%03d", i)] != "")
		}
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(begun)
	for i := range n {
		if uid := fmt.Sprintf("sleeper-%03d", i); cut[uid] == "" {
			t.Errorf("%s has not been cut", uid)
		}
	}
	reasons := make(map[string]int)
	for uid, why := range cut {
		reasons[why]++
		if !slices.Contains([]string{"stalled", "over memory", "too slow"}, why) {
			t.Errorf("%s was cut for %q", uid, why)
		}
	}
	if lines := d.log("subscription cut"); len(lines) != n {
		t.Errorf("%d lines say that somebody was cut, want %d", len(lines), n)
	}
	if counted := d.metric(t, "mles_cuts_total"); int(counted) != n {
		t.Errorf("%g cuts counted, want %d", counted, n)
	}

	// Who comes now is served, history and live.
	for i := 0; i < n; i += n / 10 {
		if err := d.member(t, kinds[i/(n/10)&1], "late", channel(i)).inOrder(100); err != nil {
			t.Errorf("a member that joins %s afterwards: %v", channel(i), err)
		}
	}
	var bytes int64
	for _, p := range publishers {
		p.ended.Store(true)
	}
	running.Wait()
	for i, p := range publishers {
		bytes += p.sent.Load() * int64(p.size)
		if p.err != nil {
			t.Errorf("the publisher of %s: %v; logged: %q", channel(i), p.err, d.log("uid=publisher", "channel="+channel(i)))
		}
	}
	report := pair.stop(t)
	d.within(t, memoryLimit)
	t.Logf("%d stopped members: all cut in %s (%v), peak %s of %s, %s published; %s",
		n, took.Round(time.Second), reasons, mib(d.status(t, "VmHWM")), mib(memoryLimit), mib(bytes), report)
}
