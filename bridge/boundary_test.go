package bridge_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A close frame never stands in the middle of a message that is being written:
// whoever still reads gets that whole, live or from the history, and then the
// close frame, whatever the reason.
func TestCloseBetweenFrames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(h *house, bob *v2client)
		last wsFrame
	}{
		"client closes": {func(_ *house, bob *v2client) { bob.nc.Write(final(opClose, "\x03\xe8")) }, closing(1000, "")},
		"client errs":   {func(_ *house, bob *v2client) { bob.nc.Write(final(opText, "\xff")) }, closing(1007, "text is not UTF-8")},
		"shutdown": {func(h *house, _ *v2client) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			h.Shutdown(ctx)
		}, closing(1001, "server is going away")},
	} {
		for _, live := range []bool{true, false} {
			t.Run(map[bool]string{true: "live ", false: "history "}[live]+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := openPipes(t, secret)
					alice := h.v1Joins("alice", "room", "")
					message := strings.Repeat("0123456789abcdef", 1<<16) // four writes
					said := func() {
						go alice.nc.Write(alice.frame(message))
						synctest.Wait()
					}
					if !live {
						said()
					}
					bob := h.v2Joins("bob", "room")
					bob.gets(notice("alice", "room"))
					if live {
						said()
					}
					head := make([]byte, 10) // of the message's frame
					if _, err := io.ReadFull(bob.r, head); err != nil || head[0] != 0x82 || head[1] != 127 {
						t.Fatalf("bob reads %x, %v", head, err)
					}
					ended := make(chan struct{})
					go func() { defer close(ended); c.end(h, bob) }()
					synctest.Wait()
					payload := make([]byte, len(message))
					if _, err := io.ReadFull(bob.r, payload); err != nil || string(payload) != message {
						t.Fatalf("bob does not get the message whole: %v", err)
					}
					bob.gets(c.last)
					bob.nc.Close()
					<-ended
				})
			})
		}
	}
}
