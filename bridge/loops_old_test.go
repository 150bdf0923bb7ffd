package bridge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An oldServer is a v2 server of one channel that keeps hellos as they come, and
// tells of them in its history only, as mles 2.9.4 does.
type oldServer struct {
	mu      sync.Mutex
	history []wsFrame
	members map[net.Conn]chan wsFrame
	passed  int // frames given out
}

// serve takes whoever connects, until l is closed.
func (s *oldServer) serve(l *pipeListener) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		all.Go(func() { s.member(nc) })
	}
}

func (s *oldServer) member(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	io.WriteString(nc, acceptance(request))
	hello, err := readMasked(r)
	if err != nil {
		return
	}
	out := make(chan wsFrame, 1<<16)
	s.mu.Lock()
	for _, f := range s.history {
		out <- f
	}
	s.history = append(s.history, hello)
	s.members[nc] = out
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f := range out {
			if _, err := nc.Write(unmasked(0x80|f.op, f.data)); err != nil {
				return
			}
		}
	}()
	for {
		f, err := readMasked(r)
		if err != nil || f.op == opClose {
			break
		}
		s.mu.Lock()
		s.history = append(s.history, f)
		for other, c := range s.members {
			if other != nc {
				c <- f
				s.passed++
			}
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	delete(s.members, nc)
	s.mu.Unlock()
	close(out)
	nc.Close()
	<-done
}

// Two gateways are clients of the same old server, and one is the other's peer. The
// server does not tell them of each other as they come, but each finds the other in
// its history and tells it on: nothing goes round.
func TestLoopThroughOldServer(t *testing.T) {
	for name, edges := range map[string][2][]string{
		"the old one first": {{"ws://old", "v1://b"}, {"ws://old"}},
		"the peer first":    {{"v1://b", "ws://old"}, {"ws://old"}},
		"peers on v2":       {{"ws://b", "ws://old"}, {"ws://old"}},
		"each of both":      {{"ws://old", "v1://b"}, {"v1://a", "ws://old"}},
	} {
		for _, later := range []time.Duration{0, 7 * time.Second} {
			t.Run(fmt.Sprint(name, ", ", later), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { talkThroughOldServer(t, edges, later) })
			})
		}
	}
}

func talkThroughOldServer(t *testing.T, edges [2][]string, later time.Duration) {
	w := newTown(t)
	old, l := &oldServer{members: make(map[net.Conn]chan wsFrame)}, newPipeListener()
	done := make(chan struct{})
	go func() { defer close(done); old.serve(l) }()
	t.Cleanup(func() { l.Close(); <-done })
	w.lines["old:80"] = l
	w.build("b", edges[1]...)
	w.build("a", edges[0]...)

	carl := w.houses["a"].v2On(l.dial())
	carl.nc.SetDeadline(time.Time{})
	carl.join("carl", "room")
	go func() {
		for {
			f, err := readWSFrame(carl.r)
			if err != nil {
				return
			}
			w.hears("carl", f.data)
		}
	}()
	t.Cleanup(func() { carl.nc.Close() })
	alice := w.lives("alice", "a")
	time.Sleep(later)
	bob := w.livesOnV2("bob", "b")
	said := make(map[string]string)
	for i := range 30 {
		for _, by := range []string{"alice", "bob", "carl"} {
			m := fmt.Sprintf("#%d by %s", i, by)
			said[m] = by
			switch by {
			case "alice":
				alice.says(m)
			case "bob":
				bob.says(blob(m))
			case "carl":
				carl.says(blob(m))
			}
		}
		time.Sleep(11 * time.Second)
	}
	time.Sleep(time.Minute)
	first := func(m string) bool { return strings.HasPrefix(m, "#0 ") && later == 0 } // as the circle closes
	if len(edges[0]) > 1 && len(edges[1]) > 1 {
		first = func(string) bool { return true } // each way is closed and opened by turns, and what is said then may be missed
	}
	w.counts(said, first, true, "alice", "bob", "carl")
	old.mu.Lock()
	defer old.mu.Unlock()
	if old.passed > 10*len(said) {
		t.Errorf("the old server gave out %d frames for %d messages", old.passed, len(said))
	}
	for _, f := range old.history {
		if strings.Contains(f.data, `"gate-a"`) && len(edges[0]) > 1 {
			t.Errorf("a name that may be in old histories: %s", f.data)
		}
	}
}
