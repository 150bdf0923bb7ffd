package main

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/term"
)

// screen is a terminal that a test types on and looks at.
type screen struct {
	keys *io.PipeReader
	mu   sync.Mutex
	seen strings.Builder
}

func (s *screen) Read(p []byte) (int, error) { return s.keys.Read(p) }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Write(p)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// chatting runs chatInEditor on a screen; type sends keys and lets everything
// come to rest.
func chatting(t *testing.T, turns ...turn) (server *fakeServer, on *screen, typeKeys func(string), result chan error) {
	keys, typing := io.Pipe()
	t.Cleanup(func() { typing.Close() })
	on = &screen{keys: keys}
	server = &fakeServer{turns: turns}
	m := &member{dialect: server, uid: "alice", server: "fake", retry: unlimited}
	result = make(chan error, 1)
	go func() { result <- chatInEditor(t.Context(), m, term.NewTerminal(on, "alice> ")) }()
	synctest.Wait()
	return server, on, func(k string) {
		io.WriteString(typing, k)
		synctest.Wait()
	}, result
}

const (
	left, up, enter, ctrlA, ctrlC, ctrlD = "\x1b[D", "\x1b[A", "\r", "\x01", "\x03", "\x04"
)

func TestLineEditing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, keys, result := chatting(t, turn{shows: channel("bob:hi"), ends: wellEnded})
		keys("helo" + left + "l" + enter)     // mended in the middle
		keys("there" + ctrlA + "hi " + enter) // and at the beginning
		keys(up + up + " again" + enter)      // an earlier line once more
		keys(ctrlD)
		if err := <-result; err != nil {
			t.Error(err)
		}
		if got, want := strings.Join(server.received(), ""), "hello\nhi there\nhello again\n"; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestOthersAppearAboveThePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shows := channel("+bob bob:hi +alice")
		shows = append(shows, event{uid: "eve\x1b", data: []byte("\x1b[2Jgone\nbob: bye\n")}, event{op: 2, data: []byte("who?")})
		_, on, keys, result := chatting(t, turn{shows: shows, ends: wellEnded})
		text := on.text()
		if !strings.Contains(text, "* bob joined\r\n") || !strings.Contains(text, "bob: hi\r\n") || !strings.Contains(text, "< who?\r\n") {
			t.Errorf("shows %q", text)
		}
		if !strings.Contains(text, `eve\x1b: \x1b[2Jgone`+"\r\n    bob: bye\r\n") {
			t.Errorf("eve's message is shown as %q", text)
		}
		if strings.Contains(text, "alice joined") {
			t.Errorf("shows the user's own join: %q", text)
		}
		keys(ctrlC)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestLeavingWithoutConnection(t *testing.T) {
	for name, c := range map[string]struct {
		keys   string
		status int
	}{
		"nothing to say": {ctrlD, exitOK},
		"a line to send": {"are you there?" + enter + ctrlD, exitUnsatisfied},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, on, keys, result := chatting(t, turn{shows: channel("bob:hi"), lasts: time.Second, ends: cutOff})
				time.Sleep(10 * time.Second)
				keys(c.keys)
				if err := <-result; status(err) != c.status {
					t.Errorf("ended with %v, want status %d", err, c.status)
				}
				if !strings.Contains(on.text(), "-- connection to fake lost: cut; trying again in ") {
					t.Errorf("shows %q", on.text())
				}
			})
		})
	}
}

func TestALineTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, on, keys, result := chatting(t, turn{ends: wellEnded})
		keys(strings.Repeat("x", 200) + enter)
		keys("short" + enter + ctrlD)
		if err := <-result; err != nil {
			t.Error(err)
		}
		if !strings.Contains(on.text(), "too large") || strings.Join(server.received(), "") != "short\n" {
			t.Errorf("sent %q, shows %q", server.received(), on.text())
		}
	})
}
