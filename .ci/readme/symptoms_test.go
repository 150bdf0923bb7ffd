//go:build readme

package readme

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// A trouble is something that goes wrong, and by which words operators know it.
type trouble struct {
	name  string
	words []string
	play  func(t *testing.T, s *stage) // nil: too long for here, another test has it; that a program has the words is all
}

func troubles() []trouble {
	return []trouble{
		{"start", []string{"address already in use", "permission denied", "unknown name"}, startFails},
		{"keys", []string{"wrong key", "wrong auth", "key does not open channel", "key does not open dialect", "channel not allowed"}, wrongKeys},
		{"names", []string{"cid taken", "already joined", "replaced"}, takenNames},
		{"strangers", []string{"not a frame", "tls handshake", "no upgrade", "hello must be text"}, strangers},
		{"silence", []string{"no join in time", "no hello in time"}, silence},
		{"crowd", []string{"over a limit", "connection refused: too many connections", "connection closed, which had not joined, for another one"}, crowd},
		{"limits", []string{"rate limit", "per-ip limit", "proxy header", "origin not allowed"}, limits},
		{"authority", []string{"no certificate yet", "the ACME authority connects to port 443 of each domain"}, noAuthority},
		{"certificate files", []string{
			"the new certificate is not used, the one before it stays", "the certificate has expired", "the certificate is for localhost only",
			"the certificate of an older server cannot be used",
		}, certificateFiles},
		{"taken away", []string{"no longer allowed", "not published: v1 is read-only", "kicked"}, takenAway},
		{"restart", []string{"histories are not kept over a restart", "a file of histories is set aside", "who was seen is kept in memory only", "drained, some connections were cut off"}, restarted},
		{"upstream", []string{"upstream not connected", "loop"}, noUpstream},
		{"reload", []string{"not reloaded, nothing has changed", "a change takes effect at the next start", "is no setting"}, noReload},
		{"pages", []string{"a domain has no folder in the web root", "a server behind the site does not answer", "going on without metrics and health",
			"a file of the site is not served"}, pages},
		{"token", []string{"a wrong token for the admin listener", "there is no token for the admin listener"}, wrongToken},

		{"authority's own, .ci/acme", []string{"the ACME authority could not prove the name", "certificate not renewed", "a new certificate cannot be kept"}, nil},
		{"minutes, .ci/load", []string{"subscription cut", "too slow", "stalled", "over memory", "cannot accept a connection: out of file descriptors"}, nil},
		{"minutes, bridge", []string{"no pong"}, nil},
		{"full disk, internal/keep", []string{"histories cannot be saved", "not all histories are remembered"}, nil},
		{"crowds of browsers, internal/web and bridge", []string{
			"a file of the site cannot be read", "request for a page refused: too many", "no file of the site can be opened",
		}, nil},
		{"odd upstreams, bridge", []string{"left out a message of an upstream"}, nil},
		{"nobody reads the log, internal/logs", []string{"lines of the log were dropped"}, nil},
		{"standstill, cmd/mlesd", []string{"the gateway does not work, systemd's watchdog is not fed"}, nil},
	}
}

// words are what the tables of trouble have in code marks and is no flag, variable, command or field of the log.
func (d *document) words(t *testing.T) (words []string) {
	t.Helper()
	for line := range strings.Lines(d.section(t, "When something is wrong")) {
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			w := m[1]
			switch {
			case strings.HasPrefix(w, "--"), strings.Contains(w, "=") && !strings.Contains(w, " "), regexp.MustCompile("^(ss|mlesctl|mlesd) ").MatchString(w),
				slices.Contains([]string{"mlesctl", "CAP_NET_BIND_SERVICE", "err", "again", "reason", "again_in", "flag", "origin", "mles_untranslatable_total", "mles_refusals_total{reason}"}, w):
			default:
				words = append(words, w)
			}
		}
	}
	return words
}

// Whatever docs/operations.md says of trouble can be had, and is said in those words; and it speaks of no other.
func showSymptoms(t *testing.T, c *clone, d *document, _ []string) {
	source := sources(t, c.repository)
	var known []string
	for _, trouble := range troubles() {
		known = append(known, trouble.words...)
		if trouble.play == nil {
			for _, w := range trouble.words {
				if !strings.Contains(source, w) {
					t.Errorf("no program says %q", w)
				}
			}
			continue
		}
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			s, _ := c.named(t)
			trouble.play(t, s)
		})
	}
	words := d.words(t)
	for _, w := range words {
		if !slices.Contains(known, w) {
			t.Errorf("%s speaks of %q, which nobody provokes", d.name, w)
		}
	}
	for _, w := range known {
		if !slices.Contains(words, w) {
			t.Errorf("%s does not speak of %q", d.name, w)
		}
	}
}

// sources is what the programs are made of, without their tests.
func sources(t *testing.T, repository string) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range []string{"bridge", "cmd", "internal", "v1", "v2"} {
		err := filepath.WalkDir(filepath.Join(repository, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			b.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func (s *stage) file(t *testing.T, name, text string) {
	t.Helper()
	hosts.WriteFile(t, filepath.Join(s.dir, name), []byte(text))
}

func startFails(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --v2-listen off --admin-listen off")
	s.listening(t, 8077)
	s.does(t, 1, "mlesd --v2-listen off --admin-listen off").Says(t, "--v1-listen [::]:8077: address already in use")
	s.does(t, 0, "ss -ltnp").Says(t, "mlesd")
	gateway.Terminate(t)
	s.does(t, 1, "setpriv --bounding-set -net_bind_service mlesd --v1-listen 80 --v2-listen off --admin-listen off").Says(t, "--v1-listen [::]:80: permission denied")
	s.does(t, 2, "setpriv --bounding-set -net_bind_service mlesd --check --v1-listen 80 --v2-listen off --admin-listen off").Says(t, "CAP_NET_BIND_SERVICE")
	s.file(t, "mlesd.env", "MLESD_V1_LISTN=off\n")
	s.does(t, 2, "mlesd --config mlesd.env").Says(t, "mlesd.env:1: unknown name MLESD_V1_LISTN")
}

func wrongKeys(t *testing.T, s *stage) {
	s.file(t, "keys", "swordfish\nherring channels=iot/*\ncod dialects=v2\n")
	gateway := s.start(t, "mlesd --key-file keys --v1-channels 'iot/**,hall'")
	s.listening(t, 8077, 8443)
	for _, try := range []struct{ key, address, channel, reason string }{
		{"perch", "v1://localhost", "hall", "wrong key"},
		{"perch", "wss://localhost:8443", "hall", "wrong auth"},
		{"herring", "v1://localhost", "hall", "key does not open channel: key of line 2"},
		{"cod", "v1://localhost", "hall", "key does not open dialect: key of line 3"},
		{"swordfish", "v1://localhost", "cellar", "channel not allowed"},
	} {
		s.does(t, 4, fmt.Sprintf("mlesctl pub %s %s hello", try.address, try.channel), "MLES_KEY="+try.key)
		gateway.Says(t, try.reason)
	}
	gateway.Terminate(t)
}

func takenNames(t *testing.T, s *stage) {
	const key = "MLES_KEY=swordfish"
	gateway := s.start(t, "mlesd", key)
	s.listening(t, 8077, 8443)
	alice := s.start(t, "mlesctl sub v1://localhost hall --uid alice", key)
	bob := s.start(t, "mlesctl sub wss://localhost:8443 hall --uid bob", key)
	s.members(t, "v1", 1)
	s.members(t, "v2", 1)
	s.does(t, 4, "mlesctl pub v1://localhost hall hello --uid alice", key)
	gateway.Says(t, `reason="cid taken: held for`)
	s.does(t, 4, "mlesctl pub wss://localhost:8443 hall hello --uid bob", key)
	gateway.Says(t, `reason="already joined: held for`)
	stop(t, s, "mlesctl sub wss")
	s.does(t, 0, "mlesctl pub wss://localhost:8443 hall hello --uid bob", key)
	gateway.Says(t, "reason=replaced")
	bob.Kill()
	alice.Terminate(t)
	gateway.Terminate(t)
}

// stop has the one process of the stage with this command line stand still.
func stop(t *testing.T, s *stage, command string) {
	t.Helper()
	stopped := 0
	s.host.Do(func() {
		own, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			return
		}
		out, _ := exec.Command("pgrep", "-f", command).Output()
		for _, pid := range strings.Fields(string(out)) {
			if net, err := os.Readlink("/proc/" + pid + "/ns/net"); err == nil && net == own {
				var n int
				if _, err := fmt.Sscan(pid, &n); err == nil && syscall.Kill(n, syscall.SIGSTOP) == nil {
					stopped++
				}
			}
		}
	})
	if stopped != 1 {
		t.Fatalf("%d processes of %q were stopped", stopped, command)
	}
}

func strangers(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --plain-listen 8080")
	s.listening(t, 8077, 8080, 8443)
	fmt.Fprintf(s.host.MustDial(t, "127.0.0.1:8077"), "GET / HTTP/1.0\r\n\r\n")
	gateway.Says(t, "not a frame")
	fmt.Fprintf(s.host.MustDial(t, "127.0.0.1:8443"), "GET / HTTP/1.0\r\n\r\n")
	gateway.Says(t, "tls handshake")
	fmt.Fprintf(s.host.MustDial(t, "127.0.0.1:8080"), "GET / HTTP/1.0\r\n\r\n")
	gateway.Says(t, "no upgrade")
	s.does(t, 4, "mlesctl pub v1+wss://localhost:8443 hall hello")
	gateway.Says(t, "hello must be text")
	gateway.Terminate(t)
}

func silence(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --plain-listen 8080")
	s.listening(t, 8077, 8080)
	fmt.Fprint(s.host.MustDial(t, "127.0.0.1:8077"), "M")
	fmt.Fprintf(s.host.MustDial(t, "127.0.0.1:8080"), "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mles-websocket\r\n\r\n")
	for late := time.Now().Add(2 * hosts.Patience); !strings.Contains(gateway.Screen(), `reason="no join in time"`) && time.Now().Before(late); {
		time.Sleep(100 * time.Millisecond) // it takes 10 s, as long as Says waits
	}
	gateway.Says(t, `reason="no join in time"`)
	gateway.Says(t, `reason="no hello in time"`)
	gateway.Terminate(t)
}

func crowd(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --max-connections 1")
	s.listening(t, 8443)
	alice := s.start(t, "mlesctl sub v1://localhost hall")
	s.members(t, "v1", 1)
	s.does(t, 3, "mlesctl sub wss://localhost:8443 hall").Says(t, "over a limit") // pub may be told after it has sent
	gateway.Says(t, `"connection refused: too many connections; raise --max-connections`)
	alice.Terminate(t)
	gateway.Terminate(t)

	gateway = s.start(t, "mlesd --max-connections 2")
	s.listening(t, 8443)
	for range 2 {
		defer s.host.MustDial(t, "127.0.0.1:8077").Close()
	}
	s.does(t, 0, "mlesctl pub 'v1://[::1]' hall hello")
	gateway.Says(t, `"connection closed, which had not joined, for another one: too many connections; raise --max-connections`)
	gateway.Terminate(t)
}

func limits(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --per-ip-limit 1 --rate-limit 3/h --limit-exempt ::1,127.0.0.3")
	s.listening(t, 9077)
	for range 3 {
		one := s.host.MustDial(t, "127.0.0.1:8077")
		two := s.host.MustDial(t, "127.0.0.1:8077")
		gateway.Says(t, "--per-ip-limit, or name the address in --limit-exempt")
		one.Close()
		two.Close()
	}
	hosts.Eventually(t, func() error {
		s.host.MustDial(t, "127.0.0.1:8077").Close()
		if !strings.Contains(gateway.Screen(), "--rate-limit, or name the address in --limit-exempt") {
			return errors.New("no rate is limited")
		}
		return nil
	})
	metrics, err := s.get("127.0.0.1:9077", "/metrics")
	for _, reason := range []string{"rate limit", "per-ip limit"} {
		if !strings.Contains(metrics, `mles_refusals_total{reason="`+reason+`"}`) {
			t.Errorf("no refusal is counted as %s, %v", reason, err)
		}
	}
	gateway.Terminate(t)

	gateway = s.start(t, "mlesd --proxy-protocol v1=127.0.0.1")
	s.listening(t, 8443)
	fmt.Fprint(s.host.MustDial(t, "127.0.0.1:8077"), "GET / HTTP/1.0\r\n\r\n")
	gateway.Says(t, `reason="proxy header: `)
	s.does(t, 0, "curl -sk --http1.1 -o /dev/null -m 5 -H 'Origin: https://evil.example' -H 'Connection: Upgrade' -H 'Upgrade: websocket' "+
		"-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' https://localhost:8443/")
	gateway.Says(t, `reason="origin not allowed" flag=--origins origin=https://evil.example`)
	gateway.Terminate(t)
}
