package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A town is some gateways in memory that are each other's upstreams, with members
// who count what reaches them.
type town struct {
	testing.TB
	houses map[string]*house
	lines  map[string]*pipeListener // by host and port
	cut    map[string]bool          // houses that nobody can connect to

	mu    sync.Mutex
	heard map[string]map[string]int // by member and message
}

func newTown(t testing.TB) *town {
	return &town{
		TB: t, houses: make(map[string]*house), lines: make(map[string]*pipeListener),
		cut: make(map[string]bool), heard: make(map[string]map[string]int),
	}
}

// build starts a gateway whose upstreams are others, by name.
func (w *town) build(name string, upstreams ...string) *house {
	conf := secret
	for _, up := range upstreams {
		if !strings.Contains(up, "://") {
			up = "v1://" + up
		}
		conf.Upstreams = append(conf.Upstreams, bridge.Upstream{URL: up, UID: "gate-" + name, Dial: w.dial})
	}
	h := newHouse(w, conf)
	h.patience, h.wait = 24*time.Hour, func() { time.Sleep(time.Millisecond) }
	v1, v2 := newPipeListener(), newPipeListener()
	h.serve(func() error { return h.ServeV1(v1) })
	h.serve(func() error { return h.ServeV2(v2) })
	h.callV1, h.callV2 = v1.dial, v2.dial
	w.houses[name], w.lines[name+":8077"], w.lines[name+":80"] = h, v1, v2
	return h
}

func (w *town) dial(_ context.Context, _, hostport string) (net.Conn, error) {
	host, _, _ := strings.Cut(hostport, ":")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut[host] || w.lines[hostport] == nil {
		return nil, errors.New("no such house")
	}
	return from{w.lines[hostport].dial(), "pipe"}, nil
}

// lives has somebody join a house on v1, and count.
func (w *town) lives(uid, name string) *v1client {
	c := w.houses[name].v1Joins(uid, "room", "")
	go func() {
		for {
			f, err := readV1Frame(c.r)
			if err != nil {
				return
			}
			if at := strings.Index(string(f), "gmessage"); at >= 0 {
				w.hears(uid, string(f[at+9:]))
			}
		}
	}()
	return c
}

// livesOnV2 does the same on v2.
func (w *town) livesOnV2(uid, name string) *v2client {
	c := w.houses[name].v2Joins(uid, "room")
	go func() {
		for {
			f, err := readWSFrame(c.r)
			if err != nil {
				return
			}
			if f.op == opPing {
				c.nc.Write(final(opPong, f.data))
			}
			w.hears(uid, f.data)
		}
	}()
	return c
}

func (w *town) hears(uid, message string) {
	if !strings.HasPrefix(message, "#") {
		return // an arrival
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard[uid] == nil {
		w.heard[uid] = make(map[string]int)
	}
	w.heard[uid][message]++
}

// counts compares what each of the members has heard with what all have said:
// never anything twice, and everything of the others unless it was said too early.
// Where circles of several gateways close while people talk (tangled), what is said
// just then may come twice.
func (w *town) counts(said map[string]string, early func(message string) bool, tangled bool, members ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range members {
		for message, by := range said {
			n := w.heard[m][message]
			switch {
			case tangled && early(message):
			case by == m && n > 0:
				w.Errorf("%s hears its own %q %d times", m, message, n)
			case n > 1:
				w.Errorf("%s hears %q %d times", m, message, n)
			case by != m && n == 0 && !early(message):
				w.Errorf("%s does not hear %q", m, message)
			}
		}
	}
}

// up counts the connections to upstreams that are open.
func (w *town) up() (n int) {
	for _, h := range w.houses {
		for _, s := range h.UpstreamStatus() {
			if s.State == "running" && time.Since(s.Since) > 5*time.Second { // a refusal takes 2 s to be seen through a pipe
				n++
			}
		}
	}
	return n
}

// Loops of all kinds: members everywhere talk all the time. Each message reaches
// each of them once, none comes back, and one way fewer is open than there are.
func TestLoops(t *testing.T) {
	for name, edges := range map[string]map[string][]string{
		"itself":                 {"a": {"a"}},
		"each other":             {"a": {"b"}, "b": {"a"}},
		"ring of three":          {"a": {"b"}, "b": {"c"}, "c": {"a"}},
		"ring of five":           {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"e"}, "e": {"a"}},
		"two ways to one":        {"a": {"b", "c"}, "b": {"c"}, "c": nil},
		"v1 and v2 to one":       {"a": {"b", "ws://b"}, "b": nil},
		"itself on v2":           {"a": {"ws://a"}},
		"each other on v2":       {"a": {"ws://b"}, "b": {"ws://a"}},
		"each in its own":        {"a": {"b"}, "b": {"ws://a"}},
		"ring of v2":             {"a": {"ws://b"}, "b": {"ws://c"}, "c": {"ws://a"}},
		"ring of both":           {"a": {"ws://b"}, "b": {"c"}, "c": {"ws://a"}},
		"all to all":             {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}},
		"a ring, the other way":  {"a": {"b", "c"}, "b": nil, "c": {"b"}},
		"no loop: a tree of two": {"a": {"c"}, "b": {"c"}, "c": nil},

		"itself, on v2":                  {"a": {"ws://a"}},
		"itself, on both":                {"a": {"ws://a", "v1://a"}},
		"each other, on v2":              {"a": {"ws://b"}, "b": {"ws://a"}},
		"each other, one on v2":          {"a": {"ws://b"}, "b": {"v1://a"}},
		"two ways to one, v1 first":      {"a": {"v1://b", "ws://b"}, "b": nil},
		"two ways to one, v2 first":      {"a": {"ws://b", "v1://b"}, "b": nil},
		"ring of three on v2":            {"a": {"ws://b"}, "b": {"ws://c"}, "c": {"ws://a"}},
		"ring of three, one way on v2":   {"a": {"ws://b"}, "b": {"c"}, "c": {"a"}},
		"ring of three, two ways on v2":  {"a": {"ws://b"}, "b": {"c"}, "c": {"ws://a"}},
		"all to all on v2":               {"a": {"ws://b", "ws://c"}, "b": {"ws://a", "ws://c"}, "c": {"ws://a", "ws://b"}},
		"no loop: a tree of two on both": {"a": {"ws://c"}, "b": {"c"}, "c": nil},
	} {
		for _, start := range []string{"together", "one by one"} {
			t.Run(name+", "+start, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { talkInLoop(t, edges, start == "together") })
			})
		}
	}
}

func talkInLoop(t *testing.T, edges map[string][]string, together bool) {
	w := newTown(t)
	var members []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if ups, ok := edges[name]; ok {
			w.build(name, ups...)
		}
	}
	say := make(map[string]func(string))
	said := make(map[string]string)
	var mu sync.Mutex
	// speak has everybody there say something n times.
	speak := func(phase string, n int, every time.Duration) {
		for i := range n {
			for _, m := range members {
				message := fmt.Sprintf("#%s %d by %s", phase, i, m)
				mu.Lock()
				said[message] = m
				mu.Unlock()
				say[m](message)
			}
			time.Sleep(every)
		}
	}
	for name := range edges {
		one, two := "v1-"+name, "v2-"+name
		c := w.lives(one, name)
		say[one] = func(s string) { c.says(s) }
		d := w.livesOnV2(two, name)
		say[two] = func(s string) { d.says(blob(s)) }
		members = append(members, one, two)
		if !together {
			time.Sleep(7 * time.Second)
		}
	}
	speak("at once", 20, 50*time.Millisecond)
	time.Sleep(5 * time.Minute)
	early := func(m string) bool { return strings.HasPrefix(m, "#at once") }
	speak("later", 20, 10*time.Second)
	time.Sleep(time.Second)
	onV2 := strings.Contains(fmt.Sprint(edges), "ws://")
	w.counts(said, early, len(edges) > 3 || together && (len(edges["a"]) > 1 || len(edges) > 2 || onV2), members...)
	if open, want := w.up(), len(edges)-1; open != want {
		t.Errorf("%d connections are open between %d gateways, want %d", open, len(edges), want)
	}
	var messages int64
	for _, h := range w.houses {
		messages += h.Stats().UpstreamMessages["up"]
	}
	if most := int64(len(said)*len(edges) + 10_000); messages > most {
		t.Errorf("%d messages went between the gateways for %d that were said", messages, len(said))
	}
}

// The way that was open goes away: the one that was closed because of it opens.
func TestLoopOpensAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.build("c")
		w.build("b", "c")
		w.build("a", "b", "c")
		w.lives("carl", "c")
		w.lives("beth", "b")
		time.Sleep(7 * time.Second) // else b may be the one that finds the loop and closes its way
		alice := w.lives("alice", "a")
		time.Sleep(5 * time.Minute)
		a := w.houses["a"]
		if s := a.UpstreamStatus(); len(s) != 2 || s[0].State != "running" || s[1].State != "refused" || !strings.Contains(s[1].Reason, "come back through v1://b") {
			t.Errorf("%+v", s)
		}
		if lines := a.log.lines("loop", "v1://b", "v1://c"); len(lines) == 0 {
			t.Error("no line of the log names both ways")
		}
		w.mu.Lock()
		w.cut["b"] = true
		w.mu.Unlock()
		w.houses["b"].Close()
		time.Sleep(5 * time.Minute)
		alice.says("#now the other way")
		time.Sleep(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := w.heard["carl"]["#now the other way"]; n != 1 {
			t.Errorf("carl hears it %d times", n)
		}
	})
}

// Somebody joins a ring with a message and leaves at once: the gateways do not keep
// each other's channel alive.
func TestLoopDissolves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.build("a", "b")
		w.build("b", "c")
		w.build("c", "a")
		for i := range 5 {
			alice := w.houses["b"].v1Joins("alice", fmt.Sprint("room ", i), "#hello")
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			alice.nc.Close()
		}
		time.Sleep(5 * time.Minute)
		for name, h := range w.houses {
			if s := h.UpstreamStatus(); len(s) > 0 || h.Stats().Members > 0 {
				t.Errorf("%s is still connected: %+v", name, s)
			}
			if n := h.Stats().UpstreamMessages["up"]; n > 1000 {
				t.Errorf("%s has sent %d messages up", name, n)
			}
		}
	})
}
