//go:build restart

package restart

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mles/v1"
	"mles/v2"
)

// A link is a joined connection of either dialect.
type link interface {
	send(message string) error
	recv() (message string, err error) // "" for what says nothing
	close()
}

type v1Link struct{ c *v1.ClientConn }

func (l v1Link) send(m string) error { return l.c.Send([]byte(m)) }
func (l v1Link) recv() (string, error) {
	m, err := l.c.Recv()
	return string(m.Message), err
}
func (l v1Link) close() { l.c.Close() }

type v2Link struct{ c *v2.ClientConn }

func (l v2Link) send(m string) error { return l.c.Send(v2.OpBinary, []byte(m)) }
func (l v2Link) recv() (string, error) {
	op, m, err := l.c.Recv()
	if op != v2.OpBinary {
		return "", err
	}
	return string(m), err
}
func (l v2Link) close() { l.c.Close(v2.CloseNormal, "") }

// v1wsLink is v1 over WebSocket.
type v1wsLink struct {
	c            *v2.ClientConn
	uid, channel string
}

func (l v1wsLink) send(m string) error {
	return l.c.Send(v2.OpBinary, v1.Msg{UID: l.uid, Channel: l.channel, Message: []byte(m)}.Append(nil))
}

func (l v1wsLink) recv() (string, error) {
	_, body, err := l.c.Recv()
	if err != nil {
		return "", err
	}
	var m v1.View
	err = m.Decode(body)
	return string(m.Message), err
}

func (l v1wsLink) close() { l.c.Close(v2.CloseNormal, "") }

// A client is a member that talks all the time and comes back whenever its connection ends.
type client struct {
	uid, channel string
	dial         func(ctx context.Context, uid, channel string) (link, error)
	pause        time.Duration // between what it says
	silence      *atomic.Bool  // nothing more is to be said

	mu       sync.Mutex
	got      map[string]time.Time // what it was told, when first
	last     map[string]int       // by sender: the highest number
	disorder []string
	waits    []time.Duration // from each loss to the first message after it
	backs    int             // how often it has come back
	current  link            // nil: none
	away     bool            // it has gone by itself
	wants    []string        // why it had to wait, lately
	why      []string        // the same, of the longest wait
}

func newClient(g *gateway, n int, pause time.Duration, silence *atomic.Bool) *client {
	c := &client{
		uid: fmt.Sprintf("c%d", n), channel: fmt.Sprintf("room%d", n/3%channels), pause: pause, silence: silence,
		got: make(map[string]time.Time), last: make(map[string]int),
	}
	conf := &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}}
	switch n % 3 {
	case 0:
		c.dial = func(ctx context.Context, uid, channel string) (link, error) {
			conn, err := (&v1.Dialer{Key: sharedKey}).Dial(ctx, g.v1, uid, channel, nil)
			return v1Link{conn}, err
		}
	case 1:
		c.dial = func(ctx context.Context, uid, channel string) (link, error) {
			conn, err := (&v2.Dialer{Key: sharedKey, TLS: conf}).Dial(ctx, "wss://"+g.v2, uid, channel)
			return v2Link{conn}, err
		}
	case 2:
		c.dial = func(ctx context.Context, uid, channel string) (link, error) {
			conn, err := (&v2.Dialer{TLS: conf}).DialWithoutHello(ctx, "wss://"+g.v2)
			l := v1wsLink{conn, uid, channel}
			if err == nil {
				err = l.send("")
			}
			return l, err
		}
	}
	return c
}

// run keeps it on the channel until ctx ends.
func (c *client) run(ctx context.Context) {
	next, lost := 0, time.Time{}
	for failures := 0; ctx.Err() == nil; {
		if c.isAway() {
			lost, failures = time.Time{}, 0
			sleep(ctx, 10*time.Millisecond)
			continue
		}
		dialing, cancel := context.WithTimeout(ctx, 10*time.Second)
		l, err := c.dial(dialing, c.uid, c.channel)
		cancel()
		if err == nil {
			if c.live(ctx, l, &next, lost) {
				lost, failures = time.Now(), 0
			}
		} else {
			c.excuse(err)
		}
		sleep(ctx, pauseAfter(failures))
		failures++
	}
}

// leave has it go, and come back only when it is told to.
func (c *client) leave() {
	c.mu.Lock()
	c.away = true
	l := c.current
	c.mu.Unlock()
	if l != nil {
		l.close()
	}
}

func (c *client) comeBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = false
}

func (c *client) isAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// holds notes the link that it has, and says whether it may keep it.
func (c *client) holds(l link) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = l
	if l != nil {
		c.wants = append(c.wants, now()+"connected")
	}
	return !c.away
}

// pauseAfter is how long a client waits before it connects again, when so many attempts have failed: as docs/operations.md
// tells it.
func pauseAfter(failures int) time.Duration {
	d := time.Second
	switch {
	case failures == 0:
		return rand.N(time.Second)
	case failures > 10:
		d = min(time.Second<<(failures-10), 30*time.Second)
	}
	return d*7/10 + rand.N(d*6/10)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// live talks and listens until the connection ends, and says whether anything was heard. lost is when the connection before ended;
// zero: there was none.
func (c *client) live(ctx context.Context, l link, next *int, lost time.Time) (heard bool) {
	if !c.holds(l) {
		l.close()
		return false
	}
	defer c.holds(nil)
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	over := make(chan struct{})
	var talking sync.WaitGroup
	talking.Go(func() {
		tick := time.NewTicker(c.pause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-over:
				return
			}
			if c.silence.Load() {
				continue
			}
			if l.send(c.uid+"/"+strconv.Itoa(*next)) != nil {
				return
			}
			*next++
		}
	})
	for {
		message, err := l.recv()
		if err != nil {
			c.excuse(err)
			break
		}
		if message != "" {
			if !heard {
				c.isBack(lost)
			}
			heard = true
			c.hears(message)
		}
	}
	l.close()
	close(over)
	talking.Wait()
	return heard
}

// isBack notes the first message of a connection.
func (c *client) isBack(lost time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backs++
	if lost.IsZero() || c.away {
		return
	}
	wait := time.Since(lost)
	if len(c.waits) == 0 || wait > slices.Max(c.waits) {
		c.why = append(slices.Clone(c.wants), now()+"joined")
	}
	c.waits = append(c.waits, wait)
}

// excuse notes why it is not on the channel.
func (c *client) excuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wants = append(c.wants, now()+err.Error()); len(c.wants) > 12 {
		c.wants = c.wants[1:]
	}
}

func now() string { return time.Now().Format("05.000 ") }

// hears notes a message. What it has got already comes again with each replay.
func (c *client) hears(message string) {
	sender, number, ok := strings.Cut(message, "/")
	n, err := strconv.Atoi(number)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ok || err != nil {
		c.disorder = append(c.disorder, fmt.Sprintf("garbled: %q", message))
		return
	}
	if _, again := c.got[message]; again {
		return
	}
	c.got[message] = time.Now()
	if last, any := c.last[sender]; any && n < last {
		c.disorder = append(c.disorder, fmt.Sprintf("%s after %d", message, last))
		return
	}
	c.last[sender] = n
}
