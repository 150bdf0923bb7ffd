package main

import "testing"

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"hello\n":                   "hello",
		"hello\r\n":                 "hello",
		"two\n\n":                   "two\n    ",
		"hi\nbob: I quit\n":         "hi\n    bob: I quit",
		"\x1b]0;owned\a":            `\x1b]0;owned\x07`,
		"\x1b[2Jgone":               `\x1b[2Jgone`,
		"back\b\b\b\bover\rwritten": `back\x08\x08\x08\x08over\x0dwritten`,
		"c1 \u009b31m":              `c1 \x9b31m`,
		"del\x7f":                   `del\x7f`,
		"raw \x9b\xff":              `raw \x9b\xff`,
		"turned \u202etxt.exe":      `turned \u202etxt.exe`,
		"line\u2028break":           `line\u2028break`,
		"\ufefftag \U000e0041":      `\ufefftag \ue0041`,
		"grüße 你好 👩\u200d🚀 e\u0301": "grüße 你好 👩\u200d🚀 e\u0301",
		"tab\tstop":                 "tab    stop",
		"nul \x00":                  `nul \x00`,
	} {
		if got := harmless([]byte(in)); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestHarmlessName(t *testing.T) {
	if got, want := harmlessName("eve\n* bob joined"), `eve\n* bob joined`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
