package keyfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// space is what stands between words.
const space = " \t"

var (
	// scopeWord is a word that says what a key opens.
	scopeWord = regexp.MustCompile(`^(channels|dialects)=(.*)$`)
	// scopeMeant is what was perhaps meant to.
	scopeMeant = regexp.MustCompile(`(?i)[ \t](channel|dialect)s?[ \t]*[=:]`)
)

// errNoKey is a line of scopes alone.
var errNoKey = errors.New(`a scope stands behind a key, and here is none; a key of that form has a \ before it`)

// parseLine reads a line that is no comment. No error holds the key.
func parseLine(line string) (k Key, err error) {
	rest := line
	for {
		before, word, _ := cutLastWord(rest)
		scope := scopeWord.FindStringSubmatch(word)
		if scope == nil {
			break
		}
		if strings.Trim(before, space) == "" {
			return Key{}, errNoKey
		}
		if err := k.take(scope[1], scope[2]); err != nil {
			return Key{}, err
		}
		rest = strings.TrimRight(before, space)
	}
	k.Secret, k.Doubt = unescaped(rest)
	return k, nil
}

// take adds what a word says.
func (k *Key) take(name, value string) error {
	list := &k.Channels
	if name == "dialects" {
		list = &k.Dialects
	}
	switch {
	case *list != nil:
		return fmt.Errorf("%s= stands there twice: separate by commas", name)
	case value == "":
		return fmt.Errorf("%s= says nothing: leave it out to open all", name)
	}
	*list = kong.SplitEscaped(value, ',')
	return nil
}

// cutLastWord finds the last word of s, with what is before it and the white space behind it.
func cutLastWord(s string) (before, word, blank string) {
	trimmed := strings.TrimRight(s, space)
	i := strings.LastIndexAny(trimmed, space) + 1
	return trimmed[:i], trimmed[i:], s[len(trimmed):]
}

// unescaped takes off the backslashes that keep a key from being read as something else, and
// says what looks as if it were not meant to belong to the key.
func unescaped(text string) (key, doubt string) {
	key = text
	before, word, blank := cutLastWord(text)
	if bare, ok := strings.CutPrefix(word, `\`); ok && scopeWord.MatchString(bare) {
		key, text = before+bare+blank, before
	}
	switch {
	case strings.TrimSpace(key) != key:
		doubt = "begins or ends with white space, which is part of it"
	case scopeMeant.MatchString(text):
		doubt = "has a word like a scope, which is part of it: a scope is the end of the line, as in channels=iot/*,hall dialects=v1"
	}
	if strings.HasPrefix(key, `\#`) {
		key = key[1:]
	}
	return key, doubt
}
