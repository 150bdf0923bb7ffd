package browser

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mles/.ci/running"
)

// gateway is a running mlesd on ports of its own, which it keeps when it is started again.
type gateway struct {
	*running.Program
	t         *testing.T
	env, args []string
	dir       string            // its cache folder
	at        map[string]string // by flag, where it listens: 127.0.0.1:port
}

// startGateway starts one with all listeners that the pages and clients of v1 need.
func startGateway(t *testing.T, env []string, args ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, env: env, args: args, dir: t.TempDir(), at: map[string]string{
		"--v1-listen": "127.0.0.1:0", "--v2-listen": "127.0.0.1:0", "--admin-listen": "127.0.0.1:0",
	}}
	g.start()
	return g
}

var listening = regexp.MustCompile(`msg=listening flag=(\S+) addr=(\S+)`)

func (g *gateway) start() {
	g.t.Helper()
	args := append([]string{"--cache=" + g.dir}, g.args...)
	for flag, addr := range g.at {
		args = append(args, flag+"="+addr)
	}
	g.Program = run(g.t, g.env, "mlesd", args...)
	open := 0
	for _, addr := range g.at {
		if addr != "off" {
			open++
		}
	}
	g.Says("msg=listening")
	eventually(g.t, "all listeners are open", func() bool { return len(g.Said("msg=listening")) >= open })
	for _, line := range g.Said("msg=listening") {
		if m := listening.FindStringSubmatch(line); m != nil {
			g.at[m[1]] = m[2]
		}
	}
}

// admin is the URL of a path on the admin listener, site where v2 is served.
func (g *gateway) admin(path string) string { return "http://" + g.at["--admin-listen"] + path }
func (g *gateway) site(path string) string  { return "https://" + g.at["--v2-listen"] + path }

// token is the admin token.
func (g *gateway) token() string {
	g.t.Helper()
	token, err := os.ReadFile(filepath.Join(g.dir, "admin-token"))
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// console starts a console client of v1, which has joined when this returns.
func (g *gateway) console(uid, channel string, env ...string) *running.Program {
	g.t.Helper()
	p := run(g.t, env, "mlesctl", "chat", "v1://"+g.at["--v1-listen"], channel, "--uid="+uid)
	return p
}
