package v1_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"mles/v1"
)

// frameOf returns a frame with a body of n bytes, whose content the Reader does not look at.
func frameOf(n int) []byte {
	body := bytes.Repeat([]byte{byte(n)}, n)
	return append(v1.Header{Len: n, CID: 7, Key: uint64(n)}.Append(nil), body...)
}

// pieces is a Lazy source that gives one of its pieces at a time, as far as the buffer goes. A nil piece
// is a wakeup without bytes.
type pieces struct {
	left [][]byte
	err  error  // at the end
	wait func() // called where a real source would wait
	out  int    // buffers got in this call and not put back
}

func (p *pieces) ReadLazy(get func() []byte, put func([]byte)) ([]byte, int, error) {
	p.out = 0
	for {
		if p.wait != nil {
			p.wait()
		}
		if len(p.left) == 0 {
			return nil, 0, p.err
		}
		buf := get()
		p.out++
		if p.left[0] == nil {
			p.left = p.left[1:]
			put(buf)
			p.out--
			continue
		}
		n := copy(buf, p.left[0])
		if p.left[0] = p.left[0][n:]; len(p.left[0]) == 0 {
			p.left = p.left[1:]
		}
		return buf, n, nil
	}
}

func (p *pieces) Read([]byte) (int, error) { panic("a Lazy source is read by ReadLazy") }

// eager hides ReadLazy.
type eager struct{ p *pieces }

func (e eager) Read(b []byte) (n int, err error) {
	_, n, err = e.p.ReadLazy(func() []byte { return b }, func([]byte) {})
	return n, err
}

// sources are the two kinds that a Reader treats differently.
var sources = map[string]func(*pieces) io.Reader{
	"lazy":  func(p *pieces) io.Reader { return p },
	"eager": func(p *pieces) io.Reader { return eager{p} },
}

// readAll reads to the end and returns the frames in one piece, and how it ended.
func readAll(r *v1.Reader) (all []byte, frames int, err error) {
	for {
		batch, err := r.Frames()
		if err != nil {
			return all, frames, err
		}
		for _, f := range batch {
			if len(f.Raw) != v1.HeaderLen+f.Len {
				return all, frames, errors.New("frame of another length than its header")
			}
			all = append(all, f.Raw...)
			frames++
		}
	}
}

func TestReaderFindsSameFramesHoweverTheyCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(1, 200), rapid.IntRange(1, 6000), rapid.SampledFrom([]int{
			4<<10 - 17, 4<<10 - 16, 4<<10 - 15, 64<<10 - 17, 64<<10 - 16, 64<<10 - 15, 128 << 10, 300_000}))
		sizes := rapid.SliceOfN(size, 1, 12).Draw(t, "sizes")
		var sent []byte
		for _, n := range sizes {
			sent = append(sent, frameOf(n)...)
		}
		wantErr := io.EOF
		whole := len(sent)
		if cut := rapid.IntRange(0, v1.HeaderLen).Draw(t, "cut"); cut > 0 {
			sent = append(sent, frameOf(20)[:cut]...)
			wantErr = io.ErrUnexpectedEOF
		}
		p := &pieces{err: io.EOF}
		piece := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 5000), rapid.IntRange(0, 200_000))
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), piece.Draw(t, "piece"))
			if n == 0 {
				p.left = append(p.left, nil)
			} else {
				p.left = append(p.left, rest[:n])
			}
			rest = rest[n:]
		}
		kind := rapid.SampledFrom([]string{"lazy", "eager"}).Draw(t, "kind")
		r := v1.NewReader(sources[kind](p))
		log := watch(r)
		got, frames, err := readAll(r)
		if !bytes.Equal(got, sent[:whole]) || frames != len(sizes) || err != wantErr {
			t.Fatalf("%d bytes in %d frames, %v; want %d in %d, %v",
				len(got), frames, err, whole, len(sizes), wantErr)
		}
		if log.fault != "" {
			t.Fatal(log.fault)
		}
		if log.held != 0 || log.begun {
			t.Fatalf("at the end %d bytes are held, begun: %t", log.held, log.begun)
		}
	})
}

// hookLog holds the calls of the hooks against what Hooks promises.
type hookLog struct {
	held, most int // bytes
	begun      bool
	have, want int
	waits      int
	fault      string
}

func watch(r *v1.Reader) *hookLog {
	l := &hookLog{}
	r.SetHooks(v1.Hooks{
		Hold: func(n int) error {
			if n == l.held {
				l.fault = "Hold without a change"
			}
			l.held, l.most = n, max(l.most, n)
			return nil
		},
		Begun: func(have, want int) error {
			switch {
			case have < 1, want != 0 && have >= want, want == 0 && have >= v1.HeaderLen:
				l.fault = "Begun without a begun frame"
			case have > l.held:
				l.fault = "more bytes came than are held"
			case l.held > max(64, 2*have) && have > 8<<10:
				l.fault = "far more is held than came"
			}
			l.begun, l.have, l.want = true, have, want
			l.waits++
			return nil
		},
		Done: func() {
			if !l.begun {
				l.fault = "Done without Begun"
			}
			l.begun = false
		},
	})
	return l
}

func TestReaderTakesOneByteAtATime(t *testing.T) {
	sent := append(append(frameOf(1), frameOf(300)...), frameOf(5000)...)
	got, frames, err := readAll(v1.NewReader(iotest.OneByteReader(bytes.NewReader(sent))))
	if !bytes.Equal(got, sent) || frames != 3 || err != io.EOF {
		t.Errorf("%d bytes in %d frames, %v", len(got), frames, err)
	}
}

func TestReaderReturnsAllFramesOfOneRead(t *testing.T) {
	var sent []byte
	for range 100 {
		sent = append(sent, frameOf(20)...)
	}
	r := v1.NewReader(&pieces{left: [][]byte{append(sent, 'M', 0)}})
	batch, err := r.Frames()
	if len(batch) != 100 || err != nil {
		t.Fatalf("%d frames, %v; want 100 at once", len(batch), err)
	}
}

func TestReaderHoldsNoBufferWhileNothingComes(t *testing.T) {
	p := &pieces{left: [][]byte{frameOf(50), nil, frameOf(60), nil}, err: io.EOF}
	r := v1.NewReader(p)
	log := watch(r)
	waits := 0
	p.wait = func() {
		if waits++; p.out != 0 || log.held != 0 {
			t.Errorf("wait %d: %d buffers are out and %d bytes held", waits, p.out, log.held)
		}
	}
	if _, frames, err := readAll(r); frames != 2 || err != io.EOF || waits != 5 {
		t.Errorf("%d frames, %v after %d waits", frames, err, waits)
	}
}

// Nor does a reader that is silent keep one from being collected that it has given back: each would keep another.
func TestSilentReadersKeepNoBuffersAlive(t *testing.T) {
	heap := func() int64 {
		for range 3 { // what is in a pool survives the first two
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var silent []*v1.Reader
	for range 50 {
		p := &pieces{left: [][]byte{frameOf(20)}, err: os.ErrDeadlineExceeded}
		r := v1.NewReader(p)
		if frames, err := r.Frames(); err != nil || len(frames) != 1 {
			t.Fatalf("%d frames, %v", len(frames), err)
		}
		if _, err := r.Frames(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		silent = append(silent, r)
		heap() // the pool is empty again
	}
	if each := (heap() - before) / int64(len(silent)); each > 4<<10 {
		t.Errorf("a silent reader keeps %d bytes", each)
	}
	runtime.KeepAlive(silent)
}

func TestLargestFrameGrowsWithWhatComes(t *testing.T) {
	for kind, source := range sources {
		t.Run(kind, func(t *testing.T) {
			sent := frameOf(v1.MaxBody)
			p := &pieces{err: io.EOF}
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 100_000)
				p.left = append(p.left, rest[:n])
				rest = rest[n:]
			}
			r := v1.NewReader(source(p))
			log := watch(r)
			got, frames, err := readAll(r)
			if !bytes.Equal(got, sent) || frames != 1 || err != io.EOF {
				t.Errorf("%d bytes in %d frames, %v", len(got), frames, err)
			}
			if log.fault != "" {
				t.Error(log.fault)
			}
			if log.most != len(sent) {
				t.Errorf("held %d bytes at most, want the frame's %d", log.most, len(sent))
			}
		})
	}
}

func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	for kind, source := range sources {
		t.Run(kind, func(t *testing.T) {
			header := v1.Header{Len: v1.MaxBody}.Append(nil)
			r := v1.NewReader(source(&pieces{left: [][]byte{header, {1}}, err: os.ErrDeadlineExceeded}))
			log := watch(r)
			if _, err := r.Frames(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			if log.most != 64 || log.have != 17 || log.want != v1.HeaderLen+v1.MaxBody || !log.begun {
				t.Errorf("%+v; want 64 bytes held for 17 of %d", log, v1.HeaderLen+v1.MaxBody)
			}
		})
	}
}

func TestReaderGoesOnAfterDeadline(t *testing.T) {
	f := frameOf(100)
	p := &pieces{left: [][]byte{f[:30]}, err: os.ErrDeadlineExceeded}
	r := v1.NewReader(p)
	if _, err := r.Frames(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	p.left = [][]byte{f[30:]}
	batch, err := r.Frames()
	if err != nil || len(batch) != 1 || !bytes.Equal(batch[0].Raw, f) {
		t.Errorf("after the deadline: %v, %v", batch, err)
	}
}

func TestFaultComesAfterGoodFrames(t *testing.T) {
	good := append(frameOf(10), frameOf(20)...)
	empty := append([]byte{'M'}, make([]byte, v1.HeaderLen-1)...)
	for _, c := range []struct {
		name string
		then []byte
		want error
	}{
		{"other first byte", []byte("X"), v1.ErrMagic},
		{"no body", empty, v1.ErrEmpty},
		{"end in header", empty[:5], io.ErrUnexpectedEOF},
		{"end in body", frameOf(30)[:40], io.ErrUnexpectedEOF},
		{"end between frames", nil, io.EOF},
	} {
		for kind, source := range sources {
			t.Run(c.name+"/"+kind, func(t *testing.T) {
				sent := append(bytes.Clone(good), c.then...)
				r := v1.NewReader(source(&pieces{left: [][]byte{sent}, err: io.EOF}))
				got, frames, err := readAll(r)
				if !bytes.Equal(got, good) || frames != 2 || err != c.want {
					t.Errorf("%d frames, then %v; want 2, %v", frames, err, c.want)
				}
				if _, again := r.Frames(); again != c.want {
					t.Errorf("asked again: %v", again)
				}
			})
		}
	}
}

func TestHookErrorsEndReader(t *testing.T) {
	refused := errors.New("over budget")
	huge := frameOf(200_000)
	for _, c := range []struct {
		name  string
		hooks v1.Hooks
	}{
		{"Hold", v1.Hooks{Hold: func(n int) error { return refused }}},
		{"Hold while growing", v1.Hooks{Hold: func(n int) error {
			if n > 128<<10 {
				return refused
			}
			return nil
		}}},
		{"Begun", v1.Hooks{Begun: func(int, int) error { return refused }}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := append(frameOf(10), huge...)
			r := v1.NewReader(&pieces{left: [][]byte{sent[:50], sent[50:]}, err: io.EOF})
			r.SetHooks(c.hooks)
			if _, frames, err := readAll(r); frames != 1 || err != refused {
				t.Errorf("%d frames, %v; want the one before, then the refusal", frames, err)
			}
		})
	}
}

func TestReleaseKeepsBegunFrame(t *testing.T) {
	a, b := frameOf(100), frameOf(200)
	r := v1.NewReader(&pieces{left: [][]byte{append(a, b[:50]...), b[50:]}, err: io.EOF})
	if batch, err := r.Frames(); len(batch) != 1 || err != nil {
		t.Fatal(batch, err)
	}
	r.Release()
	r.Release()
	batch, err := r.Frames()
	if err != nil || len(batch) != 1 || !bytes.Equal(batch[0].Raw, b) {
		t.Errorf("after Release: %v, %v", batch, err)
	}
}

func TestSourceThatNeverGivesAnything(t *testing.T) {
	if _, err := v1.NewReader(eager{&pieces{}}).Frames(); err != io.ErrNoProgress {
		t.Errorf("got %v, want io.ErrNoProgress", err)
	}
}

// endless is a Lazy source of the same frames again and again, 60 KiB at a time: batches end inside
// frames.
type endless struct {
	frames []byte
	at     int
}

func (e *endless) Read([]byte) (int, error) { panic("a Lazy source is read by ReadLazy") }

func (e *endless) ReadLazy(get func() []byte, _ func([]byte)) ([]byte, int, error) {
	buf := get()
	n := copy(buf[:min(len(buf), 60<<10)], e.frames[e.at:])
	e.at = (e.at + n) % len(e.frames)
	return buf, n, nil
}

func BenchmarkReader(b *testing.B) {
	m := v1.Msg{UID: "alice", Channel: "chan", Message: make([]byte, 64)}
	frame := v1.AppendFrame(nil, 1, 2, m)
	r := v1.NewReader(&endless{frames: bytes.Repeat(frame, 1009)})
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for n := 0; n < b.N; {
		batch, err := r.Frames()
		if err != nil {
			b.Fatal(err)
		}
		n += len(batch)
	}
}
