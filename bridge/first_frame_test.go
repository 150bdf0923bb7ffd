package bridge_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"mles/bridge"
)

var secret = bridge.Config{V1Keys: []string{"swordfish"}, V2Keys: []string{"swordfish"}}

// Every row of protocol.md, "Body": what joins as a first frame, and what does not.
func TestFirstBody(t *testing.T) {
	t.Parallel()
	var bodies []struct {
		Note, Body, UID, Channel, Message string
		Decodes                           bool
	}
	vectors, err := os.ReadFile("testdata/v1-bodies.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(vectors, &bodies); err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		t.Run(b.Note, func(t *testing.T) {
			t.Parallel()
			h := open(t, secret)
			body, err := hex.DecodeString(b.Body)
			if err != nil {
				t.Fatal(err)
			}
			eve := h.v1()
			if !b.Decodes {
				// The key of what it might mean is right, and so is that of two
				// empty names.
				eve.sends(keyed(v1Key("swordfish", "", ""), body))
				eve.ends()
				eve = h.v1()
				eve.sends(keyed(v1Key("swordfish", b.UID, b.Channel), body))
				eve.ends()
				reason := "undecodable"
				if len(body) == 0 {
					reason = "not a frame"
				}
				if st := h.Stats(); st.Joins["v1"] != 0 || h.refusals(reason) != 2 {
					t.Errorf("%+v", st)
				}
				return
			}
			bob := h.v1Joins("bob", b.Channel, "")
			frame := keyed(v1Key("swordfish", b.UID, b.Channel), body)
			h.joins("v1", func() { eve.sends(frame) })
			bob.gets(frame)
			if b.Channel == "" {
				return
			}
			message, _ := hex.DecodeString(b.Message)
			carol := h.v2Joins("carol", b.Channel)
			carol.gets(notice("bob", b.Channel), notice(b.UID, b.Channel))
			if len(message) > 0 {
				carol.gets(blob(string(message)))
			}
		})
	}
}

// A first frame is judged whole: whatever makes it none closes without a reply.
func TestFirstFrameRefused(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	good := keyed(v1Key("swordfish", "eve", "room"), msgBody("eve", "room", "x"))
	for name, c := range map[string]struct {
		bytes  []byte
		reason string
	}{
		"first byte":   {append([]byte("m"), good[1:]...), "not a frame"},
		"length 0":     {append([]byte{'M', 0, 0, 0}, good[4:]...), "not a frame"},
		"HTTP":         {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "not a frame"},
		"wrong key":    {keyed(v1Key("sword", "eve", "room"), msgBody("eve", "room", "x")), "wrong key"},
		"names moved":  {keyed(v1Key("swordfish", "ever", "oom"), msgBody("eve", "room", "x")), "wrong key"},
		"address key":  {keyed(v1Key("127.0.0.1:1", "eve", "room"), msgBody("eve", "room", "x")), "wrong key"},
		"not CBOR":     {keyed(v1Key("swordfish", "", ""), []byte("nonsense")), "undecodable"},
		"body too far": {keyed(v1Key("swordfish", "eve", "room"), append(msgBody("eve", "room", "x"), 0)), "undecodable"},
	} {
		before := h.refusals(c.reason)
		eve := h.v1()
		eve.sends(c.bytes)
		eve.ends()
		if h.refusals(c.reason) != before+1 {
			t.Errorf("%s: refusals are %v", name, h.Stats().Refusals)
		}
	}
	// None of them was heard or is remembered.
	bob := h.v1Joins("bob", "room", "")
	carol := h.v1Joins("carol", "room", "")
	carol.gets(bob.frame(""))
	if got := len(h.log.lines("level=WARN", "refused")); got != 8 {
		t.Errorf("%d lines of refusals in the log, want one for each", got)
	}
}

// A frame may come byte by byte, or several in one segment.
func TestFrameInPieces(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob := h.v2Joins("bob", "room")
	alice := h.v1()
	join := keyed(v1Key("swordfish", "alice", "room"), msgBody("alice", "room", ""))
	alice.uid, alice.channel, alice.key = "alice", "room", v1Key("swordfish", "alice", "room")
	var all []byte
	for _, f := range [][]byte{join, alice.frame("one"), alice.frame("two")} {
		all = append(all, f...)
	}
	for i := range all {
		alice.sends(all[i : i+1])
	}
	bob.gets(blob("one"), blob("two"))

	carol := h.v1()
	carol.uid, carol.channel, carol.key = "carol", "room", v1Key("swordfish", "carol", "room")
	all = carol.frame("hello")
	for _, m := range []string{"three", "four", "five"} {
		all = append(all, carol.frame(m)...)
	}
	carol.sends(append(all, 'M', 0)) // and the beginning of another
	bob.gets(blob("hello"), blob("three"), blob("four"), blob("five"))
	alice.gets(bob.onV1(""), carol.frame("hello"), carol.frame("three"), carol.frame("four"), carol.frame("five"))
	carol.sends(carol.frame("six")[2:])
	bob.gets(blob("six"))
}

// Wrong bytes after the join close the connection, and reach nobody; what came
// before them does.
func TestLaterFrameRefused(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string][]byte{
		"first byte": []byte("nonsense, and more of it than a header has"),
		"length 0":   {'M', 0, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0xa3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, secret)
			bob, carol := h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
			alice := h.v1Joins("alice", "room", "")
			alice.gets(bob.frame(""), carol.onV1(""))
			bob.gets(carol.onV1(""), alice.frame(""))
			alice.sends(append(alice.frame("last words"), bad...))
			bob.gets(alice.frame("last words"))
			carol.gets(notice("bob", "room"), blob("last words"))
			alice.ends()
			h.members(2)
			carol.says(text("anybody?"))
			bob.gets(carol.onV1("anybody?"))
		})
	}
}
