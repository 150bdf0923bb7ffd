package v1_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

// checkBody decodes v.Body in both ways and holds the result against v.
func checkBody(t *testing.T, v bodyVector) {
	t.Helper()
	m, err := v1.DecodeMsg(v.Body)
	var view v1.View
	if viewErr := view.Decode(v.Body); (viewErr == nil) != (err == nil) {
		t.Errorf("DecodeMsg says %v, View.Decode %v", err, viewErr)
	}
	if !v.Decodes {
		if !errors.Is(err, v1.ErrBody) {
			t.Errorf("decodes to %+v, %v; want ErrBody", m, err)
		}
		return
	}
	want := v1.Msg{UID: v.UID, Channel: v.Channel, Message: v.Message}
	if err != nil || m.UID != want.UID || m.Channel != want.Channel || string(m.Message) != string(want.Message) {
		t.Errorf("decodes to %+v, %v; want %+v", m, err, want)
	}
	got := v1.Msg{UID: string(view.UID), Channel: string(view.Channel), Message: view.Message}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("view differs (-msg +view):\n%s", diff)
	}
}

func TestCanonicalBodyIsDecodedInPlace(t *testing.T) {
	body := v1.Msg{UID: "äiti", Channel: "频道", Message: make([]byte, 300)}.Append(nil)
	var v v1.View
	if n := testing.AllocsPerRun(100, func() { v.Decode(body) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if string(v.UID) != "äiti" || string(v.Channel) != "频道" || len(v.Message) != 300 {
		t.Errorf("decoded to %q", v)
	}
	if body[len(body)-1] = 9; v.Message[299] != 9 {
		t.Error("Message is a copy")
	}
}

func TestViewIsEmptyAfterError(t *testing.T) {
	v := v1.View{UID: []byte("of the body before")}
	if err := v.Decode([]byte("\xa3\x63uid\x61u\x67channel\x61\xff\x67message\x40")); err == nil || v.UID != nil {
		t.Errorf("%q, %v", v, err)
	}
}

func TestSizeIsWhatAppendWrites(t *testing.T) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 65535, 65536} {
		m := v1.Msg{UID: strings.Repeat("u", n), Channel: strings.Repeat("c", n/2), Message: make([]byte, n)}
		if got := len(m.Append(nil)); got != m.Size() {
			t.Errorf("%d bytes in each: Size says %d, Append wrote %d", n, m.Size(), got)
		}
	}
}

func TestLargestMessageFillsFrame(t *testing.T) {
	for _, name := range []string{"", "alice", strings.Repeat("n", v1.MaxName), strings.Repeat("n", v1.MaxBody/2)} {
		m := v1.Msg{UID: name, Channel: "c"}
		m.Message = make([]byte, v1.MaxMessage(m.UID, m.Channel))
		if m.Size() != v1.MaxBody {
			t.Errorf("names of %d bytes: a body of %d bytes is the largest", len(name), m.Size())
		}
	}
}

// With names of megabytes the message's length may be written in one, two, three or five bytes.
func TestLargestMessageBesideLongNames(t *testing.T) {
	channel := strings.Repeat("c", v1.MaxBody-70_000-31) // leaves as much as the uid is short
	for _, short := range []int{0, 1, 20, 23, 24, 25, 26, 27, 254, 255, 256, 257, 258, 259, 65_534, 65_536, 65_538, 65_540} {
		uid := strings.Repeat("u", 70_000-short)
		n := v1.MaxMessage(uid, channel)
		m := v1.Msg{UID: uid, Channel: channel}
		if n < 0 {
			if m.Size() <= v1.MaxBody {
				t.Errorf("an empty message would fit, making %d", m.Size())
			}
			continue
		}
		if m.Message = make([]byte, n); m.Size() > v1.MaxBody {
			t.Errorf("message of %d makes %d", n, m.Size())
		}
		if m.Message = make([]byte, n+1); m.Size() <= v1.MaxBody {
			t.Errorf("%d is not the largest message, one more makes %d", n, m.Size())
		}
	}
}

// Heads that announce more than there is, and what nests, must not cost more than a small multiple of
// the bytes that came.
func TestHostileBodiesCostLittle(t *testing.T) {
	open := "\xa3\x63uid\x61u\x67channel\x61c\x67message"
	for name, body := range map[string]string{
		"array of 2^31":        open + "\x9a\x80\x00\x00\x00\x01\x02\x03",
		"array of 2^63":        open + "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03",
		"text of 2^64-1":       open + "\x7b\xff\xff\xff\xff\xff\xff\xff\xffabc",
		"map of 2^31":          "\xba\x80\x00\x00\x00\x63uid\x61u",
		"map of 2^64-1":        "\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x63uid\x61u",
		"a million arrays":     strings.Repeat("\x81", 1<<20),
		"a million maps":       strings.Repeat("\xbf", 1<<20),
		"a million tags":       strings.Repeat("\xc1", 1<<20),
		"a million chunks":     open + "\x5f" + strings.Repeat("\x40", 1<<20) + "\xff",
		"a million integers":   open + "\x9f" + strings.Repeat("\x00", 1<<20) + "\xff",
		"a million other keys": "\xbf" + strings.Repeat("\x05\x80", 1<<20) + "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v1.DecodeMsg([]byte(body))
			v1.DecodeResync([]byte(body))
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 20_000+8*uint64(len(body)) {
				t.Errorf("%d bytes of body took %d of memory", len(body), took)
			}
		})
	}
}

func BenchmarkViewDecode(b *testing.B) {
	body := v1.Msg{UID: "alice", Channel: "chan", Message: make([]byte, 64)}.Append(nil)
	var v v1.View
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
