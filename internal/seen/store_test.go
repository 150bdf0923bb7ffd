package seen

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
)

// visit is somebody on the hall, from an address that ends with n.
func visit(dialect, uid string, n byte) bridge.Visit {
	return bridge.Visit{Dialect: dialect, UID: uid, Channel: "hall", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 4711)}
}

var alice, bob = visit("v1", "alice", 1), visit("v1", "bob", 2)

// A gateway's life with a store, in a bubble.
type life struct {
	*Store
	log  *logbook
	stop func()
}

// A logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// live starts one.
func live(t *testing.T, dir string) *life {
	t.Helper()
	l := &life{log: new(logbook)}
	l.Store = New(dir, slog.New(slog.NewTextHandler(l.log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { l.Run(ctx) })
	l.stop = func() { cancel(); done.Wait() }
	t.Cleanup(l.stop)
	synctest.Wait()
	return l
}

// crash copies a folder as it is, for a gateway that begins with what another one left
// behind without notice.
func crash(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	return withJournal(t, text)
}

func withJournal(t *testing.T, text []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, journalName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// seen are the entries of a dialect by uid.
func (l *life) seen(dialect string) map[string]Visitor {
	all := make(map[string]Visitor)
	for _, v := range l.Visitors(dialect) {
		all[v.UID] = v
	}
	return all
}

// near says whether a is b but for milliseconds.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= time.Second }

// TestRestart: alice was there for an hour and carol in v2, bob is there all the time.
// All that is known after a restart, also that nobody was there while it was stopped.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "not", "yet", "there")
		began := time.Now()
		first := live(t, dir)
		first.Joined(alice)
		first.Joined(bob)
		first.Joined(visit("v2", "carol", 3))
		time.Sleep(time.Hour)
		first.Left(alice)
		aliceLeft := time.Now()
		time.Sleep(time.Hour)
		if v := first.seen("v1"); !v["bob"].Present || !near(v["bob"].Last, time.Now()) || v["alice"].Present || !near(v["alice"].Last, aliceLeft) {
			t.Errorf("%+v", v)
		}
		if st := first.Status(); !st.Kept || !near(st.Since, began) || st.Dialects["v1"].Entries != 2 || st.Dialects["v1"].Present != 1 || st.Dialects["v2"].Present != 1 {
			t.Errorf("%+v", st)
		}
		first.Left(bob)
		first.Left(visit("v2", "carol", 3))
		bobLeft := time.Now()
		first.stop()
		time.Sleep(5 * 24 * time.Hour)

		second := live(t, dir)
		v := second.seen("v1")
		if len(v) != 2 || !near(v["alice"].First, began) || !near(v["alice"].Last, aliceLeft) || !near(v["bob"].Last, bobLeft) || v["bob"].Present {
			t.Errorf("%+v", v)
		}
		if a := v["alice"]; a.Addr != alice.Addr.Addr() || a.Key != "none" || a.Channel != "hall" || a.Dialect != "v1" {
			t.Errorf("%+v", a)
		}
		if st := second.Status(); !near(st.Since, began) || len(st.Gaps) != 0 || !near(st.Dialects["v1"].Last, bobLeft) {
			t.Errorf("%+v", st)
		}
		if first.log.String()+second.log.String() != "" {
			t.Errorf("logged %q, %q", first.log, second.log)
		}
		info, err := os.Stat(filepath.Join(dir, journalName))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
}

// TestCrash: whenever a gateway ends without notice, not more than a minute is lost.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		began := time.Now()
		l := live(t, dir)
		l.Joined(bob)
		for i := range 20 {
			time.Sleep(17 * time.Second)
			l.Joined(alice)
			l.Left(alice)
			left := time.Now()
			time.Sleep(time.Duration(i) * time.Second)
			synctest.Wait()
			if time.Since(began) < time.Minute {
				continue
			}
			after := live(t, crash(t, dir))
			v := after.seen("v1")
			if lost := time.Since(v["bob"].Last); lost > time.Minute {
				t.Errorf("bob, who was there, was seen %v ago", lost)
			}
			if lost := left.Sub(v["alice"].Last); lost > time.Minute {
				t.Errorf("alice was seen %v before she was", lost)
			}
			if v["bob"].Present || len(after.Status().Gaps) > 0 || !near(after.Status().Since, began) {
				t.Errorf("%+v, %+v", v, after.Status())
			}
			after.stop()
		}
	})
}

// TestCutOffAnywhere: a file that ends anywhere is no damage, and what was whole before is
// there.
func TestCutOffAnywhere(t *testing.T) {
	var whole []byte
	var atFirst int
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.Joined(alice)
		time.Sleep(Interval)
		synctest.Wait()
		text, _ := os.ReadFile(filepath.Join(dir, journalName))
		atFirst = len(text)
		l.Joined(bob)
		time.Sleep(Interval)
		l.Left(alice)
		time.Sleep(Interval)
		synctest.Wait()
		whole, _ = os.ReadFile(filepath.Join(dir, journalName))
	})
	if atFirst == 0 || len(whole) <= atFirst {
		t.Fatal("nothing was written")
	}
	now := time.Now()
	for end := atFirst; end <= len(whole); end++ {
		p := parse(whole[:end], now)
		if p.damage != nil || len(p.entries) == 0 || p.since.IsZero() {
			t.Fatalf("cut off at %d of %d: %+v", end, len(whole), p)
		}
	}
	if p := parse(whole, now); len(p.entries) != 2 {
		t.Errorf("%+v", p)
	}
}

// TestDamage: one bit is another anywhere. The file is set aside, never fatal, and the
// record begins anew with the other lines.
func TestDamage(t *testing.T) {
	var whole []byte
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.Joined(alice)
		l.Joined(bob)
		time.Sleep(Interval)
		l.stop()
		whole, _ = os.ReadFile(filepath.Join(dir, journalName))
	})
	lines := bytes.Count(whole, []byte("\n"))
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		for i := range whole {
			text := bytes.Clone(whole)
			text[i] ^= 1 << (i % 7)
			p := parse(text, time.Now())
			last := i >= bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1
			if p.damage == nil && (!last || i < len(whole)-1) {
				t.Fatalf("byte %d of %d: no damage is seen in %q", i, len(whole), text)
			}
			if lines < 5 || len(p.entries) > 2 {
				t.Fatalf("%d lines, %d entries", lines, len(p.entries))
			}
		}
		text := bytes.Replace(whole, []byte(`"bob"`), []byte(`"eve"`), 1)
		dir := withJournal(t, text)
		l := live(t, dir)
		v := l.seen("v1")
		if len(v) != 1 || v["alice"].UID != "alice" {
			t.Errorf("%+v", v)
		}
		if st := l.Status(); !near(st.Since, time.Now()) || !st.Kept || len(st.Gaps) > 0 {
			t.Errorf("%+v", st)
		}
		if !strings.Contains(l.log.String(), "seen.journal.damaged") || strings.Count(l.log.String(), "\n") != 1 {
			t.Errorf("logged %q", l.log)
		}
		if aside, err := os.ReadFile(filepath.Join(dir, damagedName)); err != nil || !bytes.Equal(aside, text) {
			t.Errorf("set aside: %v", err)
		}
		for name, text := range map[string]string{"empty": "", "nonsense": "nonsense\n", "newer": string(appendRecord(nil, record{Kind: kindHead, Version: 9}))} {
			if l := live(t, withJournal(t, []byte(text))); !l.Status().Kept || !strings.Contains(l.log.String(), "damaged") {
				t.Errorf("%s: %+v, %s", name, l.Status(), l.log)
			}
		}
	})
}

// TestGaps: only a record that breaks off for long leaves a gap.
func TestGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		began := time.Now()
		live(t, dir)
		time.Sleep(time.Hour)
		synctest.Wait()
		dir = crash(t, dir)
		time.Sleep(5 * time.Minute)
		second := live(t, dir)
		if st := second.Status(); len(st.Gaps) > 0 || !near(st.Since, began) {
			t.Errorf("after a crash and five minutes: %+v", st)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		killed := time.Now()
		dir = crash(t, dir)
		time.Sleep(time.Hour)
		up := time.Now()
		third := live(t, dir)
		third.stop()
		time.Sleep(24 * time.Hour)
		fourth := live(t, dir)
		st := fourth.Status()
		if len(st.Gaps) != 1 || !near(st.Since, began) || !near(st.Gaps[0].To, up) || killed.Sub(st.Gaps[0].From) > quiet+Interval || st.Gaps[0].From.After(killed) {
			t.Errorf("after a crash, an hour, a stop and a day: %+v", st)
		}
	})
}

// TestBounds: mallory calls himself something else each time, in v2 and from everywhere,
// as long as names can be. Who used v1 is still known, and what is kept is bounded.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.Joined(alice)
		l.Left(alice)
		name := strings.Repeat("\x01", 1000) // six bytes each in the file
		for i := range 3 * MaxEntries {
			v := visit("v2", "mallory", byte(i))
			v.Channel = string(rune('a'+i%26)) + string(rune(0x4e00+i/26))
			if i%3 == 0 {
				v.UID = v.Channel + name
			}
			l.Joined(v)
			l.Left(v)
			if i%500 == 0 {
				time.Sleep(Interval)
				synctest.Wait()
				if info, err := os.Stat(filepath.Join(dir, journalName)); err != nil || info.Size() > 3*maxBytes {
					t.Fatalf("%v, %v", info.Size(), err)
				}
			}
		}
		last := visit("v2", "trent", 1)
		l.Joined(last)
		l.Left(last)
		st := l.Status()
		sum := st.Dialects["v2"]
		if sum.Entries > MaxEntries || sum.Dropped+int64(sum.Entries) != 3*MaxEntries+1 {
			t.Errorf("%+v", sum)
		}
		if v := l.seen("v2"); v["trent"].UID == "" || l.seen("v1")["alice"].UID == "" {
			t.Error("the latest, or alice, is not known")
		}
		l.stop()
		again := live(t, dir)
		after := again.Status().Dialects["v2"]
		if after.Entries < MaxEntries/10 || after.Entries > MaxEntries || after.Dropped != sum.Dropped || !near(after.Last, sum.Last) || again.log.String() != "" {
			t.Errorf("%+v, before %+v\n%.300s", after, sum, again.log)
		}
		if again.seen("v1")["alice"].UID == "" || again.seen("v2")["trent"].UID == "" {
			t.Error("the latest, or alice, is not known any more")
		}
	})
}

// TestEverybodyPresent: there is no room for zoe, since all others are there. That she was
// there, and when, is not forgotten for that.
func TestEverybodyPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, t.TempDir())
		who := func(i int) bridge.Visit {
			v := visit("v1", "x", byte(i))
			v.Channel = string(rune(0x4e00 + i))
			return v
		}
		for i := range MaxEntries {
			l.Joined(who(i))
		}
		zoe := visit("v1", "zoe", 1)
		l.Joined(zoe)
		if sum := l.Status().Dialects["v1"]; sum.Entries != MaxEntries || sum.Present != MaxEntries+1 || sum.Dropped != 1 {
			t.Errorf("%+v", sum)
		}
		for i := range MaxEntries {
			l.Left(who(i))
		}
		time.Sleep(time.Hour)
		if sum := l.Status().Dialects["v1"]; sum.Present != 1 || !near(sum.Last, time.Now()) {
			t.Errorf("zoe is there: %+v", sum)
		}
		l.Left(zoe)
		time.Sleep(time.Hour)
		if v := l.seen("v1")["zoe"]; v.Present || time.Since(v.Last) > time.Hour+time.Second {
			t.Errorf("zoe was there: %+v", v)
		}
	})
}

// TestTwoConnections: who has two is there until the second ends.
func TestTwoConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, "")
		other := alice
		other.Addr = netip.AddrPortFrom(netip.MustParseAddr("::ffff:10.0.0.1"), 4712)
		l.Joined(alice)
		l.Joined(other)
		l.Left(alice)
		if v := l.Visitors("v1"); len(v) != 1 || !v[0].Present {
			t.Errorf("%+v", v)
		}
		l.Left(other)
		if v := l.Visitors("v1"); len(v) != 1 || v[0].Present {
			t.Errorf("%+v", v)
		}
	})
}

// TestNoFolder: what cannot be written is kept in memory, which is said once, and written
// when that can be done.
func TestNoFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder should be
			t.Fatal(err)
		}
		l := live(t, dir)
		l.Joined(alice)
		time.Sleep(time.Hour)
		synctest.Wait()
		if st := l.Status(); st.Kept || st.Problem == "" || st.Dialects["v1"].Present != 1 {
			t.Errorf("%+v", st)
		}
		if n := strings.Count(l.log.String(), "in memory only"); n != 1 {
			t.Errorf("said %d times: %s", n, l.log)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(Interval)
		synctest.Wait()
		if st := l.Status(); !st.Kept || !strings.Contains(l.log.String(), "on disk again") {
			t.Errorf("%+v, %s", st, l.log)
		}
		if after := live(t, crash(t, dir)); len(after.seen("v1")) != 1 {
			t.Error("alice was not written")
		}
		if err := os.RemoveAll(dir); err != nil { // somebody cleans up
			t.Fatal(err)
		}
		time.Sleep(2 * Interval)
		synctest.Wait()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * Interval)
		synctest.Wait()
		if after := live(t, crash(t, dir)); len(after.seen("v1")) != 1 {
			t.Error("alice was not written again")
		}
		none := live(t, "")
		none.Joined(alice)
		if st := none.Status(); st.Kept || len(none.seen("v1")) != 1 || !strings.Contains(none.log.String(), "no cache folder") {
			t.Errorf("%+v", st)
		}
	})
}

// TestNextGateway: a gateway is replaced, and for a while there are two. The second takes
// the folder over, with all that the first one knew.
func TestNextGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		began := time.Now()
		first := live(t, dir)
		first.Joined(alice)
		time.Sleep(time.Hour)
		second := live(t, dir)
		second.Joined(bob)
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := second.Status(); st.Kept || !strings.Contains(st.Problem, "another gateway") {
			t.Errorf("%+v", st)
		}
		first.Left(alice)
		first.stop()
		time.Sleep(Interval)
		synctest.Wait()
		v := second.seen("v1")
		if st := second.Status(); !st.Kept || !near(st.Since, began) || len(st.Gaps) > 0 || len(v) != 2 || !v["bob"].Present {
			t.Errorf("%+v, %+v", st, v)
		}
		second.stop()
		var uids []string
		for uid := range live(t, dir).seen("v1") {
			uids = append(uids, uid)
		}
		slices.Sort(uids)
		if diff := cmp.Diff([]string{"alice", "bob"}, uids); diff != "" {
			t.Error(diff)
		}
	})
}

// TestForgotten: who has not come for 400 days is forgotten, who is there is not.
func TestForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.Joined(alice)
		l.Left(alice)
		l.Joined(bob)
		l.stop() // or days would take long
		s := New(dir, slog.New(slog.DiscardHandler))
		if _, found, err := s.disk.load(time.Now()); !found || err != nil {
			t.Fatal(found, err)
		}
		l.expire(time.Now().Add(MaxAge + time.Hour))
		if v := l.seen("v1"); len(v) != 1 || !v["bob"].Present {
			t.Errorf("%+v", v)
		}
	})
}

// TestWritingFails: what could not be written is written as soon as that goes again, with
// nothing behind a line that may be cut off.
func TestWritingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		log := new(logbook)
		s := New(dir, slog.New(slog.NewTextHandler(log, nil)))
		defer s.disk.close()
		s.write(false)
		s.Joined(alice)
		s.disk.file.Close()
		unwritable, err := os.Open(filepath.Join(dir, journalName)) // as a full disk is, for a while
		if err != nil {
			t.Fatal(err)
		}
		s.disk.file = unwritable
		s.write(false)
		if st := s.Status(); st.Kept || strings.Count(log.String(), "in memory only") != 1 {
			t.Errorf("%+v, %s", st, log)
		}
		s.write(false)
		if after := live(t, crash(t, dir)); !s.Status().Kept || len(after.seen("v1")) != 1 || after.log.String() != "" {
			t.Errorf("%+v, %s", s.Status(), after.log)
		}
	})
}

// TestCrashWhileRewriting: a new file that was never finished is in nobody's way.
func TestCrashWhileRewriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.Joined(alice)
		time.Sleep(Interval)
		synctest.Wait()
		dir = crash(t, dir)
		if err := os.WriteFile(filepath.Join(dir, newName), []byte("12345678 {\"t\":"), 0o600); err != nil {
			t.Fatal(err)
		}
		after := live(t, dir)
		if st := after.Status(); len(after.seen("v1")) != 1 || !st.Kept || after.log.String() != "" {
			t.Errorf("%+v, %s", st, after.log)
		}
		if _, err := os.Stat(filepath.Join(dir, newName)); err == nil {
			t.Error("the unfinished file is still there")
		}
	})
}

// TestClockSetForward: the machine began in 1970 and learnt the date later.
func TestClockSetForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := live(t, dir)
		l.stop()
		wrong, right := time.Now(), time.Now().Add(26*365*24*time.Hour)
		for range 2 * maxGaps {
			l.passed(wrong, right, Interval)
		}
		l.passed(right, right.Add(Interval), Interval)
		l.passed(right.Add(time.Hour), right, Interval)
		if st := l.Status(); len(st.Gaps) != maxGaps || !st.Gaps[0].To.Equal(right) || !strings.Contains(l.log.String(), "set forward") {
			t.Errorf("%+v, %s", st, l.log)
		}
	})
}
