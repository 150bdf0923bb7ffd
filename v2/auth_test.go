package v2_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"mles/v2"
)

func TestAuthOfKnownGoodHellos(t *testing.T) {
	text, err := os.ReadFile("testdata/auth.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		UID, Channel, Auth string
		Key                string `json:"shared_key"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(len(vectors), err)
	}
	for _, v := range vectors {
		if got := v2.FormatAuth(v2.Auth(v.UID, v.Channel, v.Key)); got != v.Auth {
			t.Errorf("auth of %s on %.20s with %q is %s, want %s", v.UID, v.Channel, v.Key, got, v.Auth)
		}
	}
}

// What the reference takes and refuses, as spec.md "Auth" lists it.
func TestAuthAsClientsSpellIt(t *testing.T) {
	const want = 0x30eaa73873f27ef9
	for _, s := range []string{"30eaa73873f27ef9", "30EAA73873F27EF9", "30EAA738" + "73f27ef9", "030eaa73873f27ef9",
		strings.Repeat("0", 100) + "30eaa73873f27ef9", "+30eaa73873f27ef9", "+00030eaa73873f27ef9"} {
		if got, err := v2.ParseAuth(s); got != want || err != nil {
			t.Errorf("ParseAuth(%q) = %x, %v", s, got, err)
		}
	}
	for s, want := range map[string]uint64{"0": 0, "f": 15, "ffffffffffffffff": 1<<64 - 1} {
		if got, err := v2.ParseAuth(s); got != want || err != nil {
			t.Errorf("ParseAuth(%q) = %x, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "+", "++1", "-1", "+-1", "-0", "0x1f", "0X1f", " 1", "1 ", "1\n", "1_0", "1g", "３",
		"10000000000000000", "130eaa73873f27ef9", "\x00"} {
		if got, err := v2.ParseAuth(s); !errors.Is(err, v2.ErrAuth) {
			t.Errorf("ParseAuth(%q) = %x, %v", s, got, err)
		}
	}
}
