package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"mles/v1"
	"mles/v2"
)

// configured is a running mlesd with a configuration file.
type configured struct {
	*process
	file string
}

// startWith runs mlesd on free ports, with a file of these lines. None of its flags is on the command line but those of
// the log.
func startWith(t *testing.T, lines ...string) *configured {
	t.Helper()
	c := &configured{file: filepath.Join(t.TempDir(), "mlesd.env")}
	c.write(t, lines...)
	c.process = startBare(t, "--config="+c.file, "--log-format=json")
	c.addr("--admin-listen") // it has read the file
	return c
}

// write replaces the file, with what no test changes at its end.
func (c *configured) write(t *testing.T, lines ...string) {
	t.Helper()
	for _, usual := range []string{"MLESD_V1_LISTEN=127.0.0.1:0", "MLESD_V2_LISTEN=127.0.0.1:0", "MLESD_ADMIN_LISTEN=127.0.0.1:0", "MLESD_LOG_LEVEL=debug"} {
		name, _, _ := strings.Cut(usual, "=")
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+"=") }) {
			lines = append(lines, usual)
		}
	}
	if err := os.WriteFile(c.file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reloads writes the file and has it read by POST /reload.
func (c *configured) reloads(lines ...string) reloaded {
	c.t.Helper()
	c.write(c.t, lines...)
	status, body := c.post("/reload")
	var r reloaded
	if err := json.Unmarshal([]byte(body), &r); err != nil || status != http.StatusOK {
		c.t.Fatalf("reload: %d %s", status, body)
	}
	return r
}

// refuses does the same with a file that does not fit.
func (c *configured) refuses(status int, why string, lines ...string) {
	c.t.Helper()
	c.write(c.t, lines...)
	got, body := c.post("/reload")
	var answer struct{ Error string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || got != status || !strings.Contains(answer.Error, why) {
		c.t.Errorf("reload: %d %s, want %d with %q", got, body, status, why)
	}
}

func (c *configured) post(path string) (status int, body string) {
	c.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Post("http://"+c.addr("--admin-listen")+path, "", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// gone waits for the end of a v1 connection.
func gone(t *testing.T, c *v1.ClientConn) {
	t.Helper()
	for {
		if _, err := c.Recv(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v, want end of file", err)
		}
	}
}

// closedWith waits for the close frame of a v2 connection.
func closedWith(t *testing.T, c *v2.ClientConn, code int, reason string) {
	t.Helper()
	for {
		_, _, err := c.Recv()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code == code && closed.Text == reason {
			return
		} else if err != nil {
			t.Fatalf("%v, want %d %s", err, code, reason)
		}
	}
}

// Channels are taken from v1 by SIGHUP, and a key from v2 by POST: who is still allowed stays and hears what is said.
func TestReload(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	rotate := func(to string) {
		if err := os.WriteFile(keys, []byte(to), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rotate("")
	p := startWith(t, "MLESD_V2_KEY_FILE="+keys)
	bob := p.dialV2("", "bob")
	alice := p.dialV1(new(v1.Dialer), "alice", "one")
	if got := heard(t, bob); got != "one" {
		t.Errorf("bob heard %q", got)
	}

	p.write(t, "MLESD_V2_KEY_FILE="+keys, "MLESD_V1_CHANNELS=iot/**")
	p.signal(syscall.SIGHUP)
	gone(t, alice)
	if l := p.line("reloaded", nil); fmt.Sprint(l["changed"]) != "[--v1-channels]" || l["disconnected"] != 1.0 {
		t.Errorf("the log says %v", l)
	}
	got := p.reloads("MLESD_V2_KEY_FILE=" + keys)
	if !slices.Equal(got.Changed, []string{"--v1-channels"}) || len(got.Disconnected) > 0 {
		t.Errorf("reloaded: %+v", got)
	}
	p.dialV1(new(v1.Dialer), "alice", "two")
	if got := heard(t, bob); got != "two" {
		t.Errorf("bob heard %q", got)
	}

	rotate("swordfish\n")
	got = p.reloads("MLESD_V2_KEY_FILE=" + keys)
	if !slices.Equal(got.Changed, []string{"shared keys"}) || got.Disconnected["wrong auth"] != 1 {
		t.Errorf("reloaded: %+v", got)
	}
	closedWith(t, bob, 1008, "wrong auth")
	carol := p.dialV2("swordfish", "carol")
	for _, want := range []string{"one", "two"} {
		if got := heard(t, carol); got != want {
			t.Errorf("carol heard %q of the history, want %q", got, want)
		}
	}
	p.stop()
	if strings.Contains(p.log(), "swordfish") {
		t.Error("the key was logged")
	}
}

// A key of devices that leaked is limited to their channels: whoever used it elsewhere goes, on v1 and on v2.
func TestReloadScopes(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	rewrite := func(to string) {
		if err := os.WriteFile(keys, []byte(to), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rewrite("swordfish\nherring\n")
	p := startWith(t, "MLESD_KEY_FILE="+keys)
	bob, mallory := p.dialV2("swordfish", "bob"), p.dialV2("herring", "mallory")
	alice := p.dialV1(&v1.Dialer{Key: "herring"}, "alice", "one")
	if got := heard(t, bob); got != "one" {
		t.Errorf("bob heard %q", got)
	}
	rewrite("swordfish\nherring channels=iot/*\n")
	got := p.reloads("MLESD_KEY_FILE=" + keys)
	if !slices.Equal(got.Changed, []string{"shared keys"}) || got.Disconnected["key does not open channel"] != 2 {
		t.Errorf("reloaded: %+v", got)
	}
	closedWith(t, mallory, 1008, "wrong auth")
	gone(t, alice)
	if err := bob.Send(v2.OpBinary, []byte("still here")); err != nil {
		t.Error(err)
	}
	rewrite("swordfish\nherring channels=iot/[\n")
	p.refuses(http.StatusUnprocessableEntity, keys+":2:", "MLESD_KEY_FILE="+keys)
	p.stop()
	for _, key := range []string{"swordfish", "herring"} {
		if strings.Contains(p.log(), key) {
			t.Error("a key was logged")
		}
	}
}

// A listener is added, moved and switched off: who came in by one that moves stays, who came in by one that is off goes.
func TestReloadListeners(t *testing.T) {
	p := startWith(t)
	bob := p.dialV2("", "bob")
	alice := p.dialV1(new(v1.Dialer), "alice", "hi")
	first := p.addr("--v1-listen")

	got := p.reloads("MLESD_PLAIN_LISTEN=127.0.0.1:0", "MLESD_V1_LISTEN=localhost:0")
	if !slices.Equal(got.Changed, []string{"--plain-listen", "--v1-listen"}) || len(got.Opened) < 2 ||
		!slices.Equal(got.Closed, []opening{{"--v1-listen", first}}) || len(got.Disconnected) > 0 {
		t.Errorf("reloaded: %+v", got)
	}
	if nc, err := net.Dial("tcp", first); err == nil {
		nc.Close()
		t.Error("the old address still answers")
	}
	if nc, err := net.Dial("tcp", got.Opened[0].Address); err != nil {
		t.Error(err)
	} else {
		nc.Close()
	}
	plain := p.line("listening", func(l map[string]any) bool { return l["flag"] == "--plain-listen" })["addr"].(string)
	carol, err := new(v2.Dialer).Dial(t.Context(), "ws://"+plain, "carol", "hall")
	if err != nil {
		t.Fatal(err)
	}
	defer carol.Close(1000, "")
	if err := alice.Send([]byte("still here")); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"hi", "still here"} {
		if got := heard(t, carol); got != want {
			t.Errorf("carol heard %q, want %q", got, want)
		}
	}

	got = p.reloads("MLESD_V1_LISTEN=off", "MLESD_PLAIN_LISTEN=off")
	if got.Disconnected["listener closed"] != 2 || len(got.Closed) < 2 {
		t.Errorf("reloaded: %+v", got)
	}
	gone(t, alice)
	closedWith(t, carol, 1001, "server is going away")
	for _, want := range []string{"hi", "still here"} {
		if got := heard(t, bob); got != want {
			t.Errorf("bob heard %q, want %q", got, want)
		}
	}
	p.stop()
}

// freePort returns a port that is free on all addresses, below those that the system gives to connections and to
// listeners that ask for any: one of these could take it on one address meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(20_000 + rand.IntN(12_000))
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// A listener moves from one address to all of them on its port, which are not free before it has left.
func TestReloadMovesWithinAPort(t *testing.T) {
	port := freePort(t)
	p := startWith(t, "MLESD_V1_LISTEN=127.0.0.1:"+port)
	bob := p.dialV2("", "bob")
	alice := p.dialV1(new(v1.Dialer), "alice", "hi")
	got := p.reloads("MLESD_V1_LISTEN=:" + port)
	if len(got.Opened) != 1 || len(got.Closed) != 1 || len(got.Disconnected) > 0 {
		t.Errorf("reloaded: %+v", got)
	}
	if err := alice.Send([]byte("still here")); err != nil {
		t.Error(err)
	}
	d := new(v1.Dialer)
	carol, err := d.Dial(t.Context(), "127.0.0.1:"+port, "carol", "hall", []byte("me too"))
	if err != nil {
		t.Fatal(err)
	}
	defer carol.Close()
	var all []string
	for range 3 {
		all = append(all, heard(t, bob))
	}
	slices.Sort(all)
	if !slices.Equal(all, []string{"hi", "me too", "still here"}) {
		t.Errorf("bob heard %q", all)
	}
	p.stop()
}

// What does not fit changes nothing, says why, and harms nobody.
func TestReloadRefused(t *testing.T) {
	port := freePort(t)
	p := startWith(t, "MLESD_V1_LISTEN=127.0.0.1:"+port)
	bob := p.dialV2("", "bob")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	p.refuses(422, "mlesd.env:1: unknown name MLESD_V1_CHANEL", "MLESD_V1_CHANEL=hall")
	p.refuses(422, "--v1-channels", "MLESD_V1_CHANNELS=[a", "MLESD_V1_READ_ONLY=true")
	p.refuses(422, "--key-file", "MLESD_KEY_FILE=/nowhere/keys", "MLESD_V1_LISTEN=off")
	p.refuses(422, "--tls-cert", "MLESD_TLS_CERT=/nowhere/cert.pem", "MLESD_TLS_KEY=/nowhere/key.pem", "MLESD_V1_LISTEN=off")
	p.refuses(422, "every listener is off", "MLESD_V1_LISTEN=off", "MLESD_V2_LISTEN=off")
	p.refuses(409, "--plain-listen "+taken.Addr().String(), "MLESD_PLAIN_LISTEN="+taken.Addr().String(), "MLESD_V1_LISTEN=off", "MLESD_V2_CHANNELS=nothing")
	// v1 makes room on its port for a listener on all addresses, and comes back when another listener fails.
	p.refuses(409, "--plain-listen "+taken.Addr().String(), "MLESD_PLAIN_LISTEN="+taken.Addr().String(), "MLESD_V1_LISTEN=:"+port)
	if err := os.Remove(p.file); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.line("not reloaded, nothing has changed", func(l map[string]any) bool { return strings.Contains(l["err"].(string), p.file) })

	p.dialV1(new(v1.Dialer), "alice", "all is well")
	if got := heard(t, bob); got != "all is well" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()
}

// What cannot change is told each time, and is as it was.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	p := startWith(t)
	for range 2 {
		got := p.reloads("MLESD_V2_JOINS=live", "MLESD_CACHE="+t.TempDir(), "MLESD_HISTORY_LIMIT=5", "MLESD_MEMORY_LIMIT=512MiB")
		if want := []string{"--cache", "--memory-limit", "--v2-joins"}; !slices.Equal(got.Restart, want) {
			t.Errorf("for the next start: %q, want %q", got.Restart, want)
		}
	}
	got := p.reloads("MLESD_V2_JOINS=live", "MLESD_LOG_LEVEL=info")
	if want := []string{"--history-limit", "--log-level"}; !slices.Equal(got.Changed, want) || !slices.Equal(got.Restart, []string{"--v2-joins"}) {
		t.Errorf("reloaded: %+v", got)
	}
	p.stop()
}

// The admin listener moves while it is asked to.
func TestReloadMovesTheAdminListener(t *testing.T) {
	p := startWith(t)
	first := p.addr("--admin-listen")
	got := p.reloads("MLESD_ADMIN_LISTEN=localhost:0")
	if !slices.Contains(got.Closed, opening{"--admin-listen", first}) || len(got.Opened) == 0 {
		t.Fatalf("reloaded: %+v", got)
	}
	r, err := http.Get("http://" + got.Opened[0].Address + "/healthz")
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("%v, %v", r, err)
	}
	r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	p.stop()
}

// A trial peer becomes the root: its upstream is taken away, and everybody stays.
func TestReloadMakesAPeerTheRoot(t *testing.T) {
	root := startWith(t)
	dan := root.dialV1(new(v1.Dialer), "dan", "at the root")
	p := startWith(t, "MLESD_UPSTREAM=v1://"+root.addr("--v1-listen"))
	bob := p.dialV2("", "bob")
	if got := heard(t, bob); got != "at the root" {
		t.Errorf("bob heard %q", got)
	}
	alice := p.dialV1(new(v1.Dialer), "alice", "at the peer")
	if got := heard(t, bob); got != "at the peer" {
		t.Errorf("bob heard %q", got)
	}
	got := p.reloads()
	if !slices.Contains(got.Changed, "--upstream") || len(got.Disconnected) > 0 {
		t.Errorf("reloaded: %+v", got)
	}
	eventually(t, "the root is rid of its peer", func() bool {
		_, body := root.get("/metrics")
		return strings.Contains(body, `mles_members{dialect="v1"} 1`)
	})
	if err := dan.Send([]byte("alone now")); err != nil {
		t.Error(err)
	}
	if err := alice.Send([]byte("we are still here")); err != nil {
		t.Error(err)
	}
	if got := heard(t, bob); got != "we are still here" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()
	root.stop()
}

// Keys that came from a pipe are not there a second time: that is no file without keys.
func TestReloadCannotReadAPipeAgain(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	pipe := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(pipe); err != nil {
		t.Skip("no pipe has a name here")
	}
	if err := (&config{V1KeyFile: pipe}).rereadable(); err == nil || !strings.Contains(err.Error(), "--v1-key-file "+pipe) {
		t.Errorf("a pipe: %v", err)
	}
	if err := (&config{V1KeyFile: os.DevNull, KeyFile: "/nowhere"}).rereadable(); err != nil {
		t.Error(err)
	}
	if _, err := parse([]string{"--config=" + pipe}, io.Discard); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("--config from a pipe: %v", err)
	}
}
