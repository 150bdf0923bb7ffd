package bridge_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// The client's close is answered with its own code; what it sent before is
// published, and nobody is told that it has gone.
func TestClientCloses(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	bob := h.v1Joins("bob", "room", "")
	for _, payload := range []string{"", "\x03\xe8", "\x0f\xa1", "\x03\xe8bye", "\x13\x87"} {
		alice := h.v2Joins("alice", "room")
		bob.gets(alice.onV1(""))
		alice.sends(append(final(opText, "last"), append(final(opClose, payload), final(opText, "lost")...)...))
		bob.gets(alice.onV1("last"))
		if f := alice.lastFrame(); f.data != payload[:min(2, len(payload))] {
			t.Errorf("close %q is answered with %v", payload, f)
		}
		alice.ends()
		h.members(1)
	}
}

// What RFC 6455 forbids ends with 1002, and before and after the hello alike
// nobody else notices.
func TestProtocolErrors(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V2Joins: bridge.JoinsOff})
	bob, carol := h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
	bob.gets(carol.onV1(""))
	for name, bad := range map[string][]byte{
		"RSV1":                        masked(0xc2, []byte("x")),
		"RSV2":                        masked(0xa1, []byte("x")),
		"RSV3":                        masked(0x92, []byte("x")),
		"opcode 3":                    final(3, "x"),
		"opcode 11":                   final(11, "x"),
		"ping in fragments":           masked(opPing, []byte("x")),
		"ping of 126 bytes":           final(opPing, strings.Repeat("x", 126)),
		"continuation of nothing":     final(opMore, "x"),
		"message inside of a message": append(masked(opText, []byte("x")), final(opText, "y")...),
		"close of one byte":           final(opClose, "\x03"),
		"close 1005":                  final(opClose, "\x03\xed"),
		"close 999":                   final(opClose, "\x03\xe7"),
		"close 1006":                  final(opClose, "\x03\xee"),
		"not masked":                  {0x82, 1, 'x'},
		"length of 2^63":              {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
	} {
		for _, joined := range []bool{true, false} {
			alice := h.v2()
			if joined {
				h.joins("v2", func() { alice.join("alice", "room") })
				bob.gets(alice.onV1(""))
				alice.says(text("before"))
				bob.gets(alice.onV1("before"))
				carol.gets(text("before"))
			}
			alice.sends(bad)
			f := alice.lastFrame()
			if !strings.HasPrefix(f.data, "\x03\xea") || len(f.data) < 4 {
				t.Errorf("%s (joined %t): %v, want 1002 and a reason", name, joined, f)
			}
			closeWrite(t, alice.nc)
			alice.ends()
			h.members(2)
		}
	}
	bob.says("all quiet")
	carol.gets(blob("all quiet"))
	if !h.hasLogged(15, "level=WARN", "left", "protocol error") || !h.hasLogged(15, "refused", "protocol error") {
		t.Errorf("more than 15 lines in the log for members, or for others")
	}
}

// A client's pings are answered, and neither they nor pongs reach anybody, live
// or from the history.
func TestClientPings(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	bob, alice := h.v2Joins("bob", "room"), h.v2Joins("alice", "room")
	alice.gets(notice("bob", "room"))
	for _, payload := range []string{"", "ping", strings.Repeat("p", 125)} {
		alice.sends(final(opPing, payload))
		alice.gets(wsFrame{opPong, payload})
		alice.sends(final(opPong, payload))
	}
	bob.gets(alice.says(text("end")))
	h.v2Joins("carol", "room").gets(notice("bob", "room"), notice("alice", "room"), text("end"))
}

// Text that is not UTF-8 ends with 1007 for its sender and is not published;
// binary may be anything, and a character may be cut by fragments.
func TestTextIsUTF8(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	bob := h.v2Joins("bob", "room")
	for _, bad := range []string{"\xff", "caf\xe9", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "end cut \xe2\x82"} {
		alice := h.v2Joins("alice", "room")
		alice.sends(append(final(opText, "good"), final(opText, bad)...))
		bob.gets(text("good"))
		if f := alice.lastFrame(); f != closing(1007, "text is not UTF-8") {
			t.Errorf("%q: %v", bad, f)
		}
		alice.sends(final(opClose, "\x03\xef"))
		alice.ends()
		h.members(1)
	}
	carol := h.v2Joins("carol", "room")
	carol.sends(append(masked(opText, []byte("sp\xc3")), final(opMore, "\xa4t")...))
	bob.gets(text("spät"))
	bob.gets(carol.says(blob("\xff\xfe")))
}

// After its close frame the gateway reads and discards, so that no reset
// overtakes the frame: whoever goes on sending still gets it, and the end.
func TestNoResetAfterClose(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, bridge.Config{})
			for _, bad := range [][]byte{final(opText, "\xff"), masked(0xc2, []byte("x")), final(3, "")} {
				alice := h.v2Joins("alice", "room")
				sent := make(chan error, 1)
				go func() {
					_, err := alice.nc.Write(append(bad, bytes.Repeat(final(opBinary, strings.Repeat("more", 1000)), 1000)...))
					sent <- err
				}()
				if f := alice.lastFrame(); f.op != opClose {
					t.Fatalf("%q: %v", bad, f)
				}
				if err := <-sent; err != nil {
					t.Errorf("%q: sending on: %v", bad, err)
				}
				alice.sends(final(opClose, "\x03\xea"))
				closeWrite(t, alice.nc)
				alice.ends()
			}
		})
	}
	h := open(t, secret)
	eve := h.v1()
	eve.sends(append(keyed(1, msgBody("eve", "room", "")), bytes.Repeat([]byte("more"), 1<<20)...))
	eve.ends()
}

// It does so for 2 s at most, and writes nothing any more.
func TestLinger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		bob, alice := h.v1Joins("bob", "room", ""), h.v2Joins("alice", "room")
		bob.gets(alice.onV1(""))
		alice.gets(notice("bob", "room"))
		alice.sends(final(opText, "\xff"))
		start := time.Now()
		alice.gets(closing(1007, "text is not UTF-8"))
		synctest.Wait()
		bob.says("anybody?")
		alice.sends(final(opPing, "hello?"))
		alice.sends(final(opText, "hello?"))
		alice.ends()
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("closed after %s, want 2 s", took)
		}
		h.members(1)
		carol := h.v1Joins("carol", "room", "")
		carol.gets(bob.frame(""), alice.onV1(""), bob.frame("anybody?"))
	})
}

// A v1 client that shuts its sending side, or closes at once, has said all that
// it sent; when it shuts its sending side the gateway closes.
func TestPublishAndGo(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		for how, end := range map[string]func(c *v1client){
			"half":  func(c *v1client) { closeWrite(c, c.nc); io.Copy(io.Discard, c.nc) },
			"close": func(c *v1client) { c.nc.Close() },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				h := open(t, secret)
				bob := h.v2Joins("bob", "room")
				c := h.v1()
				c.join("pub", "room", "joined")
				var all []byte
				for range 1000 {
					all = append(all, c.frame("message")...)
				}
				c.sends(all)
				end(c)
				bob.gets(blob("joined"))
				for range 1000 {
					bob.gets(blob("message"))
				}
				bob.says(text("end"))
			})
		}
	}
}

// The same on v2, with and without a close frame.
func TestPublishAndGoV2(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		for how, last := range map[string][]byte{"close frame": final(opClose, "\x03\xe8"), "none": nil} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				h := open(t, secret)
				bob := h.v1Joins("bob", "room", "")
				c := h.v2()
				c.join("pub", "room")
				c.sends(append(bytes.Repeat(final(opText, "message"), 1000), last...))
				c.nc.Close()
				bob.gets(c.onV1(""))
				for range 1000 {
					bob.gets(c.onV1("message"))
				}
			})
		}
	}
}

// A client may shut its receiving side and go on sending.
func TestReceivingSideShut(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob, alice := h.v2Joins("bob", "room"), h.v1Joins("alice", "room", "")
	if err := alice.nc.(*net.TCPConn).CloseRead(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		bob.says(text("do you hear me?"))
		alice.says("no")
		bob.gets(blob("no"))
	}
}
