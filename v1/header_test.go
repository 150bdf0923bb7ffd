package v1_test

import (
	"testing"

	"mles/v1"
)

func TestHeaderFaults(t *testing.T) {
	whole := v1.Header{Len: 1, CID: 2, Key: 3}.Append(nil)
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, v1.ErrShort},
		{"one byte short", whole[:15], v1.ErrShort},
		{"first byte of something else", []byte("G"), v1.ErrMagic},
		{"lower-case m", append([]byte{'m'}, whole[1:]...), v1.ErrMagic},
		{"length 0", append([]byte{'M', 0, 0, 0}, whole[4:]...), v1.ErrEmpty},
	} {
		if _, err := v1.ParseHeader(c.b); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestHeaderComesBack(t *testing.T) {
	for _, h := range []v1.Header{
		{Len: 1},
		{Len: 0x010203, CID: 0x04050607, Key: 0x08090a0b0c0d0e0f},
		{Len: v1.MaxBody, CID: 1<<32 - 1, Key: 1<<64 - 1},
	} {
		b := h.Append(nil)
		if got, err := v1.ParseHeader(b); err != nil || got != h || len(b) != v1.HeaderLen {
			t.Errorf("%+v came back as %+v, %v", h, got, err)
		}
	}
}

func TestImpossibleLengthPanics(t *testing.T) {
	for _, n := range []int{-1, 0, v1.MaxBody + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a header for %d bytes was written", n)
				}
			}()
			v1.Header{Len: n}.Append(nil)
		}()
	}
}

func TestFrameMustFillItsLength(t *testing.T) {
	f := frameOf(10)
	if _, err := v1.ParseFrame(f); err != nil {
		t.Error(err)
	}
	for _, b := range [][]byte{f[:25], append(f, 0)} {
		if _, err := v1.ParseFrame(b); err != v1.ErrLength {
			t.Errorf("%d bytes: %v, want ErrLength", len(b), err)
		}
	}
}
