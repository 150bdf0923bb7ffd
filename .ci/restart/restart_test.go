//go:build restart

package restart

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	channels = 10
	rate     = 400 // messages a second that all of them say together
	sleepers = 7   // every seventh client is away when the gateway ends
	// longest is what nobody may wait for, from the end of a connection to the first message after it.
	longest = 5 * time.Second
	// respawn is how long systemd waits after a crash: RestartSec= of deploy/systemd/mlesd.service.
	respawn = 2 * time.Second
	// saving is --history-save here: what was said so long before a hard kill, and a moment for saving it, may be lost.
	saving = time.Second
	moment = time.Second
)

// An end is a way in which a gateway ends.
type end struct {
	name   string
	signal syscall.Signal
	passes bool // the sockets are systemd's
}

// A gateway is restarted under load, softly and hard, with sockets that survive and without. A third of the clients each speaks v1, v2
// over TLS and v1 over WebSocket, on channels with all of them. Some are away for the last seconds of each gateway. What any of them has got from another, all of that
// channel have got in the end.
func TestRestartUnderLoad(t *testing.T) {
	for _, e := range []end{
		{"SIGTERM", syscall.SIGTERM, false}, {"SIGTERM, sockets passed", syscall.SIGTERM, true},
		{"SIGKILL", syscall.SIGKILL, false}, {"SIGKILL, sockets passed", syscall.SIGKILL, true},
	} {
		t.Run(e.name, func(t *testing.T) { restartUnderLoad(t, e) })
	}
}

func restartUnderLoad(t *testing.T, e end) {
	members, restarts := 400, 3
	if testing.Short() {
		members, restarts = 200, 1
	}
	g := newGateway(t, e.passes, "--v1-websocket", "--history-save="+saving.String())
	g.start()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var silence atomic.Bool
	var crowd []*client
	var running sync.WaitGroup
	for n := range members {
		c := newClient(g, n, time.Duration(members)*time.Second/rate, &silence)
		crowd = append(crowd, c)
		running.Go(func() { c.run(ctx) })
	}
	g.await(crowd, 0)
	var killed []time.Time
	for n := 1; n <= restarts; n++ {
		time.Sleep(saving)
		for i := n; i < len(crowd); i += sleepers {
			crowd[i].leave()
		}
		time.Sleep(2*saving + moment)
		killed = append(killed, time.Now())
		g.end(e.signal)
		t.Logf("ended after %s", time.Since(killed[n-1]).Round(time.Millisecond))
		if e.signal == syscall.SIGKILL {
			time.Sleep(respawn)
		}
		g.start()
		for _, c := range crowd {
			c.comeBack()
		}
		g.await(crowd, n)
	}
	time.Sleep(time.Second)
	silence.Store(true)
	time.Sleep(time.Second) // what is under way arrives
	stop()
	running.Wait()
	g.end(syscall.SIGTERM)
	g.check()

	hard := killed
	if e.signal != syscall.SIGKILL {
		hard = nil
	}
	judge(t, crowd, hard)
	if t.Failed() {
		t.Logf("log:\n%s", g.tail())
	}
}

// await waits until everybody is back for the n-th time and has heard something.
func (g *gateway) await(crowd []*client, n int) {
	t := g.t
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		away := slices.IndexFunc(crowd, func(c *client) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.backs <= n
		})
		if away < 0 {
			return
		}
		select {
		case <-g.exited:
			t.Fatalf("mlesd has ended:\n%s", g.tail())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not back after restart %d:\n%s", crowd[away].uid, n, strings.Join(crowd[away].wants, "\n"))
		}
	}
}

// judge holds what everybody has got against what anybody has. What was first got within the time that may be lost before a hard
// kill, by those who got it at all, is excused.
func judge(t *testing.T, crowd []*client, killed []time.Time) {
	t.Helper()
	var waits []time.Duration
	for _, c := range crowd {
		waits = append(waits, c.waits...)
		for i, line := range c.disorder {
			if i < 3 {
				t.Errorf("%s: out of order: %s", c.uid, line)
			}
		}
	}
	said, missing, excused := 0, 0, 0
	for n := range channels {
		channel := fmt.Sprintf("room%d", n)
		first := make(map[string]time.Time)
		var members []*client
		for _, c := range crowd {
			if c.channel != channel {
				continue
			}
			members = append(members, c)
			for message, at := range c.got {
				if known, ok := first[message]; !ok || at.Before(known) {
					first[message] = at
				}
			}
		}
		said += len(first)
		for message, at := range first {
			sender, _, _ := strings.Cut(message, "/")
			lost := slices.ContainsFunc(killed, func(k time.Time) bool { return at.Before(k.Add(moment)) && at.After(k.Add(-saving-moment)) })
			for _, c := range members {
				if _, ok := c.got[message]; ok || c.uid == sender {
					continue
				}
				if lost {
					excused++
					continue
				}
				if missing++; missing <= 5 {
					t.Errorf("%s has never got %s, which somebody got at %s", c.uid, message, at.Format("05.000"))
				}
			}
		}
	}
	slices.Sort(waits)
	worst := waits[len(waits)-1]
	t.Logf("%d members, %d messages, %d deliveries missing, %d excused; %d waits: half %s, longest %s",
		len(crowd), said, missing, excused, len(waits), waits[len(waits)/2].Round(time.Millisecond), worst.Round(time.Millisecond))
	for _, c := range crowd {
		if len(c.waits) > 0 && slices.Max(c.waits) == worst && worst > longest {
			t.Errorf("%s waited for %s:\n%s", c.uid, worst.Round(time.Millisecond), strings.Join(c.why, "\n"))
		}
	}
}
