//go:build readme

package readme

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mles/v1"
)

// securityScenes try what docs/security.md says that others can do, and cannot.
func securityScenes() []scene {
	return []scene{
		{name: "who listens on the network", play: eavesdrop},
		{name: "who has a key is whoever it likes", play: anyName},
		{name: "a key that leaks", play: leakedKey},
		{name: "a page in somebody's browser", play: otherPages},
		{name: "another user of this machine", play: otherUser},
		{name: "files", play: privateFiles},
	}
}

// A tap is a wire that somebody listens on.
type tap struct {
	addr string
	mu   sync.Mutex
	seen bytes.Buffer // of what clients sent
}

// tapped makes a wire to a port of the stage.
func (s *stage) tapped(t *testing.T, to string) *tap {
	t.Helper()
	var l net.Listener
	var err error
	s.host.Do(func() { l, err = net.Listen("tcp", "127.0.0.1:0") })
	if err != nil {
		t.Fatal(err)
	}
	w := &tap{addr: l.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := s.host.Dial(to)
			if err != nil {
				client.Close()
				continue
			}
			open.Go(func() {
				io.Copy(io.MultiWriter(server, w), client)
				server.(*net.TCPConn).CloseWrite()
			})
			open.Go(func() {
				io.Copy(client, server)
				client.Close()
				server.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait()
	})
	return w
}

func (w *tap) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.Write(b)
}

func (w *tap) heard() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.seen.Bytes())
}

// Without TLS what is said can be read, and said again by who does not have the key; with TLS it cannot be read.
func eavesdrop(t *testing.T, c *clone, _ *document, _ []string) {
	const key = "MLES_KEY=swordfish"
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd --v1-tls-listen 127.0.0.1:8078", key)
	s.listening(t, 8077, 8078)
	bob := s.start(t, "mlesctl sub v1://localhost hall --uid bob", key)
	s.members(t, "v1", 1)

	clear := s.tapped(t, "127.0.0.1:8077")
	s.does(t, 0, "mlesctl pub v1://"+clear.addr+" hall 'the safe is open' --uid alice", key)
	bob.Says(t, "the safe is open\n")
	if seen := clear.heard(); !bytes.Contains(seen, []byte("the safe is open")) || bytes.Contains(seen, []byte("swordfish")) {
		t.Errorf("on the wire there is %q", seen)
	}
	nc := s.host.MustDial(t, "127.0.0.1:8077")
	defer nc.Close()
	if _, err := nc.Write(clear.heard()); err != nil {
		t.Fatal(err)
	}
	bob.Says(t, "the safe is open\nthe safe is open\n")

	secret := s.tapped(t, "127.0.0.1:8078")
	s.does(t, 0, "mlesctl pub v1s://"+secret.addr+" hall 'it is empty' --uid carol --insecure", key)
	bob.Says(t, "it is empty\n")
	if seen := secret.heard(); len(seen) == 0 || bytes.Contains(seen, []byte("it is empty")) || bytes.Contains(seen, []byte("carol")) {
		t.Errorf("on the wire there is %q", seen)
	}
	bob.Terminate(t)
	gateway.Terminate(t)
}

// Somebody who has joined as mallory speaks as alice.
func anyName(t *testing.T, c *clone, _ *document, _ []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd", "MLES_KEY=swordfish")
	s.listening(t, 8077)
	bob := s.start(t, "mlesctl sub v1://localhost hall --uid bob --json", "MLES_KEY=swordfish")
	s.members(t, "v1", 1)
	nc := s.host.MustDial(t, "127.0.0.1:8077")
	defer nc.Close()
	key := v1.Key("swordfish", "mallory", "hall")
	for _, m := range []v1.Msg{{UID: "mallory", Channel: "hall"}, {UID: "alice", Channel: "hall", Message: []byte("send money")}} {
		if _, err := nc.Write(v1.AppendFrame(nil, uint32(key), key, m)); err != nil {
			t.Fatal(err)
		}
	}
	bob.Says(t, "send money")
	if said := bob.Screen(); !strings.Contains(said, `"uid":"alice"`) {
		t.Errorf("bob is told %s", said)
	}
	bob.Terminate(t)
	gateway.Terminate(t)
}

// On loopback anybody sees who is there, and may not act.
func otherUser(t *testing.T, c *clone, _ *document, _ []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd")
	s.listening(t, 8077, 9077)
	alice := s.start(t, "mlesctl sub v1://localhost hall --uid alice")
	s.members(t, "v1", 1)
	if said, err := s.get("127.0.0.1:9077", "/status"); err != nil || !strings.Contains(said, "alice") {
		t.Errorf("/status: %q, %v", said, err)
	}
	for _, try := range []struct{ want, request string }{
		{"401", "-X POST 'http://localhost:9077/kick?uid=alice'"},
		{"401", "-X POST 'http://localhost:9077/purge?channel=hall'"},
		{"401", "'http://localhost:9077/history?channel=hall'"},
		{"401", "-d hello 'http://localhost:9077/publish?channel=hall'"},
		{"200", "-X POST http://localhost:9077/reload"},
		{"403", "-X POST -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site' http://localhost:9077/reload"},
		{"403", "-H 'Host: evil.example' http://localhost:9077/status"},
	} {
		if got := s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}' "+try.request).Screen(); got != try.want {
			t.Errorf("curl %s is answered with %s, not %s", try.request, got, try.want)
		}
	}
	alice.Terminate(t)
	gateway.Terminate(t)
}

// What the gateway leaves on disk is for its own user, but for the certificate that clients are to trust.
func privateFiles(t *testing.T, c *clone, _ *document, _ []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "umask 0; exec mlesd", "MLES_KEY=swordfish")
	s.listening(t, 8077, 8443, 9077)
	s.does(t, 0, "mlesctl pub v1://localhost hall hello", "MLES_KEY=swordfish")
	gateway.Terminate(t)
	files := 0
	err := filepath.WalkDir(filepath.Join(s.home, ".cache", "mles"), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files++
		if open := info.Mode().Perm() & 0o077; open != 0 && filepath.Base(path) != "localhost.pem" && info.Size() > 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		text, _ := os.ReadFile(path)
		if bytes.Contains(text, []byte("swordfish")) {
			t.Errorf("%s holds the key", path)
		}
		return nil
	})
	if err != nil || files < 4 {
		t.Errorf("%d files, %v", files, err)
	}
	if strings.Contains(gateway.Screen(), "swordfish") {
		t.Error("the log holds the key")
	}
}
