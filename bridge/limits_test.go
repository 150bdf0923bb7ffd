package bridge_test

import (
	"strings"
	"testing"

	"mles/bridge"
)

// most is how long a message may be at most: what an M frame holds, less the
// CBOR around the message.
func most(uid, channel string) int {
	const longHead = 5 // of a byte string over 64 KiB, where an empty one has 1
	return 0xffffff - (len(msgBody(uid, channel, "")) - 1 + longHead)
}

// A message may be as long as fits an M frame, and no byte longer, in v2 too and
// with fragments together.
func TestLongestMessage(t *testing.T) {
	t.Parallel()
	for name, uid := range map[string]string{"short": "u", "longest": strings.Repeat("ü", 512)} {
		t.Run(name, func(t *testing.T) {
			conf := secret
			conf.HistoryLimit = 2
			h := open(t, conf)
			channel := strings.ToUpper(uid)
			bob, carol := h.v1Joins("bob", channel, ""), h.v2Joins("carol", channel)
			carol.gets(notice("bob", channel))
			bob.gets(carol.onV1(""))
			alice, alan := h.v2Joins(uid, channel), h.v1Joins(uid, channel, "")
			bob.gets(alice.onV1(""), alan.frame(""))

			message := strings.Repeat("0123456789abcdef", 1<<20)[:most(uid, channel)]
			made, sent := alice.onV1(message), alan.frame(message)
			if len(made) != 16+0xffffff {
				t.Fatal("the test cannot count")
			}
			go alice.nc.Write(final(opBinary, message))
			bob.gets(made)
			carol.gets(blob(message))
			go alan.nc.Write(sent)
			bob.gets(sent)
			carol.gets(blob(message))

			if name == "short" {
				return
			}
			alice.leaves()
			alice = h.v2Joins(uid, channel)
			bob.gets(alice.onV1(""))
			third := len(message) / 3
			go func() {
				alice.nc.Write(masked(opText, message[:third]))
				alice.nc.Write(masked(opMore, ""))
				alice.nc.Write(masked(opMore, message[third:2*third]))
				alice.nc.Write(final(opPing, "between"))
				alice.nc.Write(final(opMore, message[2*third:]))
			}()
			bob.gets(made)
			carol.gets(text(message))
		})
	}
}

// One byte more ends with 1009 for its sender; what it said before is heard, the
// rest neither heard nor stored.
func TestTooLongMessage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 1<<20)
	for name, send := range map[string]func(message string) []byte{
		"whole":  func(m string) []byte { return final(opBinary, m) },
		"far":    func(m string) []byte { return final(opBinary, m+m[:1<<20]) },
		"in two": func(m string) []byte { return append(masked(opText, m[:9<<20]), final(opMore, m[9<<20:])...) },
		"no end": func(m string) []byte {
			return append(masked(opText, m[:9<<20]), masked(opMore, []byte(m[9<<20:]))...)
		},
		"trickle": func(m string) []byte { return append(masked(opText, m[:len(m)-1]), final(opMore, "x")...) },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, bridge.Config{})
			bob, alice := h.v1Joins("bob", "room", ""), h.v2Joins("alice", "room")
			alice.gets(notice("bob", "room"))
			bob.gets(alice.onV1(""))
			alice.says(text("before"))
			sent := make(chan error, 1)
			go func() {
				_, err := alice.nc.Write(send(long[:most("alice", "room")+1]))
				sent <- err
			}()
			alice.gets(closing(1009, "too big"))
			if err := <-sent; err != nil {
				t.Error("sending on:", err)
			}
			closeWrite(t, alice.nc)
			alice.ends()
			bob.gets(alice.onV1("before"))
			h.members(1)
			carol := h.v2Joins("carol", "room")
			carol.gets(notice("bob", "room"), notice("alice", "room"), text("before"))
			bob.gets(carol.onV1(""))
			if !h.hasLogged(1, "level=WARN", "too big") {
				t.Error("more than one line in the log")
			}
		})
	}
}

// Payloads of all sizes at which a length is written differently, both ways.
func TestSizes(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob, carol := h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
	carol.gets(notice("bob", "room"))
	bob.gets(carol.onV1(""))
	all := strings.Repeat("0123456789abcde\xff", 1<<17)
	for _, n := range []int{0, 1, 22, 23, 24, 25, 124, 125, 126, 127, 255, 256, 1023, 1024, 1025, 4095, 4096, 4097, 65534, 65535, 65536, 65537, 1 << 18, 1<<18 + 1, 1 << 21} {
		carol.says(blob(all[:n]))
		bob.gets(carol.onV1(all[:n]))
		if n > 0 { // empty is a join notice
			bob.says(all[:n])
			carol.gets(blob(all[:n]))
		}
	}
	dora := h.v1Joins("dora", "room", "") // and from the history
	dora.gets(bob.frame(""), carol.onV1(""), carol.onV1(""), carol.onV1("0"), bob.frame("0"), carol.onV1(all[:22]))
}

// Names have at most 1,024 bytes. One that is longer does not join on v1; later
// it counts as not decodable.
func TestLongNames(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	name, long := strings.Repeat("ü", 512), strings.Repeat("ü", 512)+"x"
	for uid, channel := range map[string]string{long: "room", "u": long} {
		eve := h.v1()
		eve.join(uid, channel, "")
		eve.ends()
	}
	if st := h.Stats(); st.Refusals["name too long"] != 2 || st.Channels != 0 {
		t.Errorf("%+v", st)
	}
	alice := h.v1Joins(name, name, "")
	bob, carol := h.v1Joins("bob", name, ""), h.v2Joins(name, name)
	bob.gets(alice.frame(""), carol.onV1(""))
	carol.gets(notice(name, name), notice("bob", name))
	bob.gets(alice.sends(keyed(1, msgBody(long, name, "anonymous"))), alice.sends(keyed(1, msgBody(long, name, ""))))
	alice.says("end")
	carol.gets(blob("end"))
	if n := h.Stats().Untranslatable; n != 2 {
		t.Errorf("%d frames counted as not translatable", n)
	}
	dora := h.v2Joins("dora", name)
	dora.gets(notice(name, name), notice("bob", name), notice(name, name), blob("end"))
}
