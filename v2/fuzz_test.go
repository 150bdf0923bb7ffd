package v2_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"mles/v2"
)

// FuzzHello: what joins is within the limits, means to encoding/json what it
// means to us, and can be written and read again; what is refused has a close
// frame that fits.
//
// Run it with -fuzzminimizetime 10x: left to itself, the minimizer takes the whole
// run after a few seconds.
func FuzzHello(f *testing.F) {
	for _, seed := range []string{
		`{"uid":"alice","channel":"chan"}`,
		` { "channel":"日本","auth":null,"x":[1,{"uid":2}],"uid":"\ud83d\ude00\u0000" } `,
		`{"uid":"a","channel":"c","auth":"00FF"}`,
		`{"uid":"a","uid":"b","channel":"c"}`,
		`{"Uid":"a","channel":"\ud800","auth":1}`,
		`["a","c",null]`, "\ufeff{}", "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, err := v2.ParseHello(frame)
		if err != nil {
			code, reason := v2.CloseFor(err)
			if code == v2.CloseInternal || len(reason) > 123 || !utf8.ValidString(reason) {
				t.Fatalf("%v closes with %d %q", err, code, reason)
			}
			return
		}
		for _, name := range []string{h.UID, h.Channel} {
			if name == "" || len(name) > v2.MaxName || !utf8.ValidString(name) {
				t.Fatalf("joined with the name %q", name)
			}
		}
		var members map[string]any
		if err := json.Unmarshal(frame, &members); err != nil {
			t.Fatal(err)
		}
		auth, hasAuth := members["auth"].(string)
		if members["uid"] != h.UID || members["channel"] != h.Channel || auth != h.Auth || hasAuth != h.HasAuth {
			t.Fatalf("%q is %+v to us and %v to encoding/json", frame, h, members)
		}
		written := h.Append(nil)
		if len(written) <= v2.MaxHello {
			if again, err := v2.ParseHello(written); err != nil || again != h {
				t.Fatalf("%q written as %q, read as %+v, %v", frame, written, again, err)
			}
		}
		notice := v2.AppendNotice(nil, h.UID, h.Channel)
		if uid, channel, ok := v2.ParseNotice(notice); !ok || uid != h.UID || channel != h.Channel {
			t.Fatalf("notice %q is of %q on %q, %v", notice, uid, channel, ok)
		}
	})
}

// FuzzAuth compares ParseAuth with a reading by other means.
func FuzzAuth(f *testing.F) {
	for _, seed := range []string{"30eaa73873f27ef9", "+F", "000000000000000000001", "10000000000000000", "", "0x1", "-1", "1_0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		digits := strings.TrimPrefix(s, "+")
		isHex := digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
		want, _ := new(big.Int).SetString("0"+digits, 16)
		got, err := v2.ParseAuth(s)
		if ok := isHex && want.IsUint64(); ok != (err == nil) {
			t.Fatalf("ParseAuth(%q): %v", s, err)
		} else if !ok {
			return
		}
		if got != want.Uint64() {
			t.Fatalf("ParseAuth(%q) = %x, want %x", s, got, want)
		}
		if again, err := v2.ParseAuth(v2.FormatAuth(got)); err != nil || again != got {
			t.Fatalf("%x written and read is %x, %v", got, again, err)
		}
	})
}
