package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mles/internal/status"
	"mles/v1"
)

// asks gets an answer of the admin listener.
func (p *process) asks(path string, doc any) {
	p.t.Helper()
	code, body := p.get(path)
	if code != http.StatusOK {
		p.t.Fatalf("%s: %d %s", path, code, body)
	}
	if err := json.Unmarshal([]byte(body), doc); err != nil {
		p.t.Fatal(err)
	}
}

// The operator sees who is there by an old key, and by which line of the file. A check of the port is nobody, and is
// not refused.
func TestStatusOfMembers(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("# since May\nnew swordfish\n\nold swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "--key-file="+keys)
	check, err := net.Dial("tcp", p.addr("--v1-listen"))
	if err != nil {
		t.Fatal(err)
	}
	check.Close()
	p.dialV1(&v1.Dialer{Key: "old swordfish"}, "alice", "hello")
	p.dialV2("new swordfish", "bob")
	var doc status.Document
	eventually(t, "both are there, and written down", func() bool {
		doc = status.Document{}
		p.asks("/status", &doc)
		return len(doc.Members) == 2 && doc.Seen.Kept
	})
	alice, bob := doc.Members[0], doc.Members[1]
	if alice.UID != "alice" || alice.Dialect != "v1" || alice.KeyLine != 4 || alice.Key != "shared" || alice.MessagesIn != 1 || alice.Channel != "hall" {
		t.Errorf("%+v", alice)
	}
	if bob.UID != "bob" || bob.Dialect != "v2" || bob.KeyLine != 2 || !bob.LastMessage.IsZero() {
		t.Errorf("%+v", bob)
	}
	flags := make(map[string]status.Listener)
	for _, l := range doc.Listeners {
		flags[l.Flag] = l
	}
	if l := flags["--v2-listen"]; !l.TLS || l.Address != p.addr("--v2-listen") || len(flags) != 3 {
		t.Errorf("%+v", doc.Listeners)
	}
	if c := doc.Certificates; len(c) != 1 || c[0].Domain != "localhost" || c[0].Source != "self-signed" || c[0].NotAfter.Before(doc.Now) || c[0].Problem != "" {
		t.Errorf("%+v", c)
	}
	if len(doc.Stats.Refusals) != 0 || doc.Stats.Accepted != 3 || doc.Stats.Dialects["v1"].Members != 1 || doc.Version == "" {
		t.Errorf("%+v", doc.Stats)
	}
	if doc.Seen.Problem != "" || doc.Seen.Dialects["v1"].Present != 1 || doc.Seen.Dialects["v1"].Entries != 1 {
		t.Errorf("%+v", doc.Seen)
	}
	if _, body := p.get("/status?dialect=v1"); strings.Contains(body, "bob") || strings.Contains(body, "swordfish") {
		t.Error("bob, or a key, is shown")
	}
	r, err := http.NewRequest(http.MethodGet, "http://"+p.addr("--admin-listen")+"/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Close = "mallory.example", true
	if answer, err := http.DefaultClient.Do(r); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a page of mallory's: %v, %v", answer, err)
	} else {
		answer.Body.Close()
	}
	p.stop()
}

// Who used v1 is known after a restart, also after one without notice, and is never in the way of a start.
func TestSeenAcrossRestarts(t *testing.T) {
	cache := t.TempDir()
	journal := filepath.Join(cache, "seen.journal")
	seen := func(p *process, want string) {
		t.Helper()
		var doc status.SeenDocument
		eventually(t, "the record is read", func() bool { p.asks("/status/seen?dialect=v1&for=720h", &doc); return doc.Seen.Kept })
		var uids []string
		for _, v := range doc.Visitors {
			uids = append(uids, v.UID)
		}
		if got := strings.Join(uids, " "); got != want || (doc.Answer == status.Used) != (want != "") {
			t.Errorf("%s: %q, want %q", doc.Answer, got, want)
		}
	}
	first := start(t, nil, "--cache="+cache)
	seen(first, "")
	first.dialV1(new(v1.Dialer), "alice", "hello")
	eventually(t, "alice is there", func() bool { _, body := first.get("/status"); return strings.Contains(body, `"alice"`) })
	first.stop()

	second := start(t, nil, "--cache="+cache)
	seen(second, "alice")
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-second.exited

	third := start(t, nil, "--cache="+cache)
	seen(third, "alice")
	third.dialV1(new(v1.Dialer), "anna", "hello")
	eventually(t, "anna is there", func() bool { _, body := third.get("/status"); return strings.Contains(body, `"anna"`) })
	third.stop()
	if info, err := os.Stat(journal); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, []byte(strings.Replace(string(text), "anna", "eve!", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth := start(t, nil, "--cache="+cache)
	seen(fourth, "alice")
	fourth.stop()
	if !strings.Contains(fourth.log(), "damaged") {
		t.Error("nothing is said of the damage")
	}
}

// A gateway that has nowhere to keep anything works all the same.
func TestNowhereToKeepWhoWasSeen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "--cache="+file, "--v2-listen=off")
	p.dialV1(new(v1.Dialer), "alice", "hello")
	var doc status.SeenDocument
	eventually(t, "alice is seen", func() bool { p.asks("/status/seen?dialect=v1&for=720h", &doc); return doc.Clients == 1 })
	if doc.Seen.Kept || doc.Seen.Problem == "" {
		t.Errorf("%+v", doc.Seen)
	}
	p.line("who was seen is kept in memory only for now", nil)
	p.stop()
}
