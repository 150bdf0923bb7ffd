package v1_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

// hexBytes is a field of a vector file: bytes in hex.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vectors reads testdata/name. The bytes in it were taken by the reference programs.
func vectors[T any](t testing.TB, name string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	return all
}

type keyVector struct {
	Parts    []string
	Key, CID string
}

type frameVector struct {
	UID, Channel string
	Message      hexBytes
	SharedKey    string `json:"shared_key"`
	Frame        hexBytes
}

type bodyVector struct {
	Note         string
	Body         hexBytes
	Decodes      bool
	UID, Channel string
	Message      hexBytes
}

type resyncVector struct {
	Frames []hexBytes
	Body   hexBytes
}

func TestKeysMatchReference(t *testing.T) {
	for _, v := range vectors[keyVector](t, "v1-keys.json") {
		want, err := strconv.ParseUint(v.Key, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := v1.Key(v.Parts...); got != want {
			t.Errorf("Key(%q) = %016x, want %016x", v.Parts, got, want)
		}
		if got := strconv.FormatUint(uint64(v1.CID(want)), 16); got != v.CID {
			t.Errorf("CID(%x) = %s, want %s", want, got, v.CID)
		}
	}
}

func TestFramesMatchReference(t *testing.T) {
	for _, v := range vectors[frameVector](t, "v1-frames.json") {
		m := v1.Msg{UID: v.UID, Channel: v.Channel, Message: v.Message}
		key := v1.Key(v.SharedKey, v.UID, v.Channel)
		if diff := cmp.Diff([]byte(v.Frame), v1.AppendFrame(nil, v1.CID(key), key, m)); diff != "" {
			t.Errorf("frame of %s (-want +got):\n%s", v.UID, diff)
		}
		f, err := v1.ParseFrame(v.Frame)
		if err != nil {
			t.Fatal(err)
		}
		if want := (v1.Header{Len: len(v.Frame) - v1.HeaderLen, CID: v1.CID(key), Key: key}); f.Header != want {
			t.Errorf("header of %s = %+v, want %+v", v.UID, f.Header, want)
		}
		if got, err := v1.DecodeMsg(f.Body()); err != nil || !cmp.Equal(got, m) {
			t.Errorf("body of %s = %+v, %v, want %+v", v.UID, got, err, m)
		}
	}
}

func TestBodiesDecodeAsInReference(t *testing.T) {
	for _, v := range vectors[bodyVector](t, "v1-bodies.json") {
		t.Run(v.Note, func(t *testing.T) { checkBody(t, v) })
	}
}

func TestResyncMatchesReference(t *testing.T) {
	for _, v := range vectors[resyncVector](t, "v1-resync.json") {
		var frames [][]byte
		for _, f := range v.Frames {
			frames = append(frames, f)
		}
		if diff := cmp.Diff([]byte(v.Body), v1.AppendResync(nil, frames)); diff != "" {
			t.Errorf("body of %d frames (-want +got):\n%s", len(frames), diff)
		}
		got, err := v1.DecodeResync(v.Body)
		if (err == nil) != (len(frames) > 0) || !cmp.Equal(got, frames) {
			t.Errorf("%d frames decode to %x, %v", len(frames), got, err)
		}
	}
}

// lenientVector is a body that was sent to mles 1.1.7 as a first frame.
type lenientVector struct {
	Note  string
	Body  hexBytes
	Joins bool
}

func TestUnusualBodiesDecodeAsInReference(t *testing.T) {
	for _, v := range vectors[lenientVector](t, "v1-lenient.json") {
		if m, err := v1.DecodeMsg(v.Body); (err == nil) != v.Joins {
			t.Errorf("%s: DecodeMsg = %.40q, %v; in the reference it joins: %t", v.Note, m, err, v.Joins)
		}
	}
}
