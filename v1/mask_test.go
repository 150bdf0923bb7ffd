package v1_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"mles/v1"
)

// maskVectors were taken from mles-webproxy 0.8.8.
type maskVectors struct {
	Channel       string
	MaskedChannel string `json:"masked_channel"`
	Cases         []struct {
		UID       string
		MaskedUID string `json:"masked_uid"`
		Message   hexBytes
		Frame     hexBytes
	}
}

func readMaskVectors(t testing.TB) (v maskVectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/v1-webproxy-mask.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) == 0 {
		t.Fatal("no vectors")
	}
	return v
}

// Frames as mles-webproxy sends them up, made from what its browsers said, and the way back.
func TestMaskVectors(t *testing.T) {
	v := readMaskVectors(t)
	mask := v1.NewMask(v.Channel)
	if mask.Plain() != v.Channel || mask.Masked() != v.MaskedChannel {
		t.Errorf("%q is masked as %q, want %q", mask.Plain(), mask.Masked(), v.MaskedChannel)
	}
	for _, c := range v.Cases {
		uid, channel := mask.Name(c.UID), mask.Name(v.Channel)
		message, err := mask.AppendMessage(nil, c.Message)
		if err != nil {
			t.Fatal(err)
		}
		key := v1.Key("swordfish", uid, channel)
		got := v1.AppendFrame(nil, v1.CID(key), key, v1.Msg{UID: uid, Channel: channel, Message: message})
		if !bytes.Equal(got, c.Frame) || uid != c.MaskedUID {
			t.Errorf("%s: frame is\n%x, want\n%x", c.UID, got, c.Frame)
		}

		frame, err := v1.ParseFrame(c.Frame)
		if err != nil {
			t.Fatal(err)
		}
		m, err := v1.DecodeMsg(frame.Body())
		if err != nil {
			t.Fatal(err)
		}
		if uid, err := mask.Unname(m.UID); uid != c.UID || err != nil {
			t.Errorf("%s unmasked is %q, %v", m.UID, uid, err)
		}
		if channel, err := mask.Unname(m.Channel); channel != v.Channel || err != nil {
			t.Errorf("%s unmasked is %q, %v", m.Channel, channel, err)
		}
		if plain, err := mask.AppendMessage(nil, m.Message); !bytes.Equal(plain, c.Message) || err != nil {
			t.Errorf("%s: message unmasked is %x, %v", c.UID, plain, err)
		}
	}
}

// The mask of another channel cannot be taken off, nor of what is none at all.
func TestUnmaskRefuses(t *testing.T) {
	mask := v1.NewMask("room")
	for _, name := range []string{
		"", "plain", "room", "====", "WzWzBzjy0V/enbj6J5H1EA", "WzWzBzjy0V/enbj6J5H1EB==", "WzWzBzjy0V_enbj6J5H1EA==",
		"WzWzBzjy0V/e\nnbj6J5H1EA==", "WzWzBzjy0V/enbj6J5H1EA==AAAA", "AAAA", strings.Repeat("A", 24),
		v1.NewMask("hall").Name("alice"), mask.Name("\xff\xfe"),
	} {
		if got, err := mask.Unname(name); !errors.Is(err, v1.ErrMaskName) || got != "" {
			t.Errorf("%q becomes %q, %v", name, got, err)
		}
	}
}

// Messages of 16 bytes or fewer have no mask; dst stays what it was.
func TestMaskShort(t *testing.T) {
	mask := v1.NewMask("room")
	for _, n := range []int{0, 1, 15, 16} {
		got, err := mask.AppendMessage([]byte("before"), make([]byte, n))
		if !errors.Is(err, v1.ErrMaskShort) || string(got) != "before" {
			t.Errorf("%d bytes: %q, %v", n, got, err)
		}
	}
	got, err := mask.AppendMessage([]byte("before"), make([]byte, 17))
	if err != nil || len(got) != 6+17 || string(got[:6]) != "before" || got[22] == 0 {
		t.Errorf("17 bytes: %x, %v", got, err)
	}
}

// The longest name that has a mask of at most MaxName bytes.
func TestMaxMaskedName(t *testing.T) {
	mask := v1.NewMask("room")
	if n := len(mask.Name(strings.Repeat("x", v1.MaxMaskedName))); n != v1.MaxName {
		t.Errorf("the mask of %d bytes has %d", v1.MaxMaskedName, n)
	}
	if n := len(mask.Name(strings.Repeat("x", v1.MaxMaskedName+1))); n <= v1.MaxName {
		t.Errorf("the mask of one more has %d", n)
	}
}

// Whatever is masked comes back, and what comes back masks to the same.
func FuzzMask(f *testing.F) {
	v := readMaskVectors(f)
	for _, c := range v.Cases {
		f.Add(v.Channel, c.UID, []byte(c.Message))
		f.Add(v.Channel, c.MaskedUID, []byte(c.Message))
	}
	f.Add("", "", []byte{})
	f.Add("é频道🎈", strings.Repeat("u", 16), make([]byte, 17))
	f.Fuzz(func(t *testing.T, channel, name string, message []byte) {
		mask := v1.NewMask(channel)
		back, err := mask.Unname(mask.Name(name))
		if valid := strings.ToValidUTF8(name, "") == name; valid != (err == nil) || valid && back != name {
			t.Errorf("%q comes back as %q, %v", name, back, err)
		}
		if plain, err := mask.Unname(name); err == nil && mask.Name(plain) != name {
			t.Errorf("%q becomes %q, and that %q", name, plain, mask.Name(plain))
		} else if err != nil && !errors.Is(err, v1.ErrMaskName) {
			t.Errorf("%q: %v", name, err)
		}
		before := bytes.Clone(message)
		masked, err := mask.AppendMessage(nil, message)
		if len(message) <= v1.MaskCounter {
			if !errors.Is(err, v1.ErrMaskShort) {
				t.Errorf("%d bytes: %v", len(message), err)
			}
			return
		}
		again, err2 := mask.AppendMessage(nil, masked)
		if err != nil || err2 != nil || !bytes.Equal(again, before) || !bytes.Equal(message, before) {
			t.Errorf("%x becomes %x, %v, and comes back as %x, %v", before, masked, err, again, err2)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	mask := v1.NewMask("room")
	for _, size := range []int{64, 1024, 64 << 10} {
		b.Run("message/"+strconv.Itoa(size), func(b *testing.B) {
			message, dst := make([]byte, size), make([]byte, 0, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = mask.AppendMessage(dst[:0], message)
			}
		})
	}
	b.Run("name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mask.Name("alice")
		}
	})
	b.Run("unname", func(b *testing.B) {
		masked := mask.Name("alice")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := mask.Unname(masked); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v1.NewMask("room")
		}
	})
}
