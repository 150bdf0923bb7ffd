//go:build interop

package interop

import (
	"errors"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// A deployment whose browsers move from mles-webproxy to the gateway one by one: zoe and zack are behind mles-webproxy,
// whose v1 server is the gateway; ziggy, a browser as well, mona (v2) and dave (v1) are on the gateway itself, all in
// the same channel by its plain name. With --webproxy-mask=link they read each other.
func TestWebproxyLinked(t *testing.T) {
	t.Parallel()
	const key = "swordfish"
	h, c := newHost(t), hosts.NewCertificate(t, "localhost")
	gateway := h.startGateway(t, key, c, "--v1-websocket", "--webproxy-mask=link")
	ca := h.startWebproxy(t, key)
	counter := strings.Repeat("\x02", 16)
	said := func(uid, message string) wsMessage { return bin(v1Body(uid, "room", counter+message)) }

	m := newMask("room")
	masked := func(uid, message string) []byte {
		return v1Frame(key, m.name(uid), m.name("room"), m.message(counter+message))
	}
	vera := h.joinV1(t, "127.0.0.1:8077", key, m.name("vera"), m.name("room"), "", nil)
	gateway.hasJoined(t, m.name("vera"))
	zoe := h.upgrade(t, "zoe", "wss://localhost:443/", ca)
	zoe.send(t, said("zoe", "first"))
	vera.gets(t, masked("zoe", "first"))

	ziggy := h.upgrade(t, "ziggy", "wss://localhost:8443/", c.Cert)
	ziggy.send(t, said("ziggy", "I moved"))
	veraHere := bin(v1Body("vera", "room", ""))
	ziggy.gets(t, veraHere, said("zoe", "first"))
	zoe.gets(t, said("ziggy", "I moved"))

	mona := h.joinV2(t, c, key, "mona", "room")
	monaHere := bin(v1Body("mona", "room", ""))
	mona.gets(t, noticeOf("vera", "room"), noticeOf("zoe", "room"), bin(counter+"first"), noticeOf("ziggy", "room"), bin(counter+"I moved"))
	ziggy.gets(t, veraHere, said("zoe", "first"), monaHere)

	zoe.send(t, said("zoe", "who is there?"))
	ziggy.gets(t, veraHere, said("zoe", "first"), monaHere, said("zoe", "who is there?"))
	ziggy.send(t, said("ziggy", "ääkköset"))
	zoe.gets(t, said("ziggy", "I moved"), said("ziggy", "ääkköset"))
	mona.send(t, bin(counter+"on v2"))
	zoe.gets(t, said("ziggy", "I moved"), said("ziggy", "ääkköset"), said("mona", "on v2"))
	ziggy.gets(t, veraHere, said("zoe", "first"), monaHere, said("zoe", "who is there?"), said("mona", "on v2"))

	zack := h.upgrade(t, "zack", "wss://localhost:443/", ca)
	zack.send(t, said("zack", "late"))
	zack.gets(t, said("zoe", "first"), said("ziggy", "I moved"), said("zoe", "who is there?"), said("ziggy", "ääkköset"), said("mona", "on v2"))
	ziggy.gets(t, veraHere, said("zoe", "first"), monaHere, said("zoe", "who is there?"), said("mona", "on v2"), said("zack", "late"))

	plain := func(uid, message string) []byte { return v1Frame(key, uid, "room", counter+message) }
	dave := h.joinV1(t, "127.0.0.1:8077", key, "dave", "room", "", nil)
	dave.gets(t, v1Frame(key, "vera", "room", ""), plain("zoe", "first"), plain("ziggy", "I moved"), v1Frame(key, "mona", "room", ""),
		plain("zoe", "who is there?"), plain("ziggy", "ääkköset"), plain("mona", "on v2"), plain("zack", "late"))
	vera.gets(t, masked("zoe", "first"), masked("ziggy", "I moved"), v1Frame(key, m.name("mona"), m.name("room"), ""),
		masked("zoe", "who is there?"), masked("ziggy", "ääkköset"), masked("mona", "on v2"), masked("zack", "late"),
		v1Frame(key, m.name("dave"), m.name("room"), ""))
	mona.gets(t, noticeOf("vera", "room"), noticeOf("zoe", "room"), bin(counter+"first"), noticeOf("ziggy", "room"), bin(counter+"I moved"),
		bin(counter+"who is there?"), bin(counter+"ääkköset"), bin(counter+"late"))
	proved(t, "mles-webproxy 0.8.8 beside the gateway with --webproxy-mask=link: browsers here and there, v1 and v2 members read each other, live and from history")
}

// With --webproxy-mask=only a browser on the gateway is where those behind mles-webproxy are, and the plain name is
// another channel.
func TestWebproxyReplaced(t *testing.T) {
	t.Parallel()
	const key = "swordfish"
	h, c := newHost(t), hosts.NewCertificate(t, "localhost")
	gateway := h.startGateway(t, key, c, "--v1-websocket", "--webproxy-mask=only")
	ca := h.startWebproxy(t, key)
	counter := strings.Repeat("\x03", 16)
	said := func(uid, message string) wsMessage { return bin(v1Body(uid, "room", counter+message)) }

	dave := h.joinV1(t, "127.0.0.1:8077", key, "dave", "room", "", nil)
	m := newMask("room")
	vera := h.joinV1(t, "127.0.0.1:8077", key, m.name("vera"), m.name("room"), "", nil)
	gateway.hasJoined(t, m.name("vera"))
	zoe := h.upgrade(t, "zoe", "wss://localhost:443/", ca)
	zoe.send(t, said("zoe", "first"))
	vera.gets(t, v1Frame(key, m.name("zoe"), m.name("room"), m.message(counter+"first")))

	ziggy := h.upgrade(t, "ziggy", "wss://localhost:8443/", c.Cert)
	ziggy.send(t, said("ziggy", "I moved"))
	veraHere := bin(v1Body("vera", "room", ""))
	ziggy.gets(t, veraHere, said("zoe", "first"))
	zoe.gets(t, said("ziggy", "I moved"))
	zoe.send(t, said("zoe", "welcome"))
	ziggy.gets(t, veraHere, said("zoe", "first"), said("zoe", "welcome"))
	ziggy.send(t, said("ziggy", "thanks"))
	zoe.gets(t, said("ziggy", "I moved"), said("ziggy", "thanks"))
	vera.gets(t, v1Frame(key, m.name("zoe"), m.name("room"), m.message(counter+"first")),
		v1Frame(key, m.name("ziggy"), m.name("room"), m.message(counter+"I moved")),
		v1Frame(key, m.name("zoe"), m.name("room"), m.message(counter+"welcome")),
		v1Frame(key, m.name("ziggy"), m.name("room"), m.message(counter+"thanks")))
	last := h.joinV1(t, "127.0.0.1:8077", key, "last", "room", "", nil)
	last.gets(t, v1Frame(key, "dave", "room", ""))
	dave.gets(t, v1Frame(key, "last", "room", ""))
	proved(t, "mles-webproxy 0.8.8 beside the gateway with --webproxy-mask=only: browsers here and there read each other, and the plain channel is another")
}

// hasJoined waits until the gateway's log tells of it.
func (p *program) hasJoined(t *testing.T, uid string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		if screen := p.Screen(); !strings.Contains(screen, "msg=joined") || !strings.Contains(screen, uid) {
			return errors.New(uid + " has not joined")
		}
		return nil
	})
}
