package main

import (
	"crypto/rand"
	"os/user"
	"strings"
	"unicode/utf8"

	"mles/v1"
)

// defaultUID makes a uid for somebody who gave none: the login name and a few
// random characters, because a second member of the same uid is refused. ASCII
// only, which is all that mles 2.9.4 takes.
func defaultUID() string {
	name := "someone"
	if u, err := user.Current(); err == nil {
		if plain := plainName(u.Username); plain != "" {
			name = plain
		}
	}
	return name + "-" + strings.ToLower(rand.Text()[:5])
}

// plainName keeps the letters and digits of a login name, without the domain
// that Windows puts before it.
func plainName(login string) string {
	login = login[strings.LastIndexByte(login, '\\')+1:]
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return -1
	}, login)
}

// checkName holds a uid or a channel against what any Mles server takes.
func checkName(what, name string, mayBeEmpty bool) error {
	switch {
	case name == "" && !mayBeEmpty:
		return usage("%s is empty; v2 has no such thing", what)
	case !utf8.ValidString(name):
		return usage("%s is not valid UTF-8", what)
	case len(name) > v1.MaxName:
		return usage("%s has %d bytes; %d are the most", what, len(name), v1.MaxName)
	}
	return nil
}
