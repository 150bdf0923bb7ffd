//go:build interop

package interop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// mles 1.1.7 uses our gateway as its root. Members of both hosts share a channel: what was said before the peer came,
// what is said while it is there, and joins.
func TestPeerSharedKey(t *testing.T) {
	t.Parallel()
	const key = "two houses"
	root, outpost, crt := newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	root.Link(t, outpost.Host)
	root.startGateway(t, key, crt)
	outpost.startMles1(t, key, "10.77.0.1")
	join := func(uid string) []byte { return v1Frame(key, uid, "hall", "") }
	said := func(uid, message string) []byte { return v1Frame(key, uid, "hall", message) }

	rita := root.joinV2(t, crt, key, "rita", "hall")
	rob := root.joinV1(t, "127.0.0.1:8077", key, "rob", "hall", "", nil)
	rob.gets(t, join("rita"))
	rob.send(t, "rob, before the peer")
	rita.gets(t, bin("rob, before the peer"))
	rita.send(t, text("rita, before the peer"))
	rob.gets(t, join("rita"), said("rita", "rita, before the peer"))

	// The first member of the peer: its join is the first frame of the connection to the root, which answers with its history.
	pat := outpost.joinV1(t, "127.0.0.1:8077", key, "pat", "hall", "", nil)
	rob.gets(t, join("rita"), said("rita", "rita, before the peer"), join("pat"))
	history := [][]byte{join("rita"), join("rob"), said("rob", "rob, before the peer"), said("rita", "rita, before the peer")}
	pat.getsBesides(t, join("pat"), history...)

	// The second: its first frame carries a message and arrives at the root as a later frame of the peer's connection.
	paul := outpost.joinV1(t, "127.0.0.1:8077", key, "paul", "hall", "paul's first", nil)
	rob.gets(t, join("rita"), said("rita", "rita, before the peer"), join("pat"), said("paul", "paul's first"))
	rita.gets(t, bin("rob, before the peer"), bin("paul's first"))
	pat.getsBesides(t, join("pat"), append(history, said("paul", "paul's first"))...)
	paul.getsBesides(t, join("pat"), history...)
	pia := outpost.joinV1(t, "127.0.0.1:8077", key, "pia", "hall", "", nil)
	rob.gets(t, join("rita"), said("rita", "rita, before the peer"), join("pat"), said("paul", "paul's first"), join("pia"))
	pia.leave()

	// Both directions, small, binary and large.
	large := strings.Repeat("0123456789abcdef", 1<<16)
	rita.send(t, bin("\x00\xfe rita to the peer"))
	rob.gets(t, join("rita"), said("rita", "rita, before the peer"), join("pat"), said("paul", "paul's first"), join("pia"),
		said("rita", "\x00\xfe rita to the peer"))
	rob.send(t, large)
	pat.getsBesides(t, join("pat"), append(history, said("paul", "paul's first"), join("pia"), said("rita", "\x00\xfe rita to the peer"), said("rob", large))...)
	paul.getsBesides(t, join("pat"), append(history, join("pia"), said("rita", "\x00\xfe rita to the peer"), said("rob", large))...)
	pat.send(t, large+"!")
	rita.gets(t, bin("rob, before the peer"), bin("paul's first"), bin(large), bin(large+"!"))

	// Late joiners find the same on both sides; the peer's own faults (pat's join twice) stay on its side.
	late := root.joinV1(t, "127.0.0.1:8077", key, "late", "hall", "", nil)
	late.gets(t, append(history, join("pat"), said("paul", "paul's first"), join("pia"), said("rita", "\x00\xfe rita to the peer"),
		said("rob", large), said("pat", large+"!"))...)
	later := root.joinV2(t, crt, key, "later", "hall")
	later.gets(t, noticeOf("rita", "hall"), noticeOf("rob", "hall"), bin("rob, before the peer"), text("rita, before the peer"),
		noticeOf("pat", "hall"), bin("paul's first"), noticeOf("pia", "hall"),
		bin("\x00\xfe rita to the peer"), bin(large), bin(large+"!"), noticeOf("late", "hall"))
	last := outpost.joinV1(t, "127.0.0.1:8077", key, "last", "hall", "", nil)
	last.getsBesides(t, join("pat"), append(history, said("paul", "paul's first"), join("pia"), said("rita", "\x00\xfe rita to the peer"),
		said("rob", large), said("pat", large+"!"), join("late"), join("later"))...)
	pat.getsBesides(t, join("pat"), append(history, said("paul", "paul's first"), join("pia"), said("rita", "\x00\xfe rita to the peer"),
		said("rob", large), join("late"), join("later"), join("last"))...) // and nothing of its own

	// What came twice stands before the last words.
	rob.send(t, "that is all, says rob")
	last.getsLast(t, v1Body("rob", "hall", "that is all, says rob"))
	pat.send(t, "that is all, says pat")
	ofRob, ofPat := said("rob", "that is all, says rob"), said("pat", "that is all, says pat")
	between := [][]byte{join("pia"), said("rita", "\x00\xfe rita to the peer"), said("rob", large)}
	arrivals := [][]byte{join("late"), join("later"), join("last")}
	rob.gets(t, slices.Concat([][]byte{join("rita"), said("rita", "rita, before the peer"), join("pat"), said("paul", "paul's first")},
		between[:2], [][]byte{said("pat", large+"!")}, arrivals, [][]byte{ofPat})...)
	rita.gets(t, bin("rob, before the peer"), bin("paul's first"), bin(large), bin(large+"!"), bin("that is all, says rob"), bin("that is all, says pat"))
	late.gets(t, slices.Concat(history, [][]byte{join("pat"), said("paul", "paul's first")}, between, [][]byte{said("pat", large+"!")},
		arrivals[1:], [][]byte{ofRob, ofPat})...)
	later.gets(t, noticeOf("rita", "hall"), noticeOf("rob", "hall"), bin("rob, before the peer"), text("rita, before the peer"),
		noticeOf("pat", "hall"), bin("paul's first"), noticeOf("pia", "hall"), bin("\x00\xfe rita to the peer"), bin(large), bin(large+"!"),
		noticeOf("late", "hall"), bin("that is all, says rob"), bin("that is all, says pat"))
	pat.getsBesides(t, join("pat"), slices.Concat(history, [][]byte{said("paul", "paul's first")}, between, arrivals, [][]byte{ofRob})...)
	paul.getsBesides(t, join("pat"), slices.Concat(history, between, [][]byte{said("pat", large+"!")}, arrivals, [][]byte{ofRob, ofPat})...)
	last.getsBesides(t, join("pat"), slices.Concat(history, [][]byte{said("paul", "paul's first")}, between, [][]byte{said("pat", large+"!")},
		arrivals[:2], [][]byte{ofRob, ofPat})...)
	proved(t, "mles 1.1.7 with the gateway as its root: members of both see each other's joins and messages, live and from history")
}

// People at their consoles on both sides of a peer: the v1 client there, mlesctl and websocat here.
func TestPeerConsoles(t *testing.T) {
	t.Parallel()
	const key = "two houses"
	root, outpost, crt := newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	root.Link(t, outpost.Host)
	root.startGateway(t, key, crt)
	outpost.startMles1(t, key, "10.77.0.1")
	here := controller{host: root, key: key, v1: "v1://127.0.0.1:8077", v2: "wss://localhost:8443", crt: crt}
	there := controller{host: outpost, key: key, v1: "v1://127.0.0.1:8077"}

	witness := root.joinV1(t, "127.0.0.1:8077", key, "witness", "hall", "", nil)
	var seen []string
	sees := func(uid, message string) {
		t.Helper()
		seen = append(seen, v1Body(uid, "hall", message))
		witness.getsBodies(t, seen...)
	}
	walt := root.startWebsocat(t, crt, key, "walt", "hall")
	sees("walt", "")
	cora := here.chat(t, here.v2, "cora", "hall")
	sees("cora", "")
	olga := outpost.startConsole(t, "127.0.0.1", key, "olga", "hall")
	sees("olga", "")
	sue := there.sub(t, there.v1, "sue", "hall", "--json")
	sees("sue", "")

	var all []line
	for _, speaker := range []struct {
		uid string
		*program
	}{{"olga", olga}, {"walt", walt}, {"cora", cora}, {"olga", olga}} {
		said := line{speaker.uid, speaker.uid + " » hyvää päivää " + strings.Repeat("ä", len(all)+1)}
		speaker.Types(t, said.text)
		sees(said.uid, said.text+"\n")
		all = append(all, said)
	}
	first := func() {
		t.Helper()
		walt.shows(t, textOnly, others(all, "walt")...)
		cora.shows(t, onV2Chat, others(all, "cora")...)
		olga.shows(t, onConsole, others(all, "olga")...)
		sue.showsJSON(t, asV1JSON, all...)
	}
	first()
	otto := outpost.startConsole(t, "127.0.0.1", key, "otto", "hall")
	otto.shows(t, onConsole, all...)
	sees("otto", "")
	sid := here.sub(t, here.v2, "sid", "hall")
	sid.shows(t, textOnly, all...)
	sees("sid", "")

	// What came twice stands before the last words.
	olga.Types(t, "olga » that is all")
	sees("olga", "olga » that is all\n")
	walt.Types(t, "walt » that is all")
	sees("walt", "walt » that is all\n")
	all = append(all, line{"olga", "olga » that is all"}, line{"walt", "walt » that is all"})
	first()
	otto.shows(t, onConsole, all...)
	sid.shows(t, textOnly, all...)
	proved(t, "mles 1.1.7 as a peer: its mles-client 1.1.7 and mlesctl hear websocat and mlesctl on the gateway and the other way round")
}

// Once the connection to its root has ended, mles 1.1.7 never takes that channel up again; only channels that are new to
// it connect. Whoever restarts a root must restart its 1.1.7 peers.
func TestPeerAfterRestartOfRoot(t *testing.T) {
	t.Parallel()
	const key = "two houses"
	root, outpost, crt := newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	root.Link(t, outpost.Host)
	gateway := root.startGateway(t, key, crt, "--drain-time=1s")
	peer := outpost.startMles1(t, key, "10.77.0.1")
	frame := func(uid, channel, message string) []byte { return v1Frame(key, uid, channel, message) }

	before := root.joinV1(t, "127.0.0.1:8077", key, "before", "hall", "", nil)
	pat := outpost.joinV1(t, "127.0.0.1:8077", key, "pat", "hall", "", nil)
	before.gets(t, frame("pat", "hall", ""))
	gateway.Terminate(t)
	before.ends(t)
	root.startGateway(t, key, crt, "--drain-time=1s")

	rob := root.joinV1(t, "127.0.0.1:8077", key, "rob", "hall", "", nil)
	pat.send(t, "is anybody there?")
	outpost.joinV1(t, "127.0.0.1:8077", key, "paul", "hall", "knocking", nil)
	nora := outpost.joinV1(t, "127.0.0.1:8077", key, "nora", "annex", "", nil)
	ron := root.joinV1(t, "127.0.0.1:8077", key, "ron", "annex", "from the new root", nil)
	nora.getsBesides(t, frame("nora", "annex", ""), frame("ron", "annex", "from the new root"))
	time.Sleep(2 * time.Second) // nothing to wait for: this is the fact
	rob.gets(t)
	ron.send(t, "that is all")
	nora.send(t, "that is all")
	nora.getsBesides(t, frame("nora", "annex", ""), frame("ron", "annex", "from the new root"), frame("ron", "annex", "that is all"))
	ron.gets(t, frame("nora", "annex", ""), frame("nora", "annex", "that is all"))

	peer.Kill()
	outpost.startMles1(t, key, "10.77.0.1")
	pat = outpost.joinV1(t, "127.0.0.1:8077", key, "pat", "hall", "back again", nil)
	rob.gets(t, frame("pat", "hall", "back again"))
	rob.send(t, "that is all")
	pat.send(t, "that is all")
	pat.getsBesides(t, frame("pat", "hall", "back again"), frame("rob", "hall", ""), frame("rob", "hall", "that is all"))
	rob.gets(t, frame("pat", "hall", "back again"), frame("pat", "hall", "that is all"))
	proved(t, "mles 1.1.7 after a restart of its root: the old channel stays cut off, a new one connects, and its own restart heals all")
}

// Without a shared key the peer makes a new key for the first frame, over the address of its own connection.
func TestPeerAddressKeys(t *testing.T) {
	t.Parallel()
	root, outpost, crt := newHost(t), newHost(t), hosts.NewCertificate(t, "localhost")
	root.Link(t, outpost.Host)
	root.startGateway(t, "", crt)
	outpost.startMles1(t, "", "10.77.0.1")

	rita := root.joinV2(t, crt, "", "rita", "hall")
	rob := root.joinV1(t, "127.0.0.1:8077", "", "rob", "hall", "", nil)
	rob.getsBodies(t, v1Body("rita", "hall", ""))
	pat := outpost.joinV1(t, "127.0.0.1:8077", "", "pat", "hall", "pat's first", mapped)
	rob.getsBodies(t, v1Body("rita", "hall", ""), v1Body("pat", "hall", "pat's first"))
	paul := outpost.joinV1(t, "127.0.0.1:8077", "", "paul", "hall", "paul's first", mapped)
	rita.gets(t, bin("pat's first"), bin("paul's first"))
	rita.send(t, text("rita to the peer"))
	paul.getsLast(t, v1Body("rita", "hall", "rita to the peer"))
	rob.send(t, "rob to the peer")
	pat.getsLast(t, v1Body("rob", "hall", "rob to the peer"))
	paul.getsLast(t, v1Body("rob", "hall", "rob to the peer"))
	rita.gets(t, bin("pat's first"), bin("paul's first"), bin("rob to the peer"))

	// What came twice stands before the last words.
	rob.send(t, "that is all, says rob")
	pat.getsLast(t, v1Body("rob", "hall", "that is all, says rob"))
	pat.send(t, "that is all, says pat")
	ofPat, ofPaul := v1Body("pat", "hall", "pat's first"), v1Body("paul", "hall", "paul's first")
	fromRoot := []string{v1Body("rita", "hall", "rita to the peer"), v1Body("rob", "hall", "rob to the peer"), v1Body("rob", "hall", "that is all, says rob")}
	lastOfPat := v1Body("pat", "hall", "that is all, says pat")
	rita.gets(t, bin("pat's first"), bin("paul's first"), bin("rob to the peer"), bin("that is all, says rob"), bin("that is all, says pat"))
	rob.getsBodies(t, v1Body("rita", "hall", ""), ofPat, ofPaul, fromRoot[0], lastOfPat)
	pat.getsBodiesBesides(t, ofPat, append([]string{v1Body("rita", "hall", ""), v1Body("rob", "hall", ""), ofPaul}, fromRoot...)...)
	paul.getsBodiesBesides(t, ofPat, slices.Concat([]string{v1Body("rita", "hall", ""), v1Body("rob", "hall", "")}, fromRoot, []string{lastOfPat})...)
	proved(t, "mles 1.1.7 as a peer without a shared key: joins, messages and history pass in both directions")
}
