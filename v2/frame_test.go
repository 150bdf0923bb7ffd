package v2_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"mles/v2"
)

func TestServerFrames(t *testing.T) {
	for _, c := range []struct {
		op     byte
		n      int
		header string
	}{
		{v2.OpText, 0, "\x81\x00"},
		{v2.OpBinary, 1, "\x82\x01"},
		{v2.OpPing, 125, "\x89\x7d"},
		{v2.OpBinary, 126, "\x82\x7e\x00\x7e"},
		{v2.OpText, 0xffff, "\x81\x7e\xff\xff"},
		{v2.OpBinary, 0x10000, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
		{v2.OpBinary, v2.MaxMessage, "\x82\x7f\x00\x00\x00\x00\x00\xff\xff\xff"},
	} {
		payload := bytes.Repeat([]byte("x"), c.n)
		got := v2.AppendFrame([]byte("before"), c.op, payload)
		if want := append([]byte("before"+c.header), payload...); !bytes.Equal(got, want) {
			t.Errorf("frame of %d bytes begins with %x, want %x", c.n, got[6:min(len(got), 20)], c.header)
		}
		if n := v2.FrameSize(c.n); n != len(got)-6 {
			t.Errorf("FrameSize(%d) = %d, want %d", c.n, n, len(got)-6)
		}
	}
}

func TestCloseFrames(t *testing.T) {
	for _, c := range []struct {
		code         int
		reason, want string
	}{
		{v2.ClosePolicy, v2.ReasonAuth, "\x88\x0c\x03\xf0wrong auth"},
		{v2.CloseGoingAway, "", "\x88\x02\x03\xe9"},
		{v2.CloseNoStatus, "ignored", "\x88\x00"},
		{v2.CloseNormal, strings.Repeat("a", 200), "\x88\x7d\x03\xe8" + strings.Repeat("a", 123)},
		{v2.CloseNormal, strings.Repeat("a", 122) + "ä", "\x88\x7c\x03\xe8" + strings.Repeat("a", 122)},
		{v2.CloseNormal, strings.Repeat("a", 120) + "😀", "\x88\x7a\x03\xe8" + strings.Repeat("a", 120)},
		{v2.CloseNormal, strings.Repeat("a", 119) + "😀", "\x88\x7d\x03\xe8" + strings.Repeat("a", 119) + "😀"},
	} {
		got := v2.AppendClose(nil, c.code, c.reason)
		if string(got) != c.want {
			t.Errorf("close %d %q is %q, want %q", c.code, c.reason, got, c.want)
		}
		if !utf8.Valid(got[min(4, len(got)):]) {
			t.Errorf("reason of %q is not UTF-8", got)
		}
	}
}
