package bridge_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
	"mles/bridge/bus"
	"mles/internal/keep"
)

// A shelf is a folder in which the histories of one house after the other are kept.
type shelf struct {
	t   testing.TB
	dir string
}

// moveIn opens a house with the histories of the one before.
func (s shelf) moveIn(conf bridge.Config) (*house, *keep.Store) {
	s.t.Helper()
	store, err := keep.Open(s.dir, bridge.Dialects(), slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(store.Close)
	conf.Restore = func(put func(*bus.Change) error) { store.Load(put) }
	return open(s.t, conf), store
}

// moveOut closes a house and saves what it remembers.
func (s shelf) moveOut(h *house, store *keep.Store) {
	s.t.Helper()
	h.Close()
	if err := store.Save(h.SaveHistories, true); err != nil {
		s.t.Fatal(err)
	}
	store.Close()
}

// copied is the shelf as it stands now.
func (s shelf) copied() shelf {
	s.t.Helper()
	dir := s.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		s.t.Fatal(err)
	}
	return shelf{s.t, dir}
}

// told has somebody in each dialect join the channel, and returns all that they are sent up to
// a message that says where the history ends.
func told(h *house, channel string) (all map[string][]string) {
	h.Helper()
	all = make(map[string][]string)
	one, two, three := h.v1Joins("x1", channel, ""), h.v1wsJoins("x2", channel, ""), h.v2Joins("x3", channel)
	const end = "that was the history"
	h.v1Joins("x4", channel, end)
	until := func(dialect string, read func() ([]byte, error)) {
		for {
			frame, err := read()
			if err != nil {
				h.Fatalf("%s, after %d frames: %v", dialect, len(all[dialect]), err)
			}
			all[dialect] = append(all[dialect], string(frame))
			if bytes.Contains(frame, []byte(end)) {
				return
			}
		}
	}
	ws := func(c *v2client) func() ([]byte, error) {
		return func() ([]byte, error) {
			f, err := readWSFrame(c.r)
			return append([]byte{f.op}, f.data...), err
		}
	}
	until("v1", func() ([]byte, error) { return readV1Frame(one.r) })
	until("v1ws", ws(two.v2client))
	until("v2", ws(three))
	return all
}

// talk has something of each kind happen on a channel.
func talk(h *house, channel string) {
	h.Helper()
	peer := h.v1()
	h.joins("v1", func() {
		peer.sends(v1Frame(0, 0, resyncBody(
			keyed(v1Key(peer.secret(), "peer", channel), msgBody("peer", channel, "")),
			keyed(v1Key(peer.secret(), "far", channel), msgBody("far", channel, "from afar")),
			keyed(v1Key(peer.secret(), "away", channel), msgBody("away", channel, "")),
			v1Frame(9, 9, []byte("not a body")))))
	})
	alice := h.v1Joins("alice", channel, "hi")
	wendy := h.v1wsJoins("wendy", channel, "")
	bob := h.v2Joins("bob", channel)
	alice.sends(v1Frame(1, 0xfedcba9876543210, msgBody("alice", channel, "numbered")))
	alice.sends(v1Frame(1, 2, []byte("opaque")))
	alice.sends(v1Frame(1, 3, msgBody("alice", "elsewhere", "astray")))
	alice.says("")
	spelled := append([]byte{0x83}, cborText("alice")...) // an array, its message one of numbers
	spelled = append(append(spelled, cborText(channel)...), 0x83, 7, 8, 9)
	alice.sends(keyed(5, spelled))
	alice.says(strings.Repeat("long ", 1<<18))
	wendy.says("from the web")
	bob.says(text("täxt"))
	bob.says(blob("\x00\xff"))
	bob.says(blob(""))
	bob.says(text(""))
	h.until("all is said", func() bool {
		c, _ := h.Channel(channel)
		return c.History.Messages >= 18
	})
	h.v2Joins("carol", channel)
	gone := h.v1Joins("gone", channel, "")
	gone.leaves()
	h.v1Joins("gone", channel, "")
}

// What members of each dialect are told after a restart is, byte for byte, what they would
// have been told before.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, conf := range map[string]bridge.Config{
		"plain":      withWS(secret),
		"live joins": {V1Keys: secret.V1Keys, V2Keys: secret.V2Keys, V1WebSocket: true, V2Joins: bridge.JoinsLive},
		"no keys":    {V1WebSocket: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := shelf{t, t.TempDir()}
			h, store := before.moveIn(conf)
			talk(h, "room")
			h.v1Joins("alone", "", "in the nameless channel")
			if err := store.Save(h.SaveHistories, false); err != nil {
				t.Fatal(err)
			}
			after := before.copied()
			want := told(h, "room")
			if len(want["v1"]) < 20 || len(want["v2"]) < 12 || len(want["v1ws"]) < 12 {
				t.Fatalf("only %d, %d, %d frames", len(want["v1"]), len(want["v2"]), len(want["v1ws"]))
			}
			wantNameless := h.v1Joins("late", "", "")

			again, _ := after.moveIn(conf)
			got := told(again, "room")
			if conf.V1Keys == nil { // headers of x2 … are made from their addresses
				want, got = pastOnly(want), pastOnly(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("a restart changes what is told (-before +after):\n%.3000s", diff)
			}
			nameless := again.v1Joins("late", "", "")
			one, err := readV1Frame(wantNameless.r)
			two, err2 := readV1Frame(nameless.r)
			if err != nil || err2 != nil || !bytes.Equal(one, two) {
				t.Errorf("%q, %v; want %q, %v", two, err2, one, err)
			}
		})
	}
}

// A channel and its masked twin, which a link has brought together, are not told each other's
// histories again after a restart, but what the link had not passed on.
func TestRestartOfMaskLink(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	h, store := s.moveIn(maskLinked())
	d := disguiseOf(t, "room")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	wendy := h.v1wsJoins("wendy", "room", "")
	dora := h.v2Joins("dora", "room")
	for i := range 5 {
		vera.says(d.message(counter + fmt.Sprint("v", i)))
		wendy.says(counter + fmt.Sprint("w", i))
		dora.says(text(counter + fmt.Sprint("d", i)))
	}
	names := []string{"room", d.Masked()}
	h.until("both remember it all", func() bool {
		plain, _ := h.Channel(names[0])
		masked, _ := h.Channel(names[1])
		return plain.History.Messages == 18 && masked.History.Messages == 18
	})
	if err := store.Save(h.SaveHistories, false); err != nil {
		t.Fatal(err)
	}
	after := s.copied()
	want := [2]map[string][]string{told(h, names[0])}

	again, later := after.moveIn(maskLinked())
	if diff := cmp.Diff(want[0], told(again, names[0])); diff != "" {
		t.Errorf("a restart changes what is told (-before +after):\n%.3000s", diff)
	}
	again.until("the newcomers have been passed on", func() bool {
		masked, _ := again.Channel(names[1])
		return masked.History.Messages == 22
	})
	after.moveOut(again, later)

	// Only one of them is used while the link is not there.
	plain := secret
	alone, later := after.moveIn(plain)
	alone.v1Joins(d.Name("vito"), d.Masked(), d.message(counter+"alone"))
	after.moveOut(alone, later)
	linked, _ := after.moveIn(maskLinked())
	linked.v1wsJoins("walter", "room", "")
	linked.until("what was said meanwhile is passed on", func() bool {
		c, _ := linked.Channel("room")
		return c.History.Messages == 24
	})
}

// pastOnly leaves out what newcomers have said.
func pastOnly(all map[string][]string) map[string][]string {
	for dialect, frames := range all {
		all[dialect] = slices.DeleteFunc(frames, func(f string) bool {
			return strings.Contains(f, "x2") || strings.Contains(f, "x3") || strings.Contains(f, "x4") || strings.Contains(f, "that was")
		})
	}
	return all
}

// A house that is restarted again and again, with more said each time, remembers it all
// in order, up to the limit.
func TestRestartsFollowEachOther(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.HistoryLimit = 40
	s := shelf{t, t.TempDir()}
	var said []string
	for round := range 6 {
		h, store := s.moveIn(conf)
		alice := h.v1Joins("alice", "room", "")
		var told []string
		for len(said) > 0 && !slices.Contains(told, said[len(said)-1]) {
			frame, err := readV1Frame(alice.r)
			if err != nil {
				t.Fatalf("round %d, after %q: %v", round, told, err)
			}
			if !bytes.Equal(frame, alice.frame("")) { // which may stand among them, or not any more
				told = append(told, string(frame[len(alice.frame("")):]))
			}
		}
		if want := said[max(0, len(said)-len(told)):]; !slices.Equal(told, want) || len(told) < min(len(said), 39) {
			t.Fatalf("round %d: %q, want the last of %q", round, told, said)
		}
		for i := range 15 {
			said = append(said, fmt.Sprintf("%d of %d", i, round))
			alice.says(said[len(said)-1])
		}
		h.until("all is said", func() bool { return h.Stats().MessagesIn["v1"] >= 15 })
		alice.leaves()
		s.moveOut(h, store)
	}
}

// What is purged, or forgotten because no history is wanted, is in no file any more.
func TestPurgedIsNowhere(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	h, store := s.moveIn(secret)
	alice := h.v1Joins("alice", "room", "the secret")
	h.v1Joins("alice", "other", "no secret")
	alice.says("another secret")
	h.until("it is said", func() bool { c, _ := h.Channel("room"); return c.History.Messages == 2 })
	save := func() {
		if err := store.Save(h.SaveHistories, false); err != nil {
			t.Fatal(err)
		}
	}
	save()
	if !s.holds("the secret") || !s.holds("no secret") {
		t.Fatal("it was not saved")
	}
	conf := secret
	conf.HistoryLimit = bridge.NoHistory
	if _, err := h.Reconfigure(conf); err != nil {
		t.Fatal(err)
	}
	save()
	if s.holds("secret") {
		t.Error("a file still has what is remembered no more")
	}
}

// holds says whether some file does.
func (s shelf) holds(text string) bool {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(s.dir + "/" + f.Name())
		if err != nil {
			s.t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// Those who are on the masked channel alone, by WebSocket or behind mles-webproxy, are told the
// same after a restart.
func TestRestartOfMaskOnly(t *testing.T) {
	t.Parallel()
	conf := withWS(secret)
	conf.WebproxyMask = bridge.MaskOnly
	s := shelf{t, t.TempDir()}
	h, store := s.moveIn(conf)
	d := disguiseOf(t, "room")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	wendy := h.v1wsJoins("wendy", "room", "")
	vera.gets(d.frame("wendy", ""))
	wendy.gets(body("vera", "room", ""))
	vera.says(d.message(counter + "from vera"))
	wendy.gets(body("vera", "room", counter+"from vera"))
	wendy.says(counter + "from wendy")
	vera.gets(d.frame("wendy", counter+"from wendy"))
	s.moveOut(h, store)

	h, _ = s.moveIn(conf)
	walter := h.v1wsJoins("walter", "room", "")
	walter.gets(body("vera", "room", ""), body("wendy", "room", ""), body("vera", "room", counter+"from vera"), body("wendy", "room", counter+"from wendy"))
	vito := h.v1Joins(d.Name("vito"), d.Masked(), "")
	vito.gets(vera.frame(""), d.frame("wendy", ""), vera.frame(d.message(counter+"from vera")), d.frame("wendy", counter+"from wendy"), d.frame("walter", ""))
}

// Events that nobody can have sent, since somebody has written to the files, are left out, and
// what is around them is told.
func TestRestoredEventsAreSound(t *testing.T) {
	t.Parallel()
	good := &bus.Event{From: 1, Op: opBinary, UID: "bob", Message: []byte("good")}
	c := &bus.Change{Channel: "room", Whole: true, LastUsed: time.Now(), Last: 20}
	for i, e := range []*bus.Event{
		good,
		{From: 0, Data: []byte("M")},
		{From: 0, Data: v1Frame(1, 2, []byte("short"))[:18]},
		{From: 0, Data: append(v1Frame(1, 2, []byte("long")), 1)},
		{From: 0},
		{From: 1, Op: opText, UID: "bob", Message: []byte("\xff")},
		{From: 1, Op: opClose, UID: "bob", Message: []byte("x")},
		{From: 1, Op: opBinary, UID: "bob", Message: make([]byte, 0xffffff)},
		{From: 1, Join: true, UID: "\xff"},
		{From: 2},
		{From: 3, Op: opBinary, Message: []byte("x")},
		{From: 200, Op: opBinary, Message: []byte("x")},
		good,
	} {
		c.Events = append(c.Events, bus.Numbered{Number: uint64(i + 1), Event: e})
	}
	conf := withWS(secret)
	conf.Restore = func(put func(*bus.Change) error) {
		if err := put(c); err != nil {
			t.Error(err)
		}
	}
	h := open(t, conf)
	carol := h.v2Joins("carol", "room")
	carol.gets(blob("good"), blob("good"))
	if got := told(h, "room"); len(got["v1"]) < 3 {
		t.Errorf("%q", got)
	}
	if !strings.Contains(h.log.String(), "events=11") {
		t.Error("the log does not tell of them")
	}
}
