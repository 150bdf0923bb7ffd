//go:build interop

package interop

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// startPeer runs the gateway as a peer of the v1 server at url.
func (h *host) startPeer(t *testing.T, key string, c hosts.Certificate, url string, flags ...string) *program {
	t.Helper()
	argv := append([]string{filepath.Join(programs, "mlesd"), "--tls-cert", c.Cert, "--tls-key", c.Key, "--log-level=debug",
		"--upstream", url, "--upstream-uid", "gate"}, flags...)
	p := h.start(t, "mlesd", append(keyEnv(key), "HOME="+t.TempDir()), argv...)
	h.Listening(t, "127.0.0.1:8077")
	h.serving(t, "localhost:8443", c)
	return p
}

// numbered is a frame of c with a number in its key field, as some devices send them.
func (c *v1Client) numbered(n int, message string) []byte {
	f := c.frame(message)
	binary.BigEndian.PutUint64(f[8:], uint64(n))
	return f
}

func (c *v1Client) sendsNumbered(t *testing.T, n int, message string) []byte {
	t.Helper()
	f := c.numbered(n, message)
	if _, err := c.nc.Write(f); err != nil {
		t.Fatalf("%s cannot send: %v", c.uid, err)
	}
	return f
}

// A peerScene is mles 1.1.7 on one host and the gateway as its peer on another, with members on both.
type peerScene struct {
	root, outpost *host
	crt           hosts.Certificate
	key           string
	limit         string // of the root's history
	mles          *program
	gate          *program
	line          *wireCutter

	ann  *v1Client // on the gateway, who gets everything but her own
	seen [][]byte  // by her
	next int       // number in a key field
}

// newPeerScene has rob talk on the root before ann joins the gateway.
func newPeerScene(t *testing.T, key, limit string) *peerScene {
	s := &peerScene{root: newHost(t), outpost: newHost(t), crt: hosts.NewCertificate(t, "localhost"), key: key, limit: limit}
	s.root.Link(t, s.outpost.Host)
	s.startRoot(t)
	s.line = s.outpost.cutter(t, "7077", "10.77.0.1:8077")
	return s
}

func (s *peerScene) startRoot(t *testing.T) {
	t.Helper()
	s.mles = s.root.start(t, "mles 1.1.7", keyEnv(s.key), ref(mles1), "--history-limit="+s.limit)
	s.root.Listening(t, "127.0.0.1:8077")
}

// atRoot joins the root, whose address keys are those of its [::] listener.
func (s *peerScene) atRoot(t *testing.T, uid string) *v1Client {
	t.Helper()
	return s.root.joinV1(t, "127.0.0.1:8077", s.key, uid, "hall", "", mapped)
}

func (s *peerScene) atGate(t *testing.T, uid string) *v1Client {
	t.Helper()
	return s.outpost.joinV1(t, "127.0.0.1:8077", s.key, uid, "hall", "", nil)
}

// says has somebody say something that ann must get once, and in this order.
func (s *peerScene) says(t *testing.T, who *v1Client, message string) {
	t.Helper()
	s.next++
	s.annSees(t, who.sendsNumbered(t, s.next, message))
}

func (s *peerScene) annSees(t *testing.T, frames ...[]byte) {
	t.Helper()
	s.seen = append(s.seen, frames...)
	s.ann.gets(t, s.seen...)
}

// The gateway is a peer of mles 1.1.7, which is killed and started again, and which the line to is cut: nothing is lost or
// doubled for the gateway's members, and the root gets its history back.
func TestUpstreamMles1(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "two houses", "address keys": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPeerScene(t, key, "100")
			rob := s.atRoot(t, "rob")
			before := rob.sendsNumbered(t, 1000, "before")
			url := "v1://127.0.0.1:7077"
			if key == "" {
				url = "v1://10.77.0.1" // an address key is for the connection's own end
			}
			s.gate = s.outpost.startPeer(t, key, s.crt, url)

			s.ann = s.atGate(t, "ann")
			s.annSees(t, rob.frame(""), before)
			s.gate.connected(t, 1)
			hosts.Eventually(t, func() error { return hasBody(rob, v1Body("ann", "hall", "")) })
			vic := s.outpost.joinV2(t, s.crt, key, "vic", "hall")
			hosts.Eventually(t, func() error { return hasBody(rob, v1Body("vic", "hall", "")) })
			joins, _ := rob.received()
			if key != "" && string(joins[0]) != string(s.ann.frame("")) {
				t.Errorf("ann's first frame comes to the root as %q, want %q", joins[0], s.ann.frame(""))
			}
			s.seen = append(s.seen, last(t, s.ann)) // vic's arrival, keyed by an address that the test does not know
			for i := range 20 {
				s.says(t, rob, fmt.Sprint("rob ", i/2))
				s.ann.sendsNumbered(t, 5000+i, "ann")
			}
			vic.send(t, bin("vic up"))
			hosts.Eventually(t, func() error { return hasBody(rob, v1Body("vic", "hall", "vic up")) })
			hosts.Eventually(t, func() error { return hasBody(s.ann, v1Body("vic", "hall", "vic up")) })
			s.seen = append(s.seen, last(t, s.ann))
			rob.counts1(t, "ann", 20)

			// The line is cut, and both sides go on talking.
			times := 1
			if key != "" {
				s.line.cut()
				times++
			}
			s.says(t, rob, "rob, meanwhile")
			s.gate.connected(t, times)
			for range 3 {
				s.says(t, rob, "on")
			}

			// The root is killed, and starts again without a memory.
			s.mles.Kill()
			rob.ends(t)
			for range 3 {
				vic.send(t, bin("away"))
			}
			hosts.Eventually(t, func() error { return countBodies(s.ann, v1Body("vic", "hall", "away"), 3) })
			all, _ := s.ann.received()
			s.seen = append(s.seen, all[len(s.seen):]...)
			s.startRoot(t)
			times++
			s.gate.connected(t, times)
			rob = s.atRoot(t, "rob")
			hosts.Eventually(t, func() error { return hasBody(rob, v1Body("rob", "hall", "rob, meanwhile")) })
			hosts.Eventually(t, func() error { return countBodies(rob, v1Body("vic", "hall", "away"), 3) })
			hosts.Eventually(t, func() error { return countBodies(rob, v1Body("ann", "hall", "ann"), 20) })
			s.annSees(t, rob.frame(""))
			s.says(t, rob, "on")

			// The first joiner leaves, and the root is killed once more.
			beth := s.atGate(t, "beth")
			s.annSees(t, beth.frame(""))
			ann := s.ann
			s.ann = beth
			ann.leave()
			history, _ := beth.received()
			s.seen = append([][]byte(nil), history...)
			s.mles.Kill()
			rob.ends(t)
			s.startRoot(t)
			times++
			s.gate.connected(t, times)
			rob = s.atRoot(t, "rob")
			s.annSees(t, rob.frame(""))
			hosts.Eventually(t, func() error { return countBodies(rob, v1Body("vic", "hall", "away"), 3) })
			s.says(t, rob, "last words")
			beth.send(t, "and mine")
			hosts.Eventually(t, func() error { return countBodies(rob, v1Body("beth", "hall", "and mine"), 1) })
			time.Sleep(time.Second) // nothing to wait for: what comes twice would come now
			s.annSees(t)
			proved(t, "%s: the gateway as peer of mles 1.1.7: a line that is cut and a root that restarts twice, also after the first joiner has left: each message once, in order, on the gateway's side", name)
		})
	}
}

// The histories have scrolled: the root's holds less than what has been said since the line was cut, or than the gateway's.
func TestUpstreamMles1Scrolled(t *testing.T) {
	t.Parallel()
	const key = "two houses"
	s := newPeerScene(t, key, "30")
	rob := s.atRoot(t, "rob")
	s.gate = s.outpost.startPeer(t, key, s.crt, "v1://127.0.0.1:7077", "--history-limit=20")
	s.ann = s.atGate(t, "ann")
	s.annSees(t, rob.frame(""))
	s.gate.connected(t, 1)
	for i := range 60 {
		s.says(t, rob, fmt.Sprint("rob ", i%3))
	}
	for cut := range 3 {
		s.line.cut()
		for range 8 {
			s.next++
			s.seen = append(s.seen, rob.sendsNumbered(t, s.next, "in the dark"))
		}
		s.gate.connected(t, cut+2)
		s.annSees(t)
		for i := range 25 {
			s.says(t, rob, fmt.Sprint("again ", i%2))
		}
	}
	proved(t, "the gateway as peer of mles 1.1.7, histories of 20 and 30 that have scrolled, a line cut three times: nothing lost or doubled")
}

// last is the last frame that c has received.
func last(t *testing.T, c *v1Client) []byte {
	t.Helper()
	all, _ := c.received()
	if len(all) == 0 {
		t.Fatalf("%s has received nothing", c.uid)
	}
	return all[len(all)-1]
}

func hasBody(c *v1Client, body string) error {
	all, end := c.received()
	for _, f := range all {
		if string(f[16:]) == body {
			return nil
		}
	}
	return fmt.Errorf("%s has not received %q (%v), but %q", c.uid, body, end, all)
}

// countBodies says whether c has received a body n times.
func countBodies(c *v1Client, body string, n int) error {
	all, end := c.received()
	got := 0
	for _, f := range all {
		if string(f[16:]) == body {
			got++
		}
	}
	if got != n {
		return fmt.Errorf("%s has received %q %d times, want %d (%v)", c.uid, body, got, n, end)
	}
	return nil
}

// counts1 waits until c has received a message of uid, always the same, n times.
func (c *v1Client) counts1(t *testing.T, uid string, n int) {
	t.Helper()
	hosts.Eventually(t, func() error { return countBodies(c, v1Body(uid, "hall", uid), n) })
}

// mles 1.1.7 is part of a circle of servers: it and the gateway are each other's root, or it stands between two gateways.
// Whatever the order in which members come, each message reaches each of them once, and nothing goes round.
func TestLoopThroughMles1(t *testing.T) {
	t.Parallel()
	for name, ring := range map[string]bool{"each other": false, "ring of three": true} {
		for _, order := range []string{"gate first", "mles first"} {
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				loopThroughMles1(t, ring, order == "mles first")
			})
		}
	}
}

// connect waits until what each member says reaches all others: gateways of a circle
// that dial at a time may close all of its ways, and then open them one by one.
func connect(t *testing.T, members []*v1Client) {
	t.Helper()
	for n := range 60 {
		for _, c := range members {
			c.send(t, fmt.Sprint("call ", n))
		}
		time.Sleep(500 * time.Millisecond)
		heard := true
		for _, c := range members {
			for _, by := range members {
				heard = heard && (by == c || countBodies(c, v1Body(by.uid, "hall", fmt.Sprint("call ", n)), 1) == nil)
			}
		}
		if heard {
			return
		}
	}
	t.Fatal("the members do not hear each other")
}

func loopThroughMles1(t *testing.T, ring, mlesFirst bool) {
	const key = "a circle"
	old, ours := newHost(t), newHost(t)
	old.Link(t, ours.Host)
	gate := func(name, v1, up string) {
		ours.start(t, name, append(keyEnv(key), "HOME="+t.TempDir()), filepath.Join(programs, "mlesd"), "--v1-listen", v1,
			"--v2-listen=off", "--admin-listen=off", "--log-level=debug", "--upstream-uid", "gate-"+name, "--upstream", up)
		ours.Listening(t, v1)
	}
	places := []string{"127.0.0.1:8077"}
	if ring { // one: 10.77.0.2:8077, the root of mles; two: the root of one; mles: the root of two
		gate("one", "0.0.0.0:8077", "v1://127.0.0.1:8177")
		gate("two", "127.0.0.1:8177", "v1://10.77.0.1")
		places = append(places, "127.0.0.1:8177")
	} else {
		gate("one", "0.0.0.0:8077", "v1://10.77.0.1")
	}
	old.startMles1(t, key, "10.77.0.2")

	var members []*v1Client
	join := func(h *host, addr, uid string) {
		members = append(members, h.joinV1(t, addr, key, uid, "hall", "", nil))
		time.Sleep(3 * time.Second) // mles 1.1.7 opens two connections for members who come together
	}
	if mlesFirst {
		join(old, "127.0.0.1:8077", "mia")
	}
	for i, place := range places {
		join(ours, place, fmt.Sprint("member-", i))
	}
	if !mlesFirst {
		join(old, "127.0.0.1:8077", "mia")
	}
	connect(t, members)
	for i := range 20 {
		for _, c := range members {
			c.send(t, fmt.Sprint("number ", i))
		}
		time.Sleep(100 * time.Millisecond)
	}
	check := func() error {
		for _, c := range members {
			for _, by := range members {
				for i := range 20 {
					want := 1
					if by == c {
						want = 0
					}
					if err := countBodies(c, v1Body(by.uid, "hall", fmt.Sprint("number ", i)), want); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	hosts.Eventually(t, check)
	time.Sleep(5 * time.Second) // the ways that are closed are tried again meanwhile
	if err := check(); err != nil {
		t.Error(err)
	}
	for _, c := range members {
		if all, _ := c.received(); len(all) > 400 {
			t.Errorf("%s has received %d frames", c.uid, len(all))
		}
	}
	proved(t, "a circle of servers with mles 1.1.7 in it: each message once, %d members, ring %v", len(members), ring)
}
