//go:build interop

package interop

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Every line that somebody says in a scenario holds this mark, so that it can be told from whatever else a program prints.
const mark = "»"

// startConsole runs mles-client 1.1.7 on a terminal and joins. It takes what one read gives it for one answer.
func (h *host) startConsole(t *testing.T, server, key, uid, channel string) *program {
	t.Helper()
	p := h.startOnTerminal(t, uid+" (mles-client 1.1.7)", keyEnv(key), ref(client1), server)
	p.Says(t, "User name?")
	p.Types(t, uid)
	p.Says(t, "Channel?")
	p.Types(t, channel)
	p.Says(t, "Welcome "+uid+" to "+channel)
	return p
}

// startWebsocat runs websocat against wss://localhost:8443, and types the hello.
func (h *host) startWebsocat(t *testing.T, c hosts.Certificate, key, uid, channel string) *program {
	t.Helper()
	p := h.start(t, uid+" (websocat)", []string{"SSL_CERT_FILE=" + c.Cert},
		ref(websocat), "--protocol", "mles-websocket", "wss://localhost:8443")
	p.Types(t, hello(uid, channel, key))
	return p
}

// startClient2 runs mles-client 2.2.0 against a server on a terminal and enters the passphrase that it encrypts with.
func (h *host) startClient2(t *testing.T, server string, c hosts.Certificate, key, uid, channel, passphrase string) *program {
	t.Helper()
	env := append(keyEnv(key), "SSL_CERT_FILE="+c.Cert, "HOME="+t.TempDir())
	p := h.startOnTerminal(t, uid+" (mles-client 2.2.0)", env,
		ref(client2), "--server", server, "--uid", uid, "--channel", channel)
	p.Says(t, "Shared key:")
	p.Types(t, passphrase)
	return p
}

// A controller is how mlesctl is called in a scenario.
type controller struct {
	host *host
	key  string
	v1   string // address of the v1 server
	v2   string // address of the v2 server, whose certificate crt is
	crt  hosts.Certificate
}

// chat, sub and pub run mlesctl in a pipe; chatOnTerminal on a terminal.
func (c controller) chat(t *testing.T, address, uid, channel string, flags ...string) *program {
	t.Helper()
	return c.host.start(t, uid+" (mlesctl chat)", c.env(t), c.argv("chat", address, uid, channel, flags)...)
}

func (c controller) chatOnTerminal(t *testing.T, address, uid, channel string, flags ...string) *program {
	t.Helper()
	return c.host.startOnTerminal(t, uid+" (mlesctl chat)", c.env(t), c.argv("chat", address, uid, channel, flags)...)
}

func (c controller) sub(t *testing.T, address, uid, channel string, flags ...string) *program {
	t.Helper()
	return c.host.start(t, uid+" (mlesctl sub)", c.env(t), c.argv("sub", address, uid, channel, flags)...)
}

// pub sends messages, each an argument, and expects to be told that the server has them.
func (c controller) pub(t *testing.T, address, uid, channel string, messages []string, flags ...string) {
	t.Helper()
	p := c.host.start(t, uid+" (mlesctl pub)", c.env(t), append(c.argv("pub", address, uid, channel, flags), messages...)...)
	if err := p.Wait(t); err != nil {
		t.Fatalf("%s: %v: %s", p.Name, err, p.Screen())
	}
}

func (c controller) env(t *testing.T) []string {
	return append(keyEnv(c.key), "HOME="+t.TempDir())
}

func (c controller) argv(verb, address, uid, channel string, flags []string) []string {
	argv := []string{filepath.Join(programs, "mlesctl"), verb, "--uid", uid}
	if strings.HasPrefix(address, "wss:") {
		argv = append(argv, "--ca", c.crt.Cert)
	}
	return append(append(argv, flags...), address, channel)
}

// A line is what somebody said.
type line struct{ uid, text string }

// others are the lines that uid did not say: nobody is sent what he said himself.
func others(all []line, uid string) []line {
	return slices.DeleteFunc(slices.Clone(all), func(l line) bool { return l.uid == uid })
}

// How the programs show a line.
func onConsole(l line) string { return l.uid + ":" + l.text }
func onV1Chat(l line) string  { return l.uid + ": " + l.text } // mles-client 2.2.0 shows it so, too
func onV2Chat(l line) string  { return "< " + l.text }
func textOnly(l line) string  { return l.text }
func asV1JSON(l line) string  { return "message v1 " + l.uid + " " + l.text + "\n" }
func asV2JSON(l line) string  { return "message v2  " + l.text + "\n" }

// shows waits until the marked lines on the screen are exactly these, in this order.
func (p *program) shows(t *testing.T, show func(line) string, want ...line) {
	t.Helper()
	hosts.Eventually(t, func() error { return compare(p, marked(p.Screen()), show, want) })
}

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	clock   = regexp.MustCompile(`^\d\d:\d\d `)
)

// draws is shows for mles-client 2.2.0, which clears the screen and draws all lines anew at each: those drawn last count.
func (p *program) draws(t *testing.T, want ...line) {
	t.Helper()
	hosts.Eventually(t, func() error {
		screen := p.Screen()
		screen = screen[max(0, strings.LastIndex(screen, "\x1b[2J")):]
		got := marked(escapes.ReplaceAllString(screen, ""))
		for i := range got {
			got[i] = clock.ReplaceAllString(got[i], "")
		}
		return compare(p, got, onV1Chat, want)
	})
}

// showsPrompted is shows for mlesctl chat on a terminal, which puts its prompt before each line and what uid types after it.
func (p *program) showsPrompted(t *testing.T, uid string, want ...line) {
	t.Helper()
	hosts.Eventually(t, func() error {
		var got []string
		for _, l := range marked(strings.ReplaceAll(escapes.ReplaceAllString(p.Screen(), ""), uid+"> ", "")) {
			if strings.HasPrefix(l, "< ") {
				got = append(got, l)
			}
		}
		return compare(p, got, onV2Chat, want)
	})
}

// showsJSON is shows for mlesctl sub --json.
func (p *program) showsJSON(t *testing.T, show func(line) string, want ...line) {
	t.Helper()
	hosts.Eventually(t, func() error {
		var got []string
		for _, l := range marked(p.Screen()) {
			var r struct{ Kind, Dialect, UID, Text string }
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				return err
			}
			got = append(got, strings.Join([]string{r.Kind, r.Dialect, r.UID, r.Text}, " "))
		}
		return compare(p, got, show, want)
	})
}

func marked(screen string) []string {
	var lines []string
	for l := range strings.Lines(screen) {
		if strings.Contains(l, mark) {
			lines = append(lines, strings.TrimRight(l, "\r\n"))
		}
	}
	return lines
}

func compare(p *program, got []string, show func(line) string, lines []line) error {
	var a, b [][]byte
	for _, g := range got {
		a = append(a, []byte(g))
	}
	for _, l := range lines {
		b = append(b, []byte(show(l)))
	}
	return differ(p.Name, a, b, nil)
}
