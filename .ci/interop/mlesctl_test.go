//go:build interop

package interop

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// mlesctl with mles 1.1.7 as its server, and the console client as its neighbour. Without a key 1.1.7 wants addresses spelt as
// it sees them: over IPv6 they are what they are, over IPv4 mlesctl has a flag for it.
func TestMlesctlWithMles1(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name, key, server, address string
		spell                      func(*net.TCPAddr) string
		flags                      []string
		console                    bool // the console client cannot be keyless over IPv4
	}{
		{"shared key", "old key", "127.0.0.1", "v1://127.0.0.1:8077", nil, nil, true},
		{"address keys, IPv4", "", "127.0.0.1", "v1://127.0.0.1:8077", mapped, []string{"--mapped-address"}, false},
		{"address keys, IPv6", "", "::1", "v1://[::1]:8077", expanded, nil, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.startMles1(t, way.key)
			ctl := controller{host: h, key: way.key, v1: way.address}
			addr := strings.TrimPrefix(way.address, "v1://")

			witness := h.joinV1(t, addr, way.key, "witness", "shed", "", way.spell)
			var seen []string
			sees := func(uid string, messages ...string) {
				t.Helper()
				for _, m := range messages {
					seen = append(seen, v1Body(uid, "shed", m))
				}
				witness.getsBodies(t, seen...)
			}
			cora := ctl.chat(t, ctl.v1, "cora", "shed", way.flags...)
			sees("cora", "")
			sue := ctl.sub(t, ctl.v1, "sue", "shed", append(way.flags, "--json")...)
			sees("sue", "")
			published := []string{"peter » one", "peter » two"}
			cora.Types(t, "cora » anybody?")
			sees("cora", "cora » anybody?\n")
			ctl.pub(t, ctl.v1, "peter", "shed", published, way.flags...)
			sees("peter", published[0]+"\n", published[1]+"\n")
			witness.send(t, "witness » saw it\n")
			all := []line{{"cora", "cora » anybody?"}, {"peter", published[0]}, {"peter", published[1]}, {"witness", "witness » saw it"}}
			var olga *program
			if way.console {
				olga = h.startConsole(t, way.server, way.key, "olga", "shed")
				sees("olga", "")
				olga.Types(t, "olga » hyvää päivää")
				sees("olga", "olga » hyvää päivää\n")
				cora.Types(t, "cora » same to you")
				sees("cora", "cora » same to you\n")
				all = append(all, line{"olga", "olga » hyvää päivää"}, line{"cora", "cora » same to you"})
				olga.shows(t, onConsole, others(all, "olga")...)
			}
			cora.shows(t, onV1Chat, others(all, "cora")...)
			sue.showsJSON(t, asV1JSON, all...)
			late := ctl.sub(t, ctl.v1, "late", "shed", way.flags...)
			late.shows(t, textOnly, all...)
			sees("late", "")

			// What came twice stands before the last words.
			witness.send(t, "witness » that is all\n")
			late.shows(t, textOnly, append(all, line{"witness", "witness » that is all"})...)
			cora.Types(t, "cora » that is all")
			sees("cora", "cora » that is all\n")
			all = append(all, line{"witness", "witness » that is all"}, line{"cora", "cora » that is all"})
			if olga != nil {
				olga.shows(t, onConsole, others(all, "olga")...)
			}
			cora.shows(t, onV1Chat, others(all, "cora")...)
			sue.showsJSON(t, asV1JSON, all...)
			late.shows(t, textOnly, all...)
			cora.Leaves(t)
			if way.key != "" {
				stranger := controller{host: h, key: "wrong key"}
				stranger.refused(t, ctl.v1, "shed")
			}
			proved(t, "mlesctl with mles 1.1.7, %s: chat, pub and sub, live and from history", way.name)
		})
	}
}

// mlesctl with mles 2.9.4 as its server, and websocat as its neighbour.
func TestMlesctlWithMles2(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "new key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startMles2(t, key, crt, "8443")
			ctl := controller{host: h, key: key, v2: "wss://localhost:8443", crt: crt}

			walt := h.startWebsocat(t, crt, key, "walt", "shed")
			h.isIn(t, crt, key, "walt", "shed")
			cody := ctl.chat(t, ctl.v2, "cody", "shed")
			h.isIn(t, crt, key, "cody", "shed")
			carl := ctl.chatOnTerminal(t, ctl.v2, "carl", "shed")
			h.isIn(t, crt, key, "carl", "shed")
			sid := ctl.sub(t, ctl.v2, "sid", "shed", "--json")
			h.isIn(t, crt, key, "sid", "shed")

			all := []line{{"walt", "walt » hyvää päivää"}, {"cody", "cody » same to you"}, {"carl", "carl » and to me"},
				{"paula", "paula » one"}, {"paula", "paula » two"}}
			walt.Types(t, all[0].text)
			sid.showsJSON(t, asV2JSON, all[:1]...)
			cody.Types(t, all[1].text)
			sid.showsJSON(t, asV2JSON, all[:2]...)
			carl.Types(t, all[2].text)
			sid.showsJSON(t, asV2JSON, all[:3]...)
			ctl.pub(t, ctl.v2, "paula", "shed", []string{all[3].text, all[4].text})
			sid.showsJSON(t, asV2JSON, all...)
			first := func() {
				t.Helper()
				walt.shows(t, textOnly, others(all, "walt")...)
				cody.shows(t, onV2Chat, others(all, "cody")...)
				carl.showsPrompted(t, "carl", others(all, "carl")...)
				sid.showsJSON(t, asV2JSON, all...)
			}
			first()

			sol := ctl.sub(t, ctl.v2, "sol", "shed")
			sol.shows(t, textOnly, all...)
			cleo := ctl.chat(t, ctl.v2, "cleo", "shed")
			cleo.shows(t, onV2Chat, all...)
			cleo.Says(t, "* walt joined")
			for _, p := range []*program{cody, carl, sid, sol, cleo} {
				if strings.Contains(p.Screen(), "auth") {
					t.Errorf("%s shows the auths that 2.9.4 sends with its history", p.Name)
				}
			}

			// What came twice stands before the last words.
			walt.Types(t, "walt » that is all")
			sol.shows(t, textOnly, append(all, line{"walt", "walt » that is all"})...)
			cody.Types(t, "cody » that is all")
			all = append(all, line{"walt", "walt » that is all"}, line{"cody", "cody » that is all"})
			first()
			sol.shows(t, textOnly, all...)
			cleo.shows(t, onV2Chat, all...)
			cody.Leaves(t)
			carl.HangsUp(t)
			if key != "" {
				stranger := controller{host: h, key: "wrong key", crt: crt}
				stranger.refused(t, ctl.v2, "shed")
			}
			proved(t, "mlesctl with mles 2.9.4, %s: chat, pub and sub, live and from history", name)
		})
	}
}

// refused expects mlesctl pub to end with 4, the server having refused it.
func (c controller) refused(t *testing.T, address, channel string) {
	t.Helper()
	p := c.host.start(t, "stranger (mlesctl pub)", c.env(t), append(c.argv("pub", address, "stranger", channel, nil), "let me in")...)
	var exit *exec.ExitError
	if err := p.Wait(t); !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("mlesctl with a wrong key: %v, instead of exit code 4: %s", err, p.Screen())
	}
}

// isIn waits until uid has joined on mles 2.9.4, which tells nobody live: it stands in the history that each new probe is sent.
func (h *host) isIn(t *testing.T, crt hosts.Certificate, key, uid, channel string) {
	t.Helper()
	n := 0
	hosts.Eventually(t, func() error {
		n++
		probe := h.upgrade(t, "probe", "wss://localhost:8443/", crt.Cert)
		defer probe.leave()
		probe.send(t, text(hello(fmt.Sprintf("probe%d of %s", n, uid), channel, key)))
		time.Sleep(100 * time.Millisecond)
		messages, end := probe.received()
		for _, m := range messages {
			if strings.Contains(m.data, `"uid":"`+uid+`"`) {
				return nil
			}
		}
		return fmt.Errorf("%s is not on %s (%v): %v", uid, channel, end, messages)
	})
}
