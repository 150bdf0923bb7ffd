package acme

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long anything is waited for.
const patience = 40 * time.Second

// programs is the folder with mlesd and pebble.
var programs string

func TestMain(m *testing.M) { os.Exit(built(m)) }

// built builds the programs, from the gateway's own module and from pebble's, and runs the tests.
func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "acme")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	for _, args := range [][]string{
		{"-C", filepath.Join("..", ".."), "build", "-o", filepath.Join(dir, "mlesd"), "./cmd/mlesd"},
		{"build", "-o", filepath.Join(dir, "pebble"), "github.com/letsencrypt/pebble/v2/cmd/pebble"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go %v: %v\n%s", args, err, out)
			return 1
		}
	}
	return m.Run()
}

// eventually waits until ok holds in another process.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
