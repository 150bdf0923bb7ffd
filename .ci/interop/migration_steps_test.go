//go:build interop

package interop

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// The gateway takes the root's place with the history that it has, and gives it back, and takes it again. carol came to
// it by the canary's rule and notices nothing; the others come back to the address that they know. The peer has to be
// restarted.
func (d *deployment) takeOver(t *testing.T) {
	conf, reload := d.conf(t, "MLES_KEY=swordfish\nMLESD_HISTORY"), d.shell(t, "mlesctl reload")
	canary := d.settings(t)
	d.hear(t)
	d.server.does(t, 0, d.canary.release)
	d.hear(t)
	saidBefore := d.carol.nextLine() - 1
	d.root.Kill()
	for _, m := range []*member{d.dave, d.erin, d.bella, d.bert, d.maud} {
		d.parts(m)
	}
	d.server.writes(t, "mlesd.env", conf)
	if said := d.server.does(t, 0, reload); !strings.Contains(said, "listening: --v1-listen at [::]:8077") {
		t.Errorf("%s says %q", reload, said)
	}
	d.daveAgain(t)
	d.maudAgain(t)
	d.browsersAgain(t)
	for _, m := range []*member{d.dave, d.bella, d.bert, d.maud} {
		m.meets()
	}
	d.returned(t, d.dave, d.bella, d.bert, d.maud)
	d.dave.remembers(t, d.carol, saidBefore)
	d.server.does(t, 0, d.shell(t, "nft delete table inet mles_canary"))
	d.carolAgain(t) // whose connection still came in by the rule
	d.returned(t, d.carol)

	// mles 1.1.7 does not come back by itself, nor when somebody joins.
	d.erinAgain(t)
	d.erin.hearsNothingOf(t, d.carol)
	d.carol.hearsNothingOf(t, d.erin)
	d.restartPeer(t)
	d.talk(t)

	// The way back: the gateway moves aside and becomes a peer again, with whoever is on it.
	d.parts(d.erin)
	d.server.writes(t, "mlesd.env", canary)
	d.server.does(t, 0, reload)
	d.noLonger(t, serverAddr+":8077")
	d.startRoot(t)
	d.server.says(t, "mlesctl status", "running")
	d.restartPeer(t)
	d.talk(t)

	d.parts(d.erin)
	d.root.Kill()
	d.server.writes(t, "mlesd.env", conf)
	d.server.does(t, 0, reload)
	d.restartPeer(t)
	d.talk(t)
}

// restartPeer does so, and erin comes back to it. Somebody silent is there before her: mles 1.1.7 may tell the first client
// of a channel twice what comes while it connects to its root.
func (d *deployment) restartPeer(t *testing.T) {
	t.Helper()
	d.peer.Kill()
	d.startPeer(t)
	first := d.branch.joinV1(d.whole, "127.0.0.1:8077", oldKey, "first", "hall", "", nil)
	hosts.Eventually(t, func() error {
		frames, end := first.received()
		if !slices.ContainsFunc(frames, func(f []byte) bool { return numbered.Match(f) }) {
			return fmt.Errorf("the peer's first client hears nobody from the root (%v)", end)
		}
		return nil
	})
	d.erinAgain(t)
	d.erin.meets()
	d.returned(t, d.erin)
}

// settings is what stands in the gateway's file now.
func (d *deployment) settings(t *testing.T) string {
	t.Helper()
	return d.server.does(t, 0, "cat mlesd.env")
}

// sets changes settings, each a line that takes the place of one of the same name, takes others out, and reloads. It
// returns what mlesctl said.
func (d *deployment) sets(t *testing.T, lines string, out ...string) string {
	t.Helper()
	d.server.writes(t, "mlesd.env", edited(d.settings(t), lines, out...))
	return d.server.does(t, 0, "mlesctl reload")
}

// edited is a file of settings with lines put in place of those of the same name, and without others.
func edited(conf, lines string, out ...string) string {
	var kept strings.Builder
	for old := range strings.Lines(conf) {
		name, _, _ := strings.Cut(old, "=")
		if !strings.Contains("\n"+lines, "\n"+name+"=") && !slices.Contains(out, name) {
			kept.WriteString(old)
		}
	}
	return kept.String() + lines
}

// mles-webproxy goes, and its browsers find the same channel with the mask on it; then, with the mask as a link, the
// plain channel as well.
func (d *deployment) replaceWebproxy(t *testing.T) {
	before, conf := d.settings(t), d.conf(t, "MLESD_V2_LISTEN=[::]:443")
	replace := func() {
		d.hear(t)
		d.webproxy.Kill()
		d.sets(t, conf)
		d.browsersAgain(t)
		d.returned(t, d.bella, d.bert)
		d.talk(t)
	}
	replace()
	// The plain name is another channel.
	b := d.shop.comesByV2(d.whole, serverAddr+":443", d.ca, oldKey, "moritz", "lobby")
	d.moritz = d.joins(d.whole, "moritz", "the plain lobby", b)
	d.moritz.hearsNothingOf(t, d.bella)
	d.bella.hearsNothingOf(t, d.moritz)
	d.moritz.rises(t)
	b.ws.Close()
	if page := d.page(t); !strings.Contains(page, "the chat") {
		t.Errorf("the page is %q", page)
	}

	// The way back: the browsers who are there stay, others find mles-webproxy again.
	d.server.writes(t, "mlesd.env", before)
	d.server.does(t, 0, "mlesctl reload")
	d.noLonger(t, serverAddr+":443")
	d.startWebproxy(t)
	d.talk(t)
	d.browsersAgain(t)
	d.returned(t, d.bella, d.bert)
	replace()

	// The mask is what a reload cannot change.
	d.hear(t)
	d.sets(t, d.conf(t, "MLESD_WEBPROXY_MASK=link"))
	d.gateway.Terminate(t)
	d.gateway = d.server.start(d.whole, "mlesd --config mlesd.env")
	d.pieces = false
	d.server.Listening(t, serverAddr+":443")
	d.parts(d.erin)
	d.carolAgain(t)
	d.daveAgain(t)
	d.maudAgain(t)
	d.browsersAgain(t)
	d.returned(t, d.carol, d.dave, d.maud, d.bella, d.bert)
	d.restartPeer(t)
	d.talk(t)
}

// page is what https://chat.example.org/ shows.
func (d *deployment) page(t *testing.T) string {
	t.Helper()
	nc, err := d.server.Dial(serverAddr + ":443")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(hosts.Patience))
	tc := tls.Client(nc, &tls.Config{RootCAs: pool(t, d.ca), ServerName: chatName})
	if _, err := fmt.Fprintf(tc, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", chatName); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(tc), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(answer.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mles-client 2.2.0 and MlesTalk, which has no key, while the devices keep theirs.
func (d *deployment) firstV2(t *testing.T) {
	d.server.does(t, 0, d.shell(t, "echo swordfish"))
	if said := d.sets(t, d.conf(t, "MLESD_V1_KEY_FILE=v1.keys"), "MLES_KEY"); strings.Contains(said, "disconnected") {
		t.Errorf("mlesctl reload says %q", said)
	}
	d.talk(t)
	client := d.shell(t, "mles-client --server wss://")
	d.vera = d.joins(d.whole, "vera", "vault", d.encrypted(client, "vera", ""))
	d.vic = d.joins(d.whole, "vic", "vault", d.encrypted(strings.ReplaceAll(client, "vera", "vic"), "vic", ""))
	d.mona = d.joins(d.whole, "mona", "hall", d.desk.comesByV2(d.whole, serverAddr+":443", d.ca, "", "mona", "hall"))
	d.moritz.room = "lobby" // the mask is a link now
	d.sits(d.moritz, d.shop.comesByV2(d.whole, serverAddr+":443", d.ca, "", "moritz", "lobby"))
	d.returned(t, d.vera, d.vic, d.mona, d.moritz)
	d.talk(t)
}

// encrypted has somebody sit down at mles-client 2.2.0.
func (d *deployment) encrypted(block, uid, key string) *encrypted {
	env := append(keyEnv(key), "SSL_CERT_FILE="+d.ca, "HOME="+d.trial.home, "PATH="+filepath.Dir(ref(client2)))
	p := d.trial.startOnTerminal(d.whole, uid+" (mles-client 2.2.0)", env, "/bin/bash", "-c", "exec "+block)
	p.Says(d.whole, "Shared key:")
	typed := time.Now().Add(-time.Second)
	hosts.Eventually(d.whole, func() error {
		if strings.Contains(p.Screen(), cleared) {
			return nil
		}
		if time.Since(typed) >= time.Second { // what is typed before it has turned the echo off is thrown away
			p.Types(d.whole, "correct horse battery staple")
			typed = time.Now()
		}
		return errors.New(p.Name + " does not take the passphrase: " + p.Screen())
	})
	return &encrypted{program: p, uid: uid}
}

// Who still needs v1.
func (d *deployment) watch(t *testing.T) {
	d.server.says(t, d.shell(t, "mlesctl status"), "carol", "first", "bella", "mona", "vault")
	if said := d.server.does(t, 1, d.shell(t, "mlesctl status --seen v1")); !strings.Contains(said, "do not turn it off") || !strings.Contains(said, "dave") {
		t.Errorf("mlesctl status --seen says %q", said)
	}
	d.talk(t)
}
