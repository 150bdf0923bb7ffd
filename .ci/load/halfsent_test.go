//go:build load

package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestHalfSent has 5,000 clients announce a frame of 16 MiB, send 1 to 8 MiB of it as far as the gateway reads them, and
// then nothing: v1 before and after the join, v2 in fragments, over TLS and without. Others trickle. Memory stays within
// its limit, nobody else notices, and when they are gone nothing of them is left.
func TestHalfSent(t *testing.T) {
	n, tricklers, lasts := 5000, 200, 40*time.Second
	if testing.Short() {
		n, tricklers, lasts = 1200, 40, 12*time.Second
	}
	d := start(t, options{}, "--memory-limit=512MiB")
	d.trace(t)
	pair := d.honest(t)
	d.joined(t, 2)
	held := d.metric(t, "mles_memory_bytes")
	kinds := []transport{v1TCP, v1TCP, v2TLS, v2Plain}
	clients := make([]*client, n+tricklers)
	err := each(len(clients), 64, func(i int) (err error) {
		if i < n && i%len(kinds) == 0 { // its first frame is the half-sent one
			nc, err := d.dial(smallDialer, v1TCP)
			clients[i] = &client{Conn: nc, tr: v1TCP}
			return err
		}
		clients[i], err = d.join(smallDialer, kinds[i%len(kinds)], fmt.Sprintf("half-%04d", i), fmt.Sprintf("half-%02d", i%50), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClients(clients) })

	var sent, complete, trickling atomic.Int64
	ended := make(chan struct{})
	var running sync.WaitGroup
	for i, c := range clients[:n] {
		running.Go(func() {
			k, err := c.half((1+i%8)<<20, i)
			sent.Add(int64(k))
			if err == nil {
				complete.Add(1)
			}
		})
	}
	trickling.Store(int64(tricklers))
	for _, c := range clients[n:] {
		running.Go(func() {
			if c.trickle(ended) {
				trickling.Add(-1)
			}
		})
	}
	time.Sleep(lasts)
	atWork := settles(t, "the number of trickling senders", 0, starved, func() float64 { return float64(trickling.Load()) })
	close(ended)
	for _, c := range clients {
		c.SetDeadline(time.Now())
	}
	running.Wait()
	d.exchange(t, "during")
	open := d.metric(t, "mles_connections")
	closeClients(clients)
	settles(t, "the number of connections", 2, starved, func() float64 { return d.metric(t, "mles_connections") })
	settles(t, "the counted memory", held+1<<20, starved, func() float64 { return d.metric(t, "mles_memory_bytes") })
	d.exchange(t, "after")
	report := pair.stop(t)
	d.within(t, memoryLimit)
	t.Logf("%d half-sent frames: %s taken, %d to the end, %g connections left open, %g of %d trickling; peak %s of %s, %d goroutines at the end; %s",
		n, mib(sent.Load()), complete.Load(), open-2, atWork, tricklers, mib(d.status(t, "VmHWM")), mib(memoryLimit), int(d.metric(t, "go_goroutines")), report)
}

// half announces the largest frame and sends n bytes of it.
func (c *client) half(n, seed int) (sent int, err error) {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	head := make([]byte, 16)
	v1Header(head, 0xffffff, v1Key(sharedKey, "", ""))
	if c.tr.v2() {
		head = wsHead(nil, opBinary, 0xff0000) // the first fragment of more
	}
	if _, err := c.Write(head); err != nil {
		return 0, err
	}
	chunk := make([]byte, 32<<10)
	for i := range chunk {
		chunk[i] = byte(random.Uint32())
	}
	for sent < n {
		k, err := c.Write(chunk)
		sent += k
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// trickle sends a begun frame byte by byte and says whether the gateway ended that.
func (c *client) trickle(ended <-chan struct{}) bool {
	head := make([]byte, 16)
	v1Header(head, 1000, c.key)
	if c.tr.v2() {
		head = wsHead(nil, final|opBinary, 1000)
	}
	for i := 0; ; i++ {
		c.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
		if _, err := c.Read(make([]byte, 4096)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return true
		}
		select {
		case <-ended:
			return false
		default:
		}
		b := []byte{'x'}
		if i < len(head) {
			b = head[i : i+1]
		}
		c.SetWriteDeadline(time.Now().Add(starved))
		if _, err := c.Write(b); err != nil {
			return true
		}
	}
}
