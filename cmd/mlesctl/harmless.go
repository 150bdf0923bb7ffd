package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What others send can hold anything. Before it is shown on a terminal, all
// that could move the cursor, change colours, rewrite the title, answer in the
// user's name or turn the direction of the text is spelt out instead.

// continued begins each further line of a message, so that nobody can send
// "hi\nbob: I quit" and have bob say it.
const continued = "\n    "

// harmless makes the bytes of a message fit to show. One newline at their end
// is dropped; those inside stay, each followed by an indentation.
func harmless(message []byte) string {
	text := strings.TrimSuffix(string(message), "\n")
	text = strings.TrimSuffix(text, "\r")
	return spell(text, continued)
}

// harmlessName makes a uid or a channel fit to show, on one line.
func harmlessName(name string) string { return spell(name, `\n`) }

func spell(text, newline string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(newline)
		case r == '\t':
			b.WriteString("    ")
		case showable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

// showable tells whether a terminal may have r as it is. Of the invisible
// characters only the two joiners may: scripts and emoji need them.
func showable(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return unicode.IsGraphic(r) || r == nonJoiner || r == joiner
}
