//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// v1 is narrowed, then silenced, then turned off, each with a reload that nobody else notices.
func (d *deployment) turnV1Off(t *testing.T) {
	d.hear(t)
	d.parts(d.maud)
	if said := d.sets(t, d.conf(t, "MLESD_V1_CHANNELS=")); !strings.Contains(said, "channel not allowed") {
		t.Errorf("mlesctl reload says %q", said)
	}
	d.talk(t)
	d.sets(t, "", "MLESD_V1_CHANNELS")
	d.maudAgain(t)
	d.maud.meets()
	d.returned(t, d.maud)

	d.hear(t)
	old := []*member{d.carol, d.dave, d.erin, d.bella, d.bert, d.maud}
	for _, m := range old {
		m.silence(true)
	}
	d.sets(t, d.conf(t, "MLESD_V1_READ_ONLY=true"))
	d.mona.hearsNothingOf(t, d.carol)
	d.moritz.hearsNothingOf(t, d.bella)
	d.talk(t) // and they hear mona and moritz
	d.sets(t, "", "MLESD_V1_READ_ONLY")
	for _, m := range old {
		m.silence(false)
	}
	d.returned(t, old...)
	d.talk(t)

	// They all move on.
	for _, m := range old {
		d.parts(m)
		m.rises(t)
	}
	d.atCarol.Kill()
	d.atDave.Kill()
	d.peer.Kill()
	d.atBella.ws.Close()
	d.atBert.ws.Close()
	d.atMaud.leave()
	d.server.does(t, 1, "mlesctl status --seen v1 --for 30d")
	d.unused(t)
	both := d.settings(t)
	off := d.conf(t, "MLESD_V1_LISTEN=off")
	turnOff := func() string { return d.sets(t, off, "MLESD_V1_WEBSOCKET", "MLESD_WEBPROXY_MASK") }
	if said := turnOff(); !strings.Contains(said, "closed: --v1-listen") {
		t.Errorf("mlesctl reload says %q", said)
	}
	d.noLonger(t, serverAddr+":8077")
	d.talk(t)

	// The way back.
	d.server.writes(t, "mlesd.env", both)
	d.server.does(t, 0, "mlesctl reload")
	p := d.console(d.desk, rootName, "carol")
	d.sits(d.carol, console{p})
	d.carol.meets()
	d.returned(t, d.carol)
	d.talk(t)
	d.carol.rises(t)
	d.parts(d.carol)
	p.Kill()
	turnOff()
	d.talk(t)
}

// unused waits until nobody has used v1 for a second.
func (d *deployment) unused(t *testing.T) {
	t.Helper()
	hosts.Eventually(t, func() error {
		out, err := d.server.runs("mlesctl status --seen v1 --for 1s")
		if err != nil {
			return fmt.Errorf("v1 is still used: %w: %s", err, out)
		}
		return nil
	})
}

// v2 gets the new key with the old one beside it, then alone.
func (d *deployment) rotate(t *testing.T) {
	client := "mles-client --server wss://" + chatName + " --uid UID --channel vault"
	members := map[string]*member{"vera": d.vera, "vic": d.vic}
	comes := func(uid, key string) {
		m := members[uid]
		old := m.seat.(*encrypted)
		m.rises(t)
		old.Kill()
		d.sits(m, d.encrypted(strings.ReplaceAll(client, "UID", uid), uid, key))
	}
	d.hear(t)
	for _, m := range []*member{d.mona, d.moritz} { // MlesTalk
		d.parts(m)
		m.rises(t)
	}
	d.server.does(t, 0, d.shell(t, "printf 'herring"))
	if said := d.sets(t, d.conf(t, "MLESD_KEY_FILE=mles.keys"), "MLESD_V1_KEY_FILE", "MLESD_V2_KEY_FILE"); !strings.Contains(said, "wrong auth") {
		t.Errorf("mlesctl reload says %q", said)
	}
	comes("vera", oldKey)
	comes("vic", oldKey)
	d.returned(t, d.vera, d.vic)
	d.server.says(t, "mlesctl status --uid vera", "line 2")
	d.talk(t)

	comes("vera", newKey)
	d.returned(t, d.vera)
	d.server.says(t, "mlesctl status --uid vera", "line 1")
	d.talk(t)
	comes("vic", newKey)
	d.returned(t, d.vic)
	d.talk(t)
	d.server.does(t, 0, d.shell(t, "echo herring"))
	if said := d.server.does(t, 0, "mlesctl reload"); strings.Contains(said, "disconnected") {
		t.Errorf("mlesctl reload says %q", said)
	}
	d.server.does(t, 4, "MLES_KEY="+oldKey+" mlesctl pub --ca chat.example.org.pem wss://"+chatName+" hall 'let me in'")
	d.talk(t)
}
