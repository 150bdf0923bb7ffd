package conformance

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// aServer accepts connections and hands them to serve, which ends by itself when
// its connection does.
func aServer(t *testing.T, serve func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				serve(nc)
			}()
		}
	}()
	return Target{V1: l.Addr().String(), Key: "k"}
}

func mute(nc net.Conn) { io.Copy(io.Discard, nc) }

// runOne runs a case of the test's own.
func runOne(t *testing.T, tg Target, o Options, run func(t *T)) Result {
	t.Helper()
	o.Cases = []Case{{ID: "v1/test/case", Needs: V1, Says: "Something must happen.", Deadline: 2 * time.Second, Conns: 1, Run: run}}
	report, err := Run(context.Background(), tg, o)
	if err != nil {
		t.Fatal(err)
	}
	return report.Results[0]
}

func TestVerdicts(t *testing.T) {
	tg := aServer(t, mute)
	for _, test := range []struct {
		name    string
		run     func(t *T)
		outcome Outcome
		failure string
	}{
		{"returns", func(t *T) { t.DialV1() }, Pass, ""},
		{"Fatalf ends it", func(t *T) { t.Fatalf("no"); t.NotRunf("never") }, Fail, "no"},
		{"Errorf does not", func(t *T) { t.Errorf("no"); t.Errorf("again") }, Fail, "no; again"},
		{"a failure is not taken back", func(t *T) { t.Errorf("no"); t.NotRunf("never") }, Fail, "no"},
		{"NotRunf", func(t *T) { t.NotRunf("no %s", "IPv6") }, NotRun, "no IPv6"},
		{"a panic", func(t *T) { panic("oops") }, Fail, "the case is wrong: panic: oops"},
		{"too many connections", func(t *T) { t.DialV1(); t.DialV1() }, Fail, "the case is wrong: it opens more"},
		{"nothing comes", func(t *T) { t.DialV1().Next() }, Fail, "v1#1 got nothing within 100ms"},
		{"past the deadline", func(t *T) { t.SetPatience(time.Hour); t.DialV1().ExpectClosed() }, Fail, "was not closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runOne(t, tg, Options{Timeout: 100 * time.Millisecond}, test.run)
			if r.Outcome != test.outcome || !strings.Contains(r.Failure, test.failure) {
				t.Errorf("got %s: %s; want %s: %s", r.Outcome, r.Failure, test.outcome, test.failure)
			}
		})
	}
}

func TestTranscriptShowsBytesAndMeaning(t *testing.T) {
	tg := aServer(t, func(nc net.Conn) { io.Copy(nc, nc) })
	r := runOne(t, tg, Options{}, func(t *T) {
		c := t.DialV1()
		c.ExpectFrame(c.Join("alice", "room", "hi"))
		t.Fatalf("enough")
	})
	var b strings.Builder
	writeResult(&b, r)
	for _, want := range []string{
		`alice/v1 > M length 35 cid`, `alice/v1 < M length 35 cid`, `uid "alice" channel "room" message "hi"`,
		"4d 00 00 23", "FAILED: enough", "MUST", "Something must happen.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestFloodDoesNotFillTheTranscript(t *testing.T) {
	rec := &transcript{start: time.Now()}
	for range 10_000 {
		rec.add("c", "<", "frame", make([]byte, 1000))
	}
	if n := len(rec.lines()); n != 2*maxLines+1 {
		t.Errorf("%d lines", n)
	}
}

// A server that sends without end fails its case and costs bounded memory.
func TestEndlessServer(t *testing.T) {
	tg := aServer(t, func(nc net.Conn) {
		frame := Frame(1, 2, make([]byte, 1<<20))
		for {
			if _, err := nc.Write(frame); err != nil {
				return
			}
		}
	})
	r := runOne(t, tg, Options{}, func(t *T) {
		c := t.DialV1()
		for !c.in.full() {
			time.Sleep(time.Millisecond)
		}
		c.ExpectClosed()
	})
	if r.Outcome != Fail {
		t.Errorf("got %s: %s", r.Outcome, r.Failure)
	}
}

func TestTargetsThatCannotBeTested(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for _, test := range []struct {
		name string
		tg   Target
		o    Options
		want error
	}{
		{"nobody there", Target{V1: nobody}, Options{}, ErrUnreachable},
		{"nobody at the second", Target{V2: "ws://" + nobody}, Options{}, ErrUnreachable},
		{"no port", Target{V1: "localhost"}, Options{}, ErrTarget},
		{"another scheme", Target{V2: "https://localhost"}, Options{}, ErrTarget},
		{"no address", Target{}, Options{}, ErrNoCases},
		{"no such case", Target{V1: nobody}, Options{Pattern: regexp.MustCompile("^nothing$")}, ErrNoCases},
	} {
		if _, err := Run(context.Background(), test.tg, test.o); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v; want %v", test.name, err, test.want)
		}
	}
}

// A server that is gone cannot be judged: that is neither a pass nor its fault,
// unless the case itself had it go.
func TestServerThatGoesAway(t *testing.T) {
	tg := aServer(t, mute)
	kill := Case{ID: "v1/test/kill", Needs: V1 | Hostile, Run: func(t *T) {
		t.DialV1()
		t.target.V1 = "127.0.0.1:1" // where nobody listens
		t.DialV1()
	}}
	after := Case{ID: "v1/test/after", Needs: V1 | Hostile, Run: func(t *T) { t.DialV1() }}
	report, err := Run(context.Background(), tg, Options{Cases: []Case{kill, after}, Hostile: true})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := report.Results[0].Outcome, report.Results[1].Outcome; a != Fail || b != NotRun {
		t.Errorf("the case that ended the server: %s; the next: %s", a, b)
	}
	if report.OK() {
		t.Error("a run with a case that was not run is as expected")
	}
}

func TestWhatIsNotGivenIsLeftOut(t *testing.T) {
	cases := []Case{
		{ID: "v1/a/a", Needs: V1}, {ID: "v2/a/a", Needs: V2}, {ID: "bridge/a/a", Needs: V1 | V2},
		{ID: "v1/a/b", Needs: V1 | Key}, {ID: "v1/a/c", Needs: V1 | NoKey}, {ID: "v1/a/d", Needs: V1 | Slow}, {ID: "v1/a/e", Needs: V1 | Hostile},
	}
	chosen, left := Select(Target{V1: "h:1", Key: "k"}, Options{Cases: cases})
	if len(chosen) != 2 || chosen[1].ID != "v1/a/b" {
		t.Errorf("chosen: %v", chosen)
	}
	if len(left) != 4 || len(left[0].Cases) != 2 || left[0].Reason != "no v2 address given" {
		t.Errorf("left out: %v", left)
	}
}

func TestUnexpectedPassIsNotOK(t *testing.T) {
	tg := aServer(t, mute)
	p := &Profile{Entries: []Deviation{{ID: "v1/test/case", Outcomes: []Outcome{Fail}, Reason: "known"}}}
	if r := runOne(t, tg, Options{Profile: p}, func(*T) {}); r.AsExpected() {
		t.Error("a pass where a failure is expected is as expected")
	}
	if r := runOne(t, tg, Options{Profile: p}, func(t *T) { t.Fatalf("no") }); !r.AsExpected() {
		t.Error("a failure where one is expected is not")
	}
	p.Entries[0].Key = "without"
	if r := runOne(t, tg, Options{Profile: p}, func(*T) {}); !r.AsExpected() {
		t.Error("the entry is for servers without a key, and this has one")
	}
}

// Connections are bounded over all cases, and every case is run all the same.
func TestConnectionsAreBounded(t *testing.T) {
	var open, most atomic.Int64
	tg := aServer(t, func(nc net.Conn) {
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		mute(nc)
		open.Add(-1)
	})
	var cases []Case
	for range 20 {
		cases = append(cases, Case{ID: "v1/test/" + token(4), Needs: V1, Conns: 2, Run: func(t *T) {
			t.DialV1()
			c := t.DialV1()
			c.ExpectSilence(20 * time.Millisecond)
		}})
	}
	told := 0
	report, err := Run(context.Background(), tg, Options{Cases: cases, Connections: 5, Progress: func(Result) { told++ }})
	if err != nil || !report.OK() || told != 20 {
		t.Errorf("%v, %+v, %d told", err, report.Counts(), told)
	}
	if most.Load() > 8 { // a few more: the server sees the end of a connection late
		t.Errorf("%d connections at a time", most.Load())
	}
	big := []Case{{ID: "v1/test/big", Needs: V1, Conns: 6, Run: func(*T) {}}}
	if report, _ := Run(context.Background(), tg, Options{Cases: big, Connections: 5}); report.Results[0].Outcome != NotRun {
		t.Error("a case that needs more connections than allowed was run")
	}
}

func TestInterruptedRun(t *testing.T) {
	tg := aServer(t, mute)
	ctx, cancel := context.WithCancel(context.Background())
	wait := Case{ID: "v1/test/wait", Needs: V1, Run: func(t *T) {
		c := t.DialV1()
		cancel()
		c.Next()
	}}
	report, err := Run(ctx, tg, Options{Cases: []Case{wait}})
	if !errors.Is(err, context.Canceled) || report.Results[0].Outcome != NotRun {
		t.Errorf("got %v, %+v", err, report)
	}
}
