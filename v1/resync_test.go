package v1_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

// The two frames that a peer's history holds in these tests.
var (
	joinFrame  = v1.AppendFrame(nil, 1, 2, v1.Msg{UID: "alice", Channel: "chan"})
	helloFrame = v1.AppendFrame(nil, 3, 4, v1.Msg{UID: "bob", Channel: "chan", Message: []byte("hello")})
)

func TestResyncComesBack(t *testing.T) {
	want := [][]byte{joinFrame, helloFrame, frameOf(70_000)}
	got, err := v1.DecodeResync(v1.AppendResync(nil, want))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestResyncIsToldFromMsg(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":            "",
		"a Msg":              string(helloFrame[v1.HeaderLen:]),
		"a Msg as array":     "\x83\x61u\x61c\x41m",
		"a Msg by indices":   "\xa3\x00\x61u\x01\x61c\x02\x41m",
		"list is null":       "\xa1\x6eresync_message\xf6",
		"list is a map":      "\xa1\x6eresync_message\xa0",
		"a byte after it":    string(v1.AppendResync(nil, [][]byte{joinFrame})) + "\x00",
		"cut short":          string(v1.AppendResync(nil, [][]byte{joinFrame}))[:40],
		"something else":     "\xa1\x61a\x61b",
		"list under a tag 2": "\xa1\x6eresync_message\xc2\x41a",
	} {
		if _, err := v1.DecodeResync([]byte(body)); err != v1.ErrNotResync {
			t.Errorf("%s: %v, want ErrNotResync", name, err)
		}
	}
}

func TestFaultyResyncIsRefused(t *testing.T) {
	list := func(frames ...[]byte) string { return string(v1.AppendResync(nil, frames)) }
	other := append([]byte("X"), helloFrame[1:]...)
	for name, body := range map[string]string{
		"empty list":                       list(),
		"first frame shorter than header":  list([]byte("M")),
		"second frame shorter than header": list(joinFrame, helloFrame[:15]),
		"frame without bytes":              list(joinFrame, nil),
		"frame cut short":                  list(joinFrame, helloFrame[:20]),
		"byte after a frame":               list(joinFrame, append(helloFrame[:len(helloFrame):len(helloFrame)], 0)),
		"frame that is none":               list(joinFrame, other),
		"entry without frame":              "\xa1\x6eresync_message\x81\xa0",
		"frame outside of an entry":        "\xa1\x6eresync_message\x81\x41M",
		"list twice":                       "\xa2" + list(joinFrame)[1:] + list(joinFrame)[1:],
	} {
		if got, err := v1.DecodeResync([]byte(body)); !errors.Is(err, v1.ErrResync) || got != nil {
			t.Errorf("%s: %x, %v, want ErrResync", name, got, err)
		}
	}
}

// Forms that mles 1.1.7 takes from a peer, with one frame each.
func TestUnusualResyncDecodesAsInReference(t *testing.T) {
	n := string([]byte{byte(len(joinFrame))})
	bytes := "\x58" + n + string(joinFrame)
	entry := "\xa1\x6bencoded_msg" + bytes
	key := "\x6eresync_message"
	for name, body := range map[string]string{
		"array of one":               "\x81\x81" + entry,
		"key as index":               "\xa1\x00\x81" + entry,
		"key as bytes":               "\xa1\x4eresync_message\x81" + entry,
		"further key":                "\xa2" + key + "\x81" + entry + "\x61z\x00",
		"list of indefinite length":  "\xa1" + key + "\x9f" + entry + "\xff",
		"map of indefinite length":   "\xbf" + key + "\x81" + entry + "\xff",
		"tag before the map":         "\xc1\xa1" + key + "\x81" + entry,
		"tag before the list":        "\xa1" + key + "\xc1\x81" + entry,
		"tag before the entry":       "\xa1" + key + "\x81\xc1" + entry,
		"entry as array of one":      "\xa1" + key + "\x81\x81" + bytes,
		"entry by index":             "\xa1" + key + "\x81\xa1\x00" + bytes,
		"further key in entry":       "\xa1" + key + "\x81\xa2" + entry[1:] + "\x61z\x00",
		"frame of indefinite length": "\xa1" + key + "\x81\xa1\x6bencoded_msg\x5f" + bytes + "\xff",
		"the keys of a Msg, too":     "\xa4\x63uid\x61u\x67channel\x61c\x67message\x40" + key + "\x81" + entry,
	} {
		got, err := v1.DecodeResync([]byte(body))
		if diff := cmp.Diff([][]byte{joinFrame}, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
