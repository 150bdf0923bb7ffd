package v1_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

func FuzzHeader(f *testing.F) {
	for _, v := range vectors[frameVector](f, "v1-frames.json") {
		f.Add([]byte(v.Frame))
	}
	f.Add([]byte("M"))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add(make([]byte, v1.HeaderLen))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := v1.ParseHeader(b)
		if err != nil {
			if err != v1.ErrShort && err != v1.ErrMagic && err != v1.ErrEmpty || h != (v1.Header{}) {
				t.Fatalf("%+v, %v", h, err)
			}
			return
		}
		if got := h.Append(nil); !bytes.Equal(got, b[:v1.HeaderLen]) {
			t.Fatalf("%x came back as %x", b[:v1.HeaderLen], got)
		}
	})
}

// addBodies seeds f with every body that was tried on the reference.
func addBodies(f *testing.F) {
	for _, v := range vectors[bodyVector](f, "v1-bodies.json") {
		f.Add([]byte(v.Body))
	}
	for _, v := range vectors[lenientVector](f, "v1-lenient.json") {
		f.Add([]byte(v.Body))
	}
}

func FuzzBody(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		m, err := v1.DecodeMsg(body)
		if !bytes.Equal(before, body) {
			t.Fatal("decoding changed the body")
		}
		if err != nil {
			if !errors.Is(err, v1.ErrBody) {
				t.Fatal(err)
			}
			return
		}
		if !utf8.ValidString(m.UID) || !utf8.ValidString(m.Channel) {
			t.Fatalf("names are not UTF-8: %+v", m)
		}
		canonical := m.Append(nil)
		if len(canonical) != m.Size() {
			t.Fatalf("Size is %d, Append wrote %d", m.Size(), len(canonical))
		}
		again, err := v1.DecodeMsg(canonical)
		if err != nil || again.UID != m.UID || again.Channel != m.Channel || !bytes.Equal(again.Message, m.Message) {
			t.Fatalf("%+v came back as %+v, %v", m, again, err)
		}
	})
}

// What the scan takes, both the lenient decoder and a CBOR library on its own must take alike.
func FuzzScanAgrees(f *testing.F) {
	addBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		scanned, ok := v1.ScanView(body)
		if !ok {
			return
		}
		lenient, err := v1.DecodeViewLenient(body)
		if err != nil || !cmp.Equal(scanned, lenient) {
			t.Fatalf("scan %q, lenient decoder %q, %v", scanned, lenient, err)
		}
		var library struct {
			UID     string `cbor:"uid"`
			Channel string `cbor:"channel"`
			Message []byte `cbor:"message"`
		}
		if err := cbor.Unmarshal(body, &library); err != nil || library.UID != string(scanned.UID) ||
			library.Channel != string(scanned.Channel) || !bytes.Equal(library.Message, scanned.Message) {
			t.Fatalf("scan %q, library %q, %v", scanned, library, err)
		}
	})
}

func FuzzResync(f *testing.F) {
	for _, v := range vectors[resyncVector](f, "v1-resync.json") {
		f.Add([]byte(v.Body))
	}
	f.Add(v1.AppendResync(nil, [][]byte{[]byte("M")}))
	f.Add([]byte("\x81\x9f\x81\x43abc\xff"))
	f.Add([]byte("\xa1\x00\x81\xa1\x00\x92\x18M\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		frames, err := v1.DecodeResync(body)
		if err != nil {
			if frames != nil || err != v1.ErrNotResync && !errors.Is(err, v1.ErrResync) {
				t.Fatalf("%x, %v", frames, err)
			}
			return
		}
		if len(frames) == 0 {
			t.Fatal("an empty list was taken")
		}
		for _, raw := range frames {
			if _, err := v1.ParseFrame(raw); err != nil {
				t.Fatalf("contains %x: %v", raw, err)
			}
		}
		again, err := v1.DecodeResync(v1.AppendResync(nil, frames))
		if diff := cmp.Diff(frames, again); err != nil || diff != "" {
			t.Fatalf("%v (-first +again):\n%s", err, diff)
		}
	})
}

// FuzzReader cuts what is sent, first a frame with a body of large bytes, into pieces by cuts, and
// compares with cutting it by hand. Inputs stay small, so that the fuzzer is not busy making them so.
func FuzzReader(f *testing.F) {
	f.Add(uint32(0), append(frameOf(3), frameOf(40)...), []byte{1, 16, 0, 5}, true)
	f.Add(uint32(70_000), []byte("M"), []byte{200, 255, 255}, true)
	f.Add(uint32(5000), []byte("Morgen"), []byte{17, 0, 255}, false)
	f.Add(uint32(65_520), append(frameOf(9), "X"...), []byte{}, false)
	f.Fuzz(func(t *testing.T, large uint32, sent, cuts []byte, lazy bool) {
		if large %= 200_000; large > 0 {
			sent = append(frameOf(int(large)), sent...)
		}
		p := &pieces{err: io.EOF}
		rest := sent
		for _, c := range cuts {
			n := min(int(c)*int(c), len(rest))
			if n == 0 {
				p.left = append(p.left, nil)
				continue
			}
			p.left = append(p.left, rest[:n])
			rest = rest[n:]
		}
		if len(rest) > 0 {
			p.left = append(p.left, rest)
		}
		var src io.Reader = eager{p}
		if lazy {
			src = p
		}
		r := v1.NewReader(src)
		log := watch(r)
		got, _, err := readAll(r)
		want, wantErr := cutByHand(sent)
		if !bytes.Equal(got, want) || err != wantErr {
			t.Fatalf("%d bytes of frames, %v; want %d, %v", len(got), err, len(want), wantErr)
		}
		if log.fault != "" || log.held != 0 || log.begun {
			t.Fatalf("hooks: %+v", log)
		}
	})
}

// cutByHand returns the whole frames at the front of b, in one piece, and how a Reader must end.
func cutByHand(b []byte) (frames []byte, err error) {
	for rest := b; ; {
		h, err := v1.ParseHeader(rest)
		done := b[:len(b)-len(rest)]
		switch {
		case len(rest) == 0:
			return done, io.EOF
		case err == v1.ErrShort, err == nil && len(rest) < v1.HeaderLen+h.Len:
			return done, io.ErrUnexpectedEOF
		case err != nil:
			return done, err
		}
		rest = rest[v1.HeaderLen+h.Len:]
	}
}
