//go:build interop

package interop

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// checkTime is what one run of the conformance suite may take.
const checkTime = time.Minute

// check starts mlesctl check on the host.
func (h *host) check(t *testing.T, key string, flags ...string) *program {
	t.Helper()
	return h.start(t, "mlesctl check", keyEnv(key), append([]string{filepath.Join(programs, "mlesctl"), "check"}, flags...)...)
}

// verdict waits for a run's end; it must have come out as its profile says.
func (p *program) verdict(t *testing.T) {
	t.Helper()
	if err := p.WaitFor(t, checkTime); err != nil {
		t.Fatalf("mlesctl check: %v", err)
	}
}

// summary is the last line of a report in text, which counts the cases.
var summary = regexp.MustCompile(`\d+ cases in [^\r\n]*`)

// Each of these begins before the scenarios that run in parallel, since a suite counts what does not come in time.

func TestCheckMles1(t *testing.T) {
	for name, key := range map[string]string{"shared key": "check », the key", "address keys": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.startMles1(t, key)
			for range 3 {
				p := h.check(t, key, "--v1", "127.0.0.1:8077", "--profile", "mles-1.1.7")
				p.verdict(t)
				proved(t, "mles 1.1.7 is as its profile says: %s", summary.FindString(p.Screen()))
			}
		})
	}
}

func TestCheckMles2(t *testing.T) {
	crt := hosts.NewCertificate(t, "localhost")
	for name, key := range map[string]string{"shared key": "check », the key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.startMles2(t, key, crt, "8443")
			for range 3 {
				p := h.check(t, key, "--v2", "wss://localhost:8443", "--ca", crt.Cert, "--profile", "mles-2.9.4")
				p.verdict(t)
				proved(t, "mles 2.9.4 is as its profile says: %s", summary.FindString(p.Screen()))
			}
		})
	}
}

// The v1 client's own proxy, in front of a mles 1.1.7 with the same key: without one, that server refuses the proxy.
func TestCheckV1ClientAsWebSocketProxy(t *testing.T) {
	const key = "check », the key"
	h := newHost(t)
	h.startMles1(t, key)
	h.start(t, "mles-client 1.1.7 --use-websockets", keyEnv(key), ref(client1), "127.0.0.1", "--use-websockets")
	h.Listening(t, "127.0.0.1:8076")
	for range 3 {
		p := h.check(t, key, "--v1", "127.0.0.1:8077", "--v1ws", "ws://127.0.0.1:8076", "--run", "^v1ws/", "--profile", "mles-client-1.1.7-proxy")
		p.verdict(t)
		proved(t, "mles-client 1.1.7 --use-websockets is as its profile says: %s", summary.FindString(p.Screen()))
	}
}

// The gateway's own profile is empty: everything passes, the hostile cases too, also with eight runs at once.
func TestCheckGateway(t *testing.T) {
	crt := hosts.NewCertificate(t, "localhost")
	for name, key := range map[string]string{"shared key": "check », the key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.startGateway(t, key, crt, "--v1-websocket")
			flags := []string{"--v1", "127.0.0.1:8077", "--v2", "wss://localhost:8443", "--v1ws", "wss://localhost:8443", "--ca", crt.Cert, "--profile", "gateway"}
			var runs []*program
			for range 8 {
				runs = append(runs, h.check(t, key, flags...))
			}
			for _, p := range runs {
				p.verdict(t)
			}
			p := h.check(t, key, append(flags, "--hostile")...)
			p.verdict(t)
			proved(t, "the gateway keeps to everything: %s", summary.FindString(p.Screen()))
		})
	}
}
