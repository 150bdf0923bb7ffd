package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// What the references were seen to use, and the algorithm's own empty hash.
func TestHashesAreTheReferences(t *testing.T) {
	if got := SipHash(nil); got != 0x1e924b9d737700d7 {
		t.Errorf("SipHash of nothing is %016x", got)
	}
	if got := KeyOf("swordfish", "alice", "chan"); got != 0xb74f5bbec2f58a72 {
		t.Errorf("v1 key is %016x", got)
	}
	if got := AuthOf("alice", "chan", ""); got != "30eaa73873f27ef9" {
		t.Errorf("v2 auth is %s", got)
	}
}

func TestAddressSpellings(t *testing.T) {
	for _, test := range []struct{ addr, dotted, groups string }{
		{"127.0.0.1:80", "127.0.0.1:80", "[0:0:0:0:0:ffff:7f00:1]:80"},
		{"[::ffff:10.1.2.3]:80", "10.1.2.3:80", "[0:0:0:0:0:ffff:a01:203]:80"},
		{"[2001:db8::1]:443", "[2001:db8:0:0:0:0:0:1]:443", "[2001:db8:0:0:0:0:0:1]:443"},
	} {
		a := netip.MustParseAddrPort(test.addr)
		if d, g := Dotted(a), Groups(a); d != test.dotted || g != test.groups {
			t.Errorf("%s: %s, %s", a, d, g)
		}
	}
}

func TestFramesInPlainSight(t *testing.T) {
	body := Map3("al", "c", "hi")
	if want := []byte("\xa3\x63uid\x62al\x67channel\x61c\x67message\x42hi"); !bytes.Equal(body, want) {
		t.Errorf("body %x", body)
	}
	want := append([]byte{'M', 0, 0, byte(len(body)), 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 9}, body...)
	if got := Frame(0x01020304, 9, body); !bytes.Equal(got, want) {
		t.Errorf("frame %x", got)
	}
	if got := ClientFrame(Fin|OpText, "Hello"); hex.EncodeToString(got) != "818537fa213d7f9f4d5158" { // RFC 6455, section 5.7
		t.Errorf("client frame %x", got)
	}
	if got := acceptOf(WebSocketKey); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("accept %s", got)
	}
	if got := quote("a\"\\\nä"); got != `"a\"\\\u000aä"` {
		t.Errorf("quoted %s", got)
	}
}

// The reader of bodies serves expectations: it must take all that servers take.
func TestReaderTakesLenientBodies(t *testing.T) {
	for _, name := range []string{"v1-bodies.json", "v1-lenient.json"} {
		text, err := os.ReadFile(filepath.Join("..", "v1", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		var bodies []struct {
			Note, Body     string
			Decodes, Joins bool
		}
		if err := json.Unmarshal(text, &bodies); err != nil {
			t.Fatal(err)
		}
		for _, b := range bodies {
			body, err := hex.DecodeString(b.Body)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := ReadBody(body); (b.Decodes || b.Joins) && !ok {
				t.Errorf("%s: %s: %s is not read", name, b.Note, b.Body)
			}
		}
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add(Map3("a", "b", "c"))
	f.Add(Resync(Frame(1, 2, Map3("a", "b", "c"))))
	f.Add([]byte{0xbf, 0x5f, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) { meaningV1(append(make([]byte, 16), b...)); meaningBody(b) })
}
