package logs

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each level is the journal's own, and whatever a value holds it is one line.
func TestJournal(t *testing.T) {
	var out strings.Builder
	level := new(slog.LevelVar)
	log := New(&out, Journal, level)
	log.Debug("not asked for")
	level.Set(slog.LevelDebug)
	log.Debug("four")
	log.Info("left", "uid", "eve\n<0>forged", "time", "noon")
	log.With("a", 1).WithGroup("g").Warn("two", "b", 2, "level", 3)
	log.Error("one")
	want := "<7>msg=four\n" +
		`<6>msg=left uid="eve\n<0>forged" time=noon` + "\n" +
		"<4>msg=two a=1 g.b=2 g.level=3\n" +
		"<3>msg=one\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestFormats(t *testing.T) {
	for format, want := range map[Format]string{Text: "level=INFO msg=hello", JSON: `"level":"INFO","msg":"hello"`} {
		var out strings.Builder
		New(&out, format, slog.LevelInfo).Info("hello")
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// pipe is a reader who can stand still.
type pipe struct {
	mu    sync.Mutex
	text  strings.Builder
	stuck chan struct{} // closed when it reads again
}

func (p *pipe) Write(b []byte) (int, error) {
	<-p.stuck
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *pipe) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.SplitAfter(strings.TrimSuffix(p.text.String(), "\n"), "\n")
}

// While nobody reads nobody waits; when somebody does again, there are the first lines, and how many are missing.
func TestReaderStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{stuck: make(chan struct{})}
		var log *slog.Logger
		w := NewWriter(p, 1000, func(lines int64) { log.Warn("lines were lost", "lines", lines) })
		log = New(w, Journal, slog.LevelInfo)
		start := time.Now()
		for i := range 1000 {
			log.Info("hello", "i", i)
			if i == 0 {
				synctest.Wait() // it is being written
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s", took)
		}
		lost := w.Lost()
		if lost < 900 || lost > 999 {
			t.Errorf("%d lines are lost", lost)
		}
		w.Flush(time.Second)
		if took := time.Since(start); took != time.Second {
			t.Errorf("flushing took %s", took)
		}
		close(p.stuck)
		synctest.Wait()
		got := p.lines()
		for i, line := range got[:len(got)-1] {
			if line != fmt.Sprintf("<6>msg=hello i=%d\n", i) {
				t.Errorf("line %d is %q", i, line)
			}
		}
		if last := got[len(got)-1]; last != fmt.Sprintf("<4>msg=\"lines were lost\" lines=%d", lost) || len(got)-1+int(lost) != 1000 {
			t.Errorf("%d lines, the last %q, lost are %d", len(got), last, lost)
		}
		log.Info("goodbye")
		w.Close(time.Minute)
		synctest.Wait()
		if got := p.lines(); got[len(got)-1] != "<6>msg=goodbye" {
			t.Errorf("last is %q", got[len(got)-1])
		}
		log.Info("too late")
		if w.Lost() != lost+1 {
			t.Error("who logs after the end is not counted")
		}
	})
}

// What was written before the end is there, and in order, whoever wrote.
func TestNothingIsLostInTime(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w := NewWriter(out, DefaultQueue, nil)
	log := New(w, Journal, slog.LevelInfo)
	var wg sync.WaitGroup
	for who := range 8 {
		wg.Go(func() {
			for i := range 500 {
				log.Info("hello", "who", who, "i", i)
			}
		})
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	wg.Wait()
	w.Close(20 * time.Second)
	out.Close()
	next := make(map[int]int)
	for line := range strings.Lines(<-read) {
		var who, i int
		if _, err := fmt.Sscanf(line, "<6>msg=hello who=%d i=%d", &who, &i); err != nil || i != next[who] {
			t.Fatalf("%q after %d, %v", line, next[who]-1, err)
		}
		next[who]++
	}
	if len(next) != 8 || next[0] != 500 {
		t.Errorf("%v", next)
	}
}

// The variable counts only where it names this very file.
func TestToJournal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, stream := range []string{"", "0:0", "x", "1:2:3"} {
		if ToJournal(f, func(string) string { return stream }) {
			t.Errorf("%q is taken for the journal", stream)
		}
	}
}
