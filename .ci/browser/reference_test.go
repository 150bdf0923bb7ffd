package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mles/.ci/running"
)

// Alice in a browser and olga on mles-client 1.1.7 talk. That client knows port 8077 only, so this is for a machine where
// nobody else has it: .ci/run, which names the reference programs by MLES_REFS.
func TestReferenceConsole(t *testing.T) {
	refs := os.Getenv("MLES_REFS")
	if refs == "" {
		t.Skip("MLES_REFS names no folder with the reference programs")
	}
	g := &gateway{t: t, env: []string{"MLES_KEY=swordfish"}, dir: t.TempDir(), at: map[string]string{
		"--v1-listen": "127.0.0.1:8077", "--v2-listen": "off", "--plain-listen": "127.0.0.1:0", "--admin-listen": "127.0.0.1:0",
	}}
	g.start()
	client := exec.Command(filepath.Join(refs, "v1c", "bin", "mles-client"), "127.0.0.1")
	olga := running.Start(t, patience, []string{"MLES_KEY=swordfish"}, client)
	olga.Says("User name?")
	olga.Types("olga")
	olga.Says("Channel?")
	olga.Types("hall")
	olga.Says("Welcome olga to hall")
	alice := open(t, g.admin("/chat"))
	js[any](alice, `location.hash = "channel=hall&uid=alice"`)
	alice.until("the address is read", `document.getElementById("uid").value === "alice"`)
	js[any](alice, `document.getElementById("key").value = "swordfish"`)
	alice.joins()
	alice.shows(".note", "olga joined")
	alice.says("hello from a page")
	olga.Says("hello from a page")
	olga.Types("hello from 2017")
	alice.shows(".theirs .text", "hello from 2017")
}
