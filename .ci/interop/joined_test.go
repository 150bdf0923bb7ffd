//go:build interop

package interop

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"mles/.ci/hosts"
)

// mles-client 2.2.0 joins our gateway with mles 2.9.4: it is a member of the channel on both and says on each what is
// said on the other, if it is binary. Members of the gateway, on both dialects, and of the reference read each other.
func TestJoinedWithMles2(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "bridge key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startGateway(t, key, crt)
			h.startMles2(t, key, crt, "9443")

			rita := h.joinV2(t, crt, key, "rita", "yard")
			vera := h.joinV1(t, "127.0.0.1:8077", key, "vera", "yard", "", nil)
			fay := h.claimV2(t, "wss://localhost:9443/", crt, key, "fay", "yard")
			fred := h.claimV2(t, "wss://localhost:9443/", crt, key, "fred", "yard")
			atVera := []string{v1Body("rita", "yard", "")}
			veraGets := func(uid string, messages ...string) {
				t.Helper()
				for _, m := range messages {
					atVera = append(atVera, v1Body(uid, "yard", m))
				}
				vera.getsBodies(t, atVera...)
			}
			vera.getsBodies(t, atVera...)

			// What had been said on either side before.
			rita.send(t, bin("rita, before"))
			veraGets("rita", "rita, before")
			vera.send(t, "vera, before")
			rita.gets(t, bin("vera, before"))
			fred.send(t, bin("fred, before"))
			fay.getsBesidesHellos(t, bin("fred, before"))
			h.startJoiner(t, crt, key, "pam", "yard")
			atRita, atFay := []wsMessage{bin("vera, before"), bin("fred, before")}, []wsMessage{bin("fred, before"), bin("rita, before"), bin("vera, before")}
			rita.gets(t, atRita...)
			veraGets("pam", "", "fred, before")
			fay.getsBesidesHellos(t, atFay...)
			atFred := append([]wsMessage{}, atFay[1:]...)

			// What is said now: text stays on its side.
			large := strings.Repeat("0123456789abcdef", 1<<16)
			rita.send(t, text("text stays here"))
			veraGets("rita", "text stays here")
			for _, said := range []string{"\x00\xff rita", large, "rita » päivää"} {
				rita.send(t, bin(said))
				veraGets("rita", said)
				atFay, atFred = append(atFay, bin(said)), append(atFred, bin(said))
				fay.getsBesidesHellos(t, atFay...)
			}
			vera.send(t, "vera » päivää")
			atRita, atFay, atFred = append(atRita, bin("vera » päivää")), append(atFay, bin("vera » päivää")), append(atFred, bin("vera » päivää"))
			fay.getsBesidesHellos(t, atFay...)
			fred.send(t, text("text stays there"))
			atFay = append(atFay, text("text stays there"))
			fay.getsBesidesHellos(t, atFay...)
			for _, said := range []string{"\xff\x00 fred", large + "!", "fred » päivää", "that is all from there"} {
				fred.send(t, bin(said))
				veraGets("pam", said)
				atRita, atFay = append(atRita, bin(said)), append(atFay, bin(said))
			}
			rita.send(t, bin("that is all from here"))
			veraGets("rita", "that is all from here")
			rita.gets(t, atRita...)
			fay.getsBesidesHellos(t, append(atFay, bin("that is all from here"))...)
			fred.getsBesidesHellos(t, append(atFred, bin("that is all from here"))...)

			h.joinedEncrypted(t, crt, key)
			proved(t, "%s: mles-client 2.2.0 --proxy-server joins the gateway with mles 2.9.4: v1 and v2 members here and there read each other, live and from history, also encrypted", name)
		})
	}
}

// joinedEncrypted has two mles-client 2.2.0, one on each server, read each other by way of a third.
func (h *host) joinedEncrypted(t *testing.T, crt hosts.Certificate, key string) {
	t.Helper()
	const words = "correct horse battery staple"
	vic := h.joinV1(t, "127.0.0.1:8077", key, "vic", "vault", "", nil)
	h.startJoiner(t, crt, key, "pam", "vault")
	vic.counts(t, "pam:")
	alice := h.startClient2(t, "wss://localhost:8443", crt, key, "alice", "vault", words)
	vic.counts(t, "pam:", "alice:")
	said := []line{{"alice", "alice » to bob"}, {"bob", "bob » to alice, päivää"}, {"alice", "alice » that is all"}}
	alice.Types(t, said[0].text)
	bob := h.startClient2(t, "wss://localhost:9443", crt, key, "bob", "vault", words)
	bob.draws(t, said[0])
	bob.Types(t, said[1].text)
	alice.draws(t, said[:2]...)
	alice.Types(t, said[2].text)
	bob.draws(t, said...)
	alice.draws(t, said...)
	vic.counts(t, "pam:", "alice:", "alice:…", "pam:…", "alice:…")
}

// startJoiner runs mles-client 2.2.0 as a member of the servers at wss://localhost:8443 and wss://localhost:9443.
func (h *host) startJoiner(t *testing.T, c hosts.Certificate, key, uid, channel string) {
	t.Helper()
	p := h.start(t, uid+" (mles-client 2.2.0 --proxy-server)", append(keyEnv(key), "SSL_CERT_FILE="+c.Cert, "HOME="+t.TempDir()),
		ref(client2), "--server", "wss://localhost:8443", "--proxy-server", "wss://localhost:9443", "--uid", uid, "--channel", channel)
	p.Says(t, "Proxy established")
}

// getsBesidesHellos is gets for members of mles 2.9.4 that joined at about the same time: whether one is sent the other's
// hello, from the history, is open.
func (c *wsClient) getsBesidesHellos(t *testing.T, want ...wsMessage) {
	t.Helper()
	hosts.Eventually(t, func() error {
		all, end := c.received()
		var got []wsMessage
		for _, m := range all {
			if m.op != websocket.TextMessage || !strings.Contains(m.data, `"uid":`) {
				got = append(got, m)
			}
		}
		return differ(c.name, rendered(got), rendered(want), end)
	})
}
