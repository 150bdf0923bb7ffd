//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Two mles-client 2.2.0, which encrypt, read each other through the gateway. A raw v1 client counts what passes and can
// read none of it; and what it kept, it can say again on another gateway, where a third client reads it.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "gate key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startGateway(t, key, crt)
			const words = "correct horse battery staple"

			raw := h.joinV2(t, crt, key, "raw", "vault")
			vic := h.joinV1(t, "127.0.0.1:8077", key, "vic", "vault", "", nil)
			alice := h.startClient2(t, "wss://localhost:8443", crt, key, "alice", "vault", words)
			vic.counts(t, "raw:", "alice:")
			bob := h.startClient2(t, "wss://localhost:8443", crt, key, "bob", "vault", words)
			vic.counts(t, "raw:", "alice:", "bob:")

			all := []line{{"alice", "alice » to bob"}, {"bob", "bob » to alice, päivää"}, {"alice", "alice » again"},
				{"carol", "carol » has read it all"}, {"alice", "alice » that is all"}}
			alice.Types(t, all[0].text)
			bob.draws(t, all[0])
			bob.Types(t, all[1].text)
			alice.draws(t, all[:2]...)
			alice.Types(t, all[2].text)
			bob.draws(t, all[:3]...)
			sealed := vic.counts(t, "raw:", "alice:", "bob:", "alice:…", "bob:…", "alice:…")
			raw.gets(t, bin(sealed[0]), bin(sealed[1]), bin(sealed[2]))

			// Noise of both dialects harms nobody.
			const noise = "noise of v1 that nobody can decrypt, longer than any header that it might be taken for, for good measure"
			vic.send(t, noise)
			raw.gets(t, bin(sealed[0]), bin(sealed[1]), bin(sealed[2]), bin(noise))
			raw.send(t, text("noise of v2"))
			raw.send(t, bin(""))
			vic.counts(t, "raw:", "alice:", "bob:", "alice:…", "bob:…", "alice:…", "raw:…", "raw:")
			carol := h.startClient2(t, "wss://localhost:8443", crt, key, "carol", "vault", words)
			carol.draws(t, all[:3]...)
			carol.Types(t, all[3].text)
			alice.draws(t, all[:4]...)
			alice.Types(t, all[4].text)
			for _, p := range []*program{alice, bob, carol} {
				p.draws(t, all...)
			}
			sealed = vic.counts(t, "raw:", "alice:", "bob:", "alice:…", "bob:…", "alice:…", "raw:…", "raw:", "carol:", "carol:…", "alice:…")
			raw.gets(t, bin(sealed[0]), bin(sealed[1]), bin(sealed[2]), bin(noise), bin(sealed[4]), bin(sealed[5])) // [3] is its own noise

			elsewhere := newHost(t)
			other := elsewhere.startGateway(t, key, crt)
			ear := elsewhere.joinV1(t, "127.0.0.1:8077", key, "ear", "vault", "", nil)
			other.hasIn(t, ear)
			dave := elsewhere.startClient2(t, "wss://localhost:8443", crt, key, "dave", "vault", words)
			ear.counts(t, "dave:")
			rex := elsewhere.joinV1(t, "127.0.0.1:8077", key, "rex", "vault", sealed[0], nil)
			dave.draws(t, all[0])
			rex.send(t, sealed[1])
			dave.draws(t, all[:2]...)
			dave.Types(t, "dave » that is all")
			dave.draws(t, all[0], all[1], line{"dave", "dave » that is all"})
			ear.counts(t, "dave:", "rex:…", "rex:…", "dave:…")
			rex.counts(t, "ear:", "dave:", "dave:…")
			proved(t, "%s: mles-client 2.2.0 read each other through the gateway, live, from history and by way of a v1 client", name)
		})
	}
}

// counts waits until c has exactly these frames: "uid:" is a frame with an empty message, "uid:…" one with a message, which
// must not be readable. It returns the messages.
func (c *v1Client) counts(t *testing.T, want ...string) (messages []string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		messages = nil
		frames, end := c.received()
		if len(frames) != len(want) {
			return fmt.Errorf("%s counts %d frames instead of %d (%v): %q", c.uid, len(frames), len(want), end, frames)
		}
		for i, f := range frames {
			body, uid, full := string(f[16:]), strings.TrimRight(want[i], ":…"), strings.HasSuffix(want[i], "…")
			if !full {
				if body != v1Body(uid, c.channel, "") {
					return fmt.Errorf("%s: frame %d is %q, not an empty one of %s", c.uid, i+1, body, uid)
				}
				continue
			}
			message, err := v1Message(body, uid, c.channel)
			if err != nil {
				return fmt.Errorf("%s: frame %d: %w", c.uid, i+1, err)
			}
			if strings.Contains(message, mark) {
				return fmt.Errorf("%s can read frame %d: %q", c.uid, i+1, message)
			}
			messages = append(messages, message)
		}
		return nil
	})
	return messages
}

// v1Message takes the message out of the canonical body of (uid, channel).
func v1Message(body, uid, channel string) (string, error) {
	for head := 1; head <= 5; head++ { // the length before the message may have as many bytes
		start := len(v1Body(uid, channel, "")) - 1 + head
		if start <= len(body) && v1Body(uid, channel, body[start:]) == body {
			return body[start:], nil
		}
	}
	return "", fmt.Errorf("not the body of a message by %s on %s: %q", uid, channel, body)
}
