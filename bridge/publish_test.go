package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
	"mles/v1"
)

// posted is the v1 frame of what uid has posted, where the key is "k".
func posted(uid, channel, message string) []byte {
	key := v1.Key("k", uid, channel)
	return v1.AppendFrame(nil, v1.CID(key), key, v1.Msg{UID: uid, Channel: channel, Message: []byte(message)})
}

// A script says something: members of all dialects get it, those who come later too, and nobody is told that it came.
func TestPublish(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"k"}, V1WebSocket: true, V2Channels: []string{"hall"}})
	alice, bob := h.v1Joins("alice", "hall", ""), h.v2Joins("bob", "hall")
	alice.gets(bob.onV1(""))
	bob.gets(notice("alice", "hall"))
	carol := h.v1wsJoins("carol", "hall", "")
	carol.gets(body("alice", "hall", ""), body("bob", "hall", ""))
	alice.gets(carol.headed("carol", "hall", msgBody("carol", "hall", "")))
	say := func(text bool, channel, message string) {
		t.Helper()
		if err := h.Publish(t.Context(), bridge.Post{Channel: channel, UID: "cron", Message: []byte(message), Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	say(false, "hall", "it is noon")
	say(true, "hall", "")
	say(true, "elsewhere", "nobody hears it") // a channel that v2 clients may not join
	bob.gets(blob("it is noon"), text(""))
	alice.gets(posted("cron", "hall", "it is noon"), posted("cron", "hall", ""))
	carol.gets(body("cron", "hall", "it is noon"), body("cron", "hall", ""))
	h.v1Joins("dave", "elsewhere", "").gets(posted("cron", "elsewhere", "nobody hears it"))
	h.members(4)

	for want, p := range map[error]bridge.Post{
		bridge.ErrPostName:    {Channel: "hall"},
		bridge.ErrPostTooBig:  {Channel: "hall", UID: "cron", Message: make([]byte, v1.MaxBody)},
		bridge.ErrPostNotUTF8: {Channel: "hall", UID: "cron", Message: []byte{0xff}, Text: true},
	} {
		if err := h.Publish(t.Context(), p); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for _, name := range []string{"", "\xff", longName(1025)} {
		if err := h.Publish(t.Context(), bridge.Post{Channel: name, UID: "cron"}); !errors.Is(err, bridge.ErrPostName) {
			t.Errorf("channel %.10q: %v", name, err)
		}
	}
	h.Close()
	if err := h.Publish(t.Context(), bridge.Post{Channel: "hall", UID: "cron"}); !errors.Is(err, bridge.ErrPostClosing) {
		t.Errorf("after the end: %v", err)
	}
}

// What a script says on a channel without members goes up to the root, too.
func TestPublishGoesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoot(t)
		h := openPipes(t, r.upstream(bridge.Config{V1Keys: []string{"k"}}))
		if err := h.Publish(context.Background(), bridge.Post{Channel: "hall", UID: "cron", Message: []byte("up")}); err != nil {
			t.Fatal(err)
		}
		e := r.accepts()
		e.gets(posted("cron", "hall", ""), posted("cron", "hall", "up"))
	})
}

// What a channel remembers can be asked for, and forgotten: who is there stays.
func TestHistoryAndPurge(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1WebSocket: true})
	alice := h.v1Joins("alice", "hall", "hello")
	bob := h.v2Joins("bob", "hall")
	alice.gets(bob.onV1(""))
	bob.says(text("grüße"))
	bob.says(blob("\xff"))
	alice.gets(bob.onV1("grüße"), bob.onV1("\xff"))
	alice.says("bye")
	garbled := v1.Header{Len: 1}.Append(nil)
	garbled = append(garbled, 0xff)
	alice.sends(garbled)
	bob.gets(notice("alice", "hall"), blob("hello"), blob("bye"))
	h.until("all is there", func() bool { c, _ := h.Channel("hall"); return c.History.Messages == 6 })

	got, ok := h.History("hall")
	want := []bridge.Remembered{
		{Dialect: "v1", Join: true, UID: "alice", Message: []byte("hello")},
		{Dialect: "v2", Join: true, UID: "bob"},
		{Dialect: "v2", UID: "bob", Text: true, Message: []byte("grüße")},
		{Dialect: "v2", UID: "bob", Message: []byte("\xff")},
		{Dialect: "v1", UID: "alice", Message: []byte("bye")},
		{Dialect: "v1", Frame: garbled},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if _, ok := h.History("nowhere"); ok {
		t.Error("a channel that there is not has a history")
	}
	if n, ok := h.Purge("hall"); n != 6 || !ok {
		t.Errorf("purge: %d, %v", n, ok)
	}
	if got, ok := h.History("hall"); !ok || len(got) != 0 {
		t.Errorf("after the purge: %v", got)
	}
	h.members(2)
	alice.says("new")
	bob.gets(blob("new"))
	h.v2Joins("carol", "hall").gets(blob("new"))

	bob.leaves()
	h.v1Joins("dave", "attic", "was here").leaves()
	h.until("dave has left", func() bool { return h.Stats().V1Members == 1 })
	if n, ok := h.Purge("attic"); n != 1 || !ok {
		t.Errorf("purge: %d, %v", n, ok)
	}
	if _, ok := h.Channel("attic"); ok {
		t.Error("a channel without members or history is still there")
	}
	if _, ok := h.Purge("attic"); ok {
		t.Error("purged twice")
	}
}

// The masked twin of a channel forgets with it, from either side.
func TestPurgeMaskLink(t *testing.T) {
	t.Parallel()
	for _, masked := range []bool{false, true} {
		h := open(t, maskLinked())
		alice := h.v2Joins("alice", "hall")
		alice.says(blob(strings.Repeat("long enough", 3)))
		name, twin := "hall", v1.NewMask("hall").Masked()
		h.until("the twin has it", func() bool { return remembered(h, twin) == 2 })
		if masked {
			name, twin = twin, name
		}
		if n, ok := h.Purge(name); n != 2 || !ok {
			t.Errorf("purge: %d, %v", n, ok)
		}
		if n := remembered(h, twin); n != 0 {
			t.Errorf("masked %v: the twin remembers %d", masked, n)
		}
	}
}

// What a script says on a channel reaches the masked twin, as what members say.
func TestPublishMaskLink(t *testing.T) {
	t.Parallel()
	h := open(t, maskLinked())
	if err := h.Publish(t.Context(), bridge.Post{Channel: "hall", UID: "cron", Message: []byte("it is noon in the hall")}); err != nil {
		t.Fatal(err)
	}
	h.until("the twin has it", func() bool { return remembered(h, v1.NewMask("hall").Masked()) == 1 })
	h.members(0)
}
