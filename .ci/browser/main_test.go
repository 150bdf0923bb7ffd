package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long anything is waited for.
const patience = 20 * time.Second

var (
	programs string          // the folder with mlesd and mlesctl
	chromium context.Context // the browser, of which each page is a part
)

func TestMain(m *testing.M) { os.Exit(prepared(m)) }

// prepared builds the programs, starts the browser and runs the tests.
func prepared(m *testing.M) int {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	build := exec.Command("go", "-C", filepath.Join("..", ".."), "build", "-o", dir, "./cmd/mlesd", "./cmd/mlesctl")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"),
		chromedp.NoSandbox, // as root
		chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("lang", "en-GB"),
		chromedp.IgnoreCertErrors, // mlesd makes its own
	)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	defer end()
	browser, end := chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintln(os.Stderr, "chromium does not start; it is in Debian's package chromium:", err)
		return 1
	}
	chromium = browser
	return m.Run()
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
