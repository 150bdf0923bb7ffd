package admin

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The first start makes a token, the next finds it, and of several starts at once all have the same.
func TestKeepToken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "mles")
	var all [8]string
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			s, err := KeepToken(dir)
			if err != nil {
				t.Error(err)
			}
			all[i] = s.Value
		})
	}
	wg.Wait()
	again, err := KeepToken(dir)
	if err != nil || len(again.Value) != 64 || again.Public || again.File != filepath.Join(dir, TokenFile) {
		t.Errorf("%+v, %v", again, err)
	}
	for _, one := range all {
		if one != again.Value {
			t.Errorf("one of them is %q", one)
		}
	}
	if info, err := os.Stat(again.File); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if other, err := KeepToken(t.TempDir()); err != nil || other.Value == again.Value {
		t.Errorf("another folder has the same token, or none: %v", err)
	}
}

// Where nothing can be kept there is no token, and the file of the operator's is not written over.
func TestKeepTokenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file, filepath.Join(file, "below")} {
		if s, err := KeepToken(dir); err == nil || s.Value != "" {
			t.Errorf("in %q: %+v, %v", dir, s, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, TokenFile), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := KeepToken(dir); err == nil {
		t.Errorf("%+v", s)
	}
}

func TestReadToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	for text, fits := range map[string]bool{
		"0123456789abcdef": true, "0123456789abcdef\n": true, "0123456789abcdef\r\n": true, "~!@#$%^&*()_+[]{}": true,
		"": false, "\n": false, "0123456789abcde": false, "0123456789 abcdef": false, "0123456789abcdef\nfedcba9876543210\n": false,
		" 0123456789abcdef": false, "0123456789äbcdef": false, "0123456789abcdef\x00": false, strings.Repeat("x", maxTokenFile+1): false,
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := ReadToken(file)
		if (err == nil) != fits || fits && (s.Value != strings.TrimRight(text, "\r\n") || s.Public != (runtime.GOOS != "windows")) {
			t.Errorf("%.30q: %+v, %v", text, s, err)
		}
		if err != nil && (!strings.Contains(err.Error(), file) || len(text) > 9 && strings.Contains(err.Error(), text[:9])) {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	if _, err := ReadToken(file + "x"); err == nil {
		t.Error("a file that there is not")
	}
}

// A reload says whether the token is another.
func TestTokenChanges(t *testing.T) {
	var token Token
	for i, c := range []struct {
		value   string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}} {
		if got := token.Set(Secret{Value: c.value}); got != c.changed {
			t.Errorf("%d: changed %v", i, got)
		}
		if !token.is(c.value) || token.is("three") || token.is("") {
			t.Errorf("%d: another token is valid", i)
		}
	}
	token.Unset(os.ErrPermission)
	if token.is("two") || token.is("") {
		t.Error("valid after all")
	}
}
