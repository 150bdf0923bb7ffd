//go:build interop

package interop

import (
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mles/.ci/hosts"
)

// Alice's phone changes networks: what is left of her first connection is found out when she joins again from another
// host, in v1 by TCP alone. As long as the first is alive, whoever else says to be her is refused.
func TestDeadTwinV1(t *testing.T) {
	t.Parallel()
	const key, addr = "twin key", "10.77.0.1:8077"
	home, east, west, crt := newHost(t), newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	cables := home.bridge(t, east, west)
	gateway := home.startGateway(t, key, crt)
	claim := func(h *host) *v1Client { return h.joinV1(t, addr, key, "alice", "hall", "", nil) }
	join := func(uid string) []byte { return v1Frame(key, uid, "hall", "") }
	said := func(uid, message string) []byte { return v1Frame(key, uid, "hall", message) }

	wendy := home.joinV1(t, "127.0.0.1:8077", key, "wendy", "hall", "", nil)
	gateway.hasIn(t, wendy)
	first := claim(east)
	joined := time.Now()
	wendy.gets(t, join("alice"))
	first.gets(t, join("wendy"))

	begun := time.Now()
	second := claim(west)
	second.isRefused(t)
	between(t, "refusal beside a living twin", begun, 0, 2900*time.Millisecond)
	gateway.refuses(t, second.nc, `"cid taken: `, first.nc, joined)
	first.send(t, "alice lives")
	wendy.gets(t, join("alice"), said("alice", "alice lives"))

	// Nothing is on the way to Quinn's first connection, so TCP probes it; what is on the way to Alice's, TCP sends again
	// instead.
	quiet := east.joinV1(t, addr, key, "quinn", "garden", "", nil)
	gateway.hasIn(t, quiet)
	gina := home.joinV1(t, "127.0.0.1:8077", key, "gina", "garden", "", nil)
	quiet.gets(t, v1Frame(key, "gina", "garden", ""))
	time.Sleep(100 * time.Millisecond) // until that is acknowledged
	cables[0].unplug(t)
	wendy.send(t, "into the void")
	begun = time.Now()
	heir, quick := claim(west), west.joinV1(t, addr, key, "quinn", "garden", "", nil)
	time.Sleep(time.Second)
	asked := time.Now()
	third := claim(west)
	third.isRefused(t)
	between(t, "refusal of a third", asked, 0, 1500*time.Millisecond)
	gateway.refuses(t, third.nc, `"cid taken: `, first.nc, joined)
	history := [][]byte{join("wendy"), join("alice"), said("alice", "alice lives"), said("wendy", "into the void")}
	heir.gets(t, history...)
	between(t, "taking a dead twin's place", begun, 2500*time.Millisecond, 4500*time.Millisecond)
	taken := time.Now()
	quick.gets(t, v1Frame(key, "quinn", "garden", ""), v1Frame(key, "gina", "garden", ""))
	between(t, "taking a silent dead twin's place", begun, 2500*time.Millisecond, 4500*time.Millisecond)
	wendy.gets(t, join("alice"), said("alice", "alice lives"), join("alice"))
	gateway.logs(t, "subscription cut", "client="+local(first.nc)+" ", "reason=replaced")
	wendy.send(t, "to the heir")
	heir.send(t, "from the heir")
	wendy.gets(t, join("alice"), said("alice", "alice lives"), join("alice"), said("alice", "from the heir"))

	// What was on its way may still arrive, but no more.
	cables[0].plug(t)
	for _, twin := range []*v1Client{first, quiet} {
		if end := twin.ends(t); end != io.EOF && !errors.Is(end, syscall.ECONNRESET) {
			t.Errorf("%s, the dead twin, back again: %v", twin.uid, end)
		}
	}
	quiet.gets(t, v1Frame(key, "gina", "garden", ""))
	if got, _ := first.received(); len(got) < 2 {
		first.gets(t, join("wendy"))
	} else {
		first.gets(t, join("wendy"), said("wendy", "into the void"))
	}
	again := claim(east)
	again.isRefused(t)
	gateway.refuses(t, again.nc, `"cid taken: `, heir.nc, taken)

	wendy.send(t, "that is all")
	heir.send(t, "that is all")
	heir.gets(t, append(history, said("wendy", "to the heir"), said("wendy", "that is all"))...)
	wendy.gets(t, join("alice"), said("alice", "alice lives"), join("alice"), said("alice", "from the heir"), said("alice", "that is all"))
	quick.send(t, "that is all")
	gina.gets(t, v1Frame(key, "quinn", "garden", ""), v1Frame(key, "quinn", "garden", ""), v1Frame(key, "quinn", "garden", "that is all"))
	proved(t, "a v1 twin that lives keeps its CID, one whose network has gone loses it after 3 s of probes, and is closed when it returns")
}

// The same in v2, by pings and with close codes.
func TestDeadTwinV2(t *testing.T) {
	t.Parallel()
	const key, url, taken = "twin key", "wss://10.77.0.1:8443/", "already joined"
	home, east, west, crt := newHost(t), newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	cables := home.bridge(t, east, west)
	gateway := home.startGateway(t, key, crt, "--v2-listen=[::]:8443")
	claim := func(h *host, channel string) *wsClient { return h.claimV2(t, url, crt, key, "alice", channel) }

	wendy := home.joinV2(t, crt, key, "wendy", "hall")
	first := claim(east, "hall")
	first.isIn(t)
	joined := time.Now()
	first.gets(t, noticeOf("wendy", "hall"))

	begun := time.Now()
	second := claim(west, "hall")
	second.isRefused(t, taken)
	between(t, "refusal beside a living twin", begun, 0, 2*time.Second)
	gateway.refuses(t, second.ws.NetConn(), `"already joined: `, first.ws.NetConn(), joined)
	first.send(t, text("alice lives"))
	wendy.gets(t, text("alice lives"))

	// A twin on a slow line.
	slow := claim(east, "garden")
	slow.isIn(t)
	slow.slowness.Store(int64(time.Second))
	begun = time.Now()
	hasty := claim(west, "garden")
	hasty.isRefused(t, taken)
	between(t, "refusal beside a slow twin", begun, time.Second, 2900*time.Millisecond)
	gina := home.joinV2(t, crt, key, "gina", "garden")
	slow.send(t, bin("slow, but here"))
	gina.gets(t, noticeOf("alice", "garden"), bin("slow, but here"))
	gina.send(t, text("take your time"))
	slow.gets(t, text("take your time"))

	cables[0].unplug(t)
	wendy.send(t, bin("into the void"))
	begun = time.Now()
	heir := claim(west, "hall")
	time.Sleep(time.Second)
	asked := time.Now()
	third := claim(west, "hall")
	third.isRefused(t, taken)
	between(t, "refusal of a third", asked, 0, 1500*time.Millisecond)
	gateway.refuses(t, third.ws.NetConn(), `"already joined: `, first.ws.NetConn(), joined)
	heir.isIn(t)
	between(t, "taking a dead twin's place", begun, 2500*time.Millisecond, 4500*time.Millisecond)
	inherited := time.Now()
	history := []wsMessage{noticeOf("wendy", "hall"), noticeOf("alice", "hall"), text("alice lives"), bin("into the void")}
	heir.gets(t, history...)
	gateway.logs(t, "subscription cut", "client="+local(first.ws.NetConn())+" ", "reason=replaced")
	wendy.send(t, text("to the heir"))
	heir.send(t, bin("from the heir"))
	wendy.gets(t, text("alice lives"), bin("from the heir"))

	cables[0].plug(t)
	end := first.ends(t)
	var closed *websocket.CloseError
	if replaced := errors.As(end, &closed) && closed.Code == 1008 && closed.Text == "replaced"; !replaced && !errors.Is(end, syscall.ECONNRESET) {
		t.Errorf("the dead twin, back again: %v", end)
	}
	if got, _ := first.received(); len(got) < 2 {
		first.gets(t, noticeOf("wendy", "hall"))
	} else {
		first.gets(t, noticeOf("wendy", "hall"), bin("into the void"))
	}
	again := claim(east, "hall")
	again.isRefused(t, taken)
	gateway.refuses(t, again.ws.NetConn(), `"already joined: `, heir.ws.NetConn(), inherited)

	wendy.send(t, text("that is all"))
	heir.send(t, text("that is all"))
	heir.gets(t, append(history, text("to the heir"), text("that is all"))...)
	wendy.gets(t, text("alice lives"), bin("from the heir"), text("that is all"))
	proved(t, "a v2 twin that lives keeps its place, also on a slow line, one whose network has gone loses it after 3 s without a pong, and is told when it returns (%v)", end)
}

// The first member of a peer leaves it and comes to the gateway itself. mles 1.1.7 still holds its CID there, and whoever
// runs the gateway finds in the log what to do.
func TestPeerHoldsCID(t *testing.T) {
	t.Parallel()
	const key = "two houses"
	root, outpost, crt := newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	root.Link(t, outpost.Host)
	gateway := root.startGateway(t, key, crt)
	peer := outpost.startMles1(t, key, "10.77.0.1")
	join := func(uid string) []byte { return v1Frame(key, uid, "hall", "") }

	rob := root.joinV1(t, "127.0.0.1:8077", key, "rob", "hall", "", nil)
	gateway.hasIn(t, rob)
	pat := outpost.joinV1(t, "127.0.0.1:8077", key, "pat", "hall", "", nil)
	rob.gets(t, join("pat"))

	// As long as nobody else has spoken there, the gateway cannot know that it is a peer, and says what to do if it is.
	lone := outpost.joinV1(t, "127.0.0.1:8077", key, "lone", "attic", "", nil)
	gateway.logs(t, "msg=joined", " uid=lone ")
	lone.leave()
	moved := root.joinV1(t, "127.0.0.1:8077", key, "lone", "attic", "", nil)
	moved.isRefused(t)
	gateway.logs(t, "msg=refused", "client="+local(moved.nc)+" ", "cid taken: held for ", " by 10.77.0.2:", "if that is a peer server", "restart that peer")

	paul := outpost.joinV1(t, "127.0.0.1:8077", key, "paul", "hall", "", nil)
	rob.gets(t, join("pat"), join("paul"))
	pat.leave()

	moved = outpost.joinV1(t, "10.77.0.1:8077", key, "pat", "hall", "", nil)
	moved.isRefused(t)
	line := gateway.logs(t, "msg=refused", "client="+local(moved.nc)+" ", "cid taken: held for ", " by 10.77.0.2:")
	if !strings.Contains(line, "is a peer server") || !strings.Contains(line, "restart that peer") {
		t.Errorf("the log does not say that a peer holds the CID and must be restarted: %s", line)
	}

	paul.leave()
	peer.Kill()
	outpost.startMles1(t, key, "10.77.0.1")
	moved = outpost.joinV1(t, "10.77.0.1:8077", key, "pat", "hall", "here I am", nil)
	moved.gets(t, join("rob"), join("pat"), join("paul"))
	rob.send(t, "that is all")
	moved.send(t, "that is all")
	moved.gets(t, join("rob"), join("pat"), join("paul"), v1Frame(key, "rob", "hall", "that is all"))
	rob.gets(t, join("pat"), join("paul"), v1Frame(key, "pat", "hall", "here I am"), v1Frame(key, "pat", "hall", "that is all"))
	proved(t, "mles 1.1.7 as a peer keeps its first member's CID: the log of the refusal says to restart it, and that helps")
}

// isRefused waits until the server has closed the connection in order and without a word.
func (c *v1Client) isRefused(t *testing.T) {
	t.Helper()
	end := c.ends(t)
	if got, _ := c.received(); end != io.EOF || len(got) != 0 {
		t.Fatalf("%s is not refused as v1 is, but: %v, %q", c.uid, end, got)
	}
}

// isRefused waits until the server has closed the connection with code 1008 and this reason, and nothing before.
func (c *wsClient) isRefused(t *testing.T, reason string) {
	t.Helper()
	end := c.ends(t)
	var closed *websocket.CloseError
	if got, _ := c.received(); len(got) != 0 || !errors.As(end, &closed) || closed.Code != 1008 || closed.Text != reason {
		t.Fatalf("%s is not refused with 1008 %q, but: %v, %v", c.name, reason, end, got)
	}
}

// between holds the time since begun against its bounds.
func between(t *testing.T, what string, begun time.Time, least, most time.Duration) {
	t.Helper()
	if took := time.Since(begun); took < least || took > most {
		t.Errorf("%s took %v instead of %v to %v", what, took, least, most)
	}
}

// local is c's own address, as the server logs it.
func local(c net.Conn) string { return c.LocalAddr().String() }

// logs waits for a line that contains all parts, and returns it.
func (p *program) logs(t *testing.T, parts ...string) (found string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		for l := range strings.Lines(p.Screen()) {
			found = l
			for _, part := range parts {
				if !strings.Contains(l, part) {
					found = ""
				}
			}
			if found != "" {
				return nil
			}
		}
		return fmt.Errorf("%s has no line with %q", p.Name, parts)
	})
	return found
}

// refuses waits until the gateway has logged that it refused claimant for this reason, and holds against the facts whom
// it names as the holder of the place, and for how long.
func (p *program) refuses(t *testing.T, claimant net.Conn, reason string, holder net.Conn, since time.Time) {
	t.Helper()
	held := time.Since(since)
	line := p.logs(t, "msg=refused", "client="+local(claimant)+" ", "reason="+reason)
	m := regexp.MustCompile(`held for (\S+) by ` + regexp.QuoteMeta(local(holder)) + `[";]`).FindStringSubmatch(line)
	if m == nil {
		t.Errorf("the refusal does not name its holder, %s: %s", local(holder), line)
		return
	}
	if age, err := time.ParseDuration(m[1]); err != nil || (age-held).Abs() > 2*time.Second {
		t.Errorf("the holder's age should be about %v: %s", held, line)
	}
}
