//go:build interop

package interop

import (
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Everybody in the kitchen: the console client of v1, websocat with a typed hello, and mlesctl on both dialects, in pipes and
// on a terminal. Each hears each other's lines as they are said, and whoever comes late finds them all.
func TestConsole(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "kitchen key", "address keys": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startGateway(t, key, crt)
			ctl := controller{host: h, key: key, v1: "v1://127.0.0.1:8077", v2: "wss://localhost:8443", crt: crt}

			// The witness is there first and sees by their join frames when the others are in.
			witness := h.joinV1(t, "127.0.0.1:8077", key, "witness", "kitchen", "", nil)
			var seen []string
			sees := func(uid string, messages ...string) {
				t.Helper()
				for _, m := range messages {
					seen = append(seen, v1Body(uid, "kitchen", m))
				}
				witness.getsBodies(t, seen...)
			}
			olga := h.startConsole(t, "127.0.0.1", key, "olga", "kitchen")
			sees("olga", "")
			walt := h.startWebsocat(t, crt, key, "walt", "kitchen")
			sees("walt", "")
			cora := ctl.chat(t, ctl.v1, "cora", "kitchen")
			sees("cora", "")
			cody := ctl.chatOnTerminal(t, ctl.v2, "cody", "kitchen")
			sees("cody", "")
			sue := ctl.sub(t, ctl.v1, "sue", "kitchen", "--json")
			sees("sue", "")
			sid := ctl.sub(t, ctl.v2, "sid", "kitchen", "--json")
			sees("sid", "")

			var all []line
			for _, speaker := range []struct {
				uid string
				*program
			}{{"olga", olga}, {"walt", walt}, {"cora", cora}, {"cody", cody}, {"olga", olga}} {
				said := line{speaker.uid, speaker.uid + " » hyvää päivää, " + strings.Repeat("ä", len(all)+1)}
				speaker.Types(t, said.text)
				sees(said.uid, said.text+"\n")
				all = append(all, said)
			}
			ctl.pub(t, ctl.v1, "peter", "kitchen", []string{"peter » published"})
			sees("peter", "peter » published\n")
			ctl.pub(t, ctl.v2, "paula", "kitchen", []string{"paula » published"})
			sees("paula", "", "paula » published\n") // in v2 the join is a hello of its own
			all = append(all, line{"peter", "peter » published"}, line{"paula", "paula » published"})

			first := func() {
				t.Helper()
				olga.shows(t, onConsole, others(all, "olga")...)
				walt.shows(t, textOnly, others(all, "walt")...)
				cora.shows(t, onV1Chat, others(all, "cora")...)
				cody.showsPrompted(t, "cody", others(all, "cody")...)
				sue.showsJSON(t, asV1JSON, all...)
				sid.showsJSON(t, asV2JSON, all...)
			}
			first()

			// From the history, on every program.
			otto := h.startConsole(t, "127.0.0.1", key, "otto", "kitchen")
			sees("otto", "")
			wes := h.startWebsocat(t, crt, key, "wes", "kitchen")
			sees("wes", "")
			carl := ctl.chat(t, ctl.v1, "carl", "kitchen")
			sees("carl", "")
			cleo := ctl.chat(t, ctl.v2, "cleo", "kitchen")
			sees("cleo", "")
			sam := ctl.sub(t, ctl.v1, "sam", "kitchen")
			sees("sam", "")
			sol := ctl.sub(t, ctl.v2, "sol", "kitchen")
			sees("sol", "")
			late := func() {
				t.Helper()
				otto.shows(t, onConsole, all...)
				wes.shows(t, textOnly, all...)
				carl.shows(t, onV1Chat, all...)
				cleo.shows(t, onV2Chat, all...)
				sam.shows(t, textOnly, all...)
				sol.shows(t, textOnly, all...)
			}
			late()
			if strings.Contains(wes.Screen(), "auth") {
				t.Error("the history tells auths")
			}

			// What came twice stands before the last words, on one screen or another.
			cora.Types(t, "cora » that is all")
			sees("cora", "cora » that is all\n")
			walt.Types(t, "walt » that is all")
			sees("walt", "walt » that is all\n")
			all = append(all, line{"cora", "cora » that is all"}, line{"walt", "walt » that is all"})
			first()
			late()

			cora.Leaves(t)
			cody.HangsUp(t)
			proved(t, "%s: mles-client 1.1.7, websocat and mlesctl (chat, pub, sub on v1 and v2) hear each other, live and from history", name)
		})
	}
}
