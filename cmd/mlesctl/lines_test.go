package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 10000) // more than a bufio.Reader holds
	for text, want := range map[string][]string{
		"":                   nil,
		"\n":                 {""},
		"a":                  {"a"},
		"a\nb\n":             {"a", "b"},
		"a\r\n\nb":           {"a\r", "", "b"},
		long + "\n" + long:   {long, long},
		"\x00\xff\nand more": {"\x00\xff", "and more"},
	} {
		input := newLines(strings.NewReader(text), len(long))
		var got []string
		for {
			line, err := input.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(line))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLineTooLong(t *testing.T) {
	for _, text := range []string{"123456\n", "123456", strings.Repeat("x", 10000)} {
		_, err := newLines(strings.NewReader(text), 5).next()
		if _, ok := errors.AsType[*tooLarge](err); !ok {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	for _, text := range []string{"12345\n", "12345"} {
		if line, err := newLines(strings.NewReader(text), 5).next(); err != nil || string(line) != "12345" {
			t.Errorf("%q: %q, %v", text, line, err)
		}
	}
}
