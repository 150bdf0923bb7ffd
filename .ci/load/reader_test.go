//go:build load

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStoppedReader floods 100 members of both dialects, of which one stops reading, while a v1 client that never reads
// publishes too. The others go on as before; the stopped one is cut when it is over 64 MiB and 30 s behind; the client
// that never reads loses its subscription in the same way, but not its voice.
func TestStoppedReader(t *testing.T) {
	if testing.Short() {
		t.Parallel()
	}
	const readers = 99
	kinds := []transport{v1TCP, v2Plain, v2TLS}
	d := start(t, options{}, "--memory-limit=2GiB")
	who := func(i int) (transport, string, string) { return kinds[i%3], fmt.Sprintf("reader-%02d", i), "flood" }
	members := d.crowd(t, readers, who)
	flooder := &publisher{client: d.member(t, v1TCP, "flooder", "flood"), size: 1024}
	d.joined(t, readers+1)

	var taken atomic.Int64 // by those who only count
	var heard atomic.Int64 // of the one that never reads, by the checkers
	var failed sync.Map
	var readings, running sync.WaitGroup
	for i, c := range append(members, flooder.client) {
		readings.Go(func() {
			if i < len(kinds) { // one of each kind checks what it gets
				if err := c.checkFlood(&heard); err != nil {
					failed.Store(c.uid, err)
				}
				return
			}
			buf := make([]byte, 256<<10)
			for {
				n, err := c.Read(buf)
				taken.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
	running.Go(flooder.run)
	rate := func(span time.Duration) float64 {
		sent, begun := taken.Load(), time.Now()
		time.Sleep(span)
		return float64(taken.Load()-sent) / time.Since(begun).Seconds()
	}
	time.Sleep(time.Second)
	without := rate(4 * time.Second)
	d.member(t, v2TLS, "sleeper", "flood")
	deaf := &publisher{client: d.member(t, v1TCP, "deaf", "flood"), size: 64}
	deaf.slow.Store(true)
	running.Go(deaf.run)
	with := rate(4 * time.Second)
	flooder.pause.Store(int64(8 * time.Millisecond)) // 4 MB/s: over 64 MiB in 30 s, and within the memory limit

	why := make(map[string]string)
	for deadline := time.Now().Add(2 * starved); len(why) < 2 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		for _, l := range d.log("subscription cut") {
			why[field(l, "uid")] = field(l, "reason")
		}
	}
	for _, uid := range []string{"sleeper", "deaf"} {
		if why[uid] != "too slow" {
			t.Errorf("%s was cut for %q, want too slow", uid, why[uid])
		}
	}
	voice := heard.Load()
	for deadline := time.Now().Add(starved); heard.Load() < voice+300 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	if got := heard.Load() - voice; got < 300 {
		t.Errorf("the client that never reads was heard %d times after it had lost its subscription", got)
	}
	flooder.ended.Store(true)
	deaf.ended.Store(true)
	running.Wait()
	for _, p := range []*publisher{flooder, deaf} {
		if p.err != nil {
			t.Errorf("%s: %v", p.uid, p.err)
		}
	}
	if lines := d.log("subscription cut"); len(lines) != 2 {
		t.Errorf("cut: %q", lines)
	}
	d.exchange(t, "after")
	failed.Range(func(uid, err any) bool {
		t.Errorf("%s: %v", uid, err)
		return true
	})
	closeClients(members)
	flooder.Close()
	readings.Wait()
	d.within(t, 2<<30)
	t.Logf("a stopped reader among 100: the others got %.0f MB/s without it, %.0f with it and a client that never reads: ratio %.2f; cut: %v; peak %s of 2048 MiB",
		without/1e6, with/1e6, with/without, why, mib(d.status(t, "VmHWM")))
}

// checkFlood receives until the connection ends and checks that nothing of the flooder is missing, in the middle or
// changed. Messages of another size are the other's, in order too.
func (c *client) checkFlood(heard *atomic.Int64) error {
	var next [2]uint64
	var begun [2]bool
	for {
		message, err := c.recv()
		if err != nil {
			return nil // closed at the end of the case
		}
		who := 0
		if len(message) == 64 {
			who = 1
			heard.Add(1)
		}
		if len(message) < 64 || bytes.Trim(message[8:], "p") != nil && len(bytes.Trim(message[8:], "p")) > 0 {
			return fmt.Errorf("message of %d bytes % .24x", len(message), message)
		}
		number := binary.BigEndian.Uint64(message)
		if begun[who] && number != next[who] {
			return fmt.Errorf("number %d, want %d", number, next[who])
		}
		begun[who], next[who] = true, number+1
	}
}
