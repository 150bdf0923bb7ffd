//go:build load

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// starved is when an honest client has waited too long: nothing is measured by it, it only ends a case that would hang.
const starved = 90 * time.Second

// pair is alice on v1 and bob on v2 over TLS, in a channel of their own, who take turns: each waits for what the other
// said, compares every byte, and answers.
type pair struct {
	alice, bob *client
	stopped    chan struct{}
	done       chan error
	rounds     atomic.Int64
	worst      atomic.Int64 // longest round, ns
}

// honest has a pair talk until stop is called.
func (d *daemon) honest(t *testing.T) *pair {
	t.Helper()
	p := &pair{
		alice:   d.member(t, v1TCP, "alice", "honest"),
		bob:     d.member(t, v2TLS, "bob", "honest"),
		stopped: make(chan struct{}),
		done:    make(chan error, 1),
	}
	go p.talk()
	return p
}

// said is what is said in a round, by both.
func said(round int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(round))
	return append(b, bytes.Repeat([]byte{byte(round), byte(round >> 8), 'x'}, round*7%300)...)
}

func (p *pair) talk() {
	for round := 0; ; round++ {
		select {
		case <-p.stopped:
			p.done <- nil
			return
		default:
		}
		begun := time.Now()
		for _, turn := range [2][2]*client{{p.alice, p.bob}, {p.bob, p.alice}} {
			if err := pass(turn[0], turn[1], said(round), round == 0); err != nil {
				p.done <- fmt.Errorf("round %d, %s to %s: %w", round, turn[0].uid, turn[1].uid, err)
				return
			}
		}
		p.worst.Store(max(p.worst.Load(), int64(time.Since(begun))))
		p.rounds.Add(1)
		time.Sleep(2 * time.Millisecond)
	}
}

// pass has one send and the other receive exactly that. At first the other may not have joined yet, and gets it from
// the history.
func pass(from, to *client, message []byte, first bool) error {
	from.SetDeadline(time.Now().Add(starved))
	to.SetDeadline(time.Now().Add(starved))
	if err := from.send(message); err != nil {
		return err
	}
	got, err := to.recv()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, message) {
		return fmt.Errorf("received %d bytes % .24x, want %d bytes % .24x", len(got), got, len(message), message)
	}
	return nil
}

// stop ends the talk after a whole round and returns a report.
func (p *pair) stop(t *testing.T) string {
	t.Helper()
	close(p.stopped)
	if err := <-p.done; err != nil {
		t.Errorf("the honest pair: %v", err)
	}
	rounds := p.rounds.Load()
	if rounds < 20 {
		t.Errorf("the honest pair exchanged %d rounds only", rounds)
	}
	return fmt.Sprintf("honest pair: %d rounds, slowest %s", rounds, time.Duration(p.worst.Load()).Round(time.Millisecond))
}

// exchange checks that two new members of both dialects understand each other at this moment.
func (d *daemon) exchange(t *testing.T, channel string) {
	t.Helper()
	carol := d.member(t, v1TCP, "carol", channel)
	dave := d.member(t, v2TLS, "dave", channel)
	for round := range 20 {
		for _, turn := range [2][2]*client{{dave, carol}, {carol, dave}} {
			if err := pass(turn[0], turn[1], said(round), false); err != nil {
				t.Errorf("%s to %s in %s: %v", turn[0].uid, turn[1].uid, channel, err)
				return
			}
		}
	}
	carol.Close()
	dave.Close()
}
