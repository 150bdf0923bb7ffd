package bridge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// globs are patterns of channel names; without any, every name fits.
type globs []string

// fit says whether channel is one that the patterns name.
func (g globs) fit(channel string) bool {
	return len(g) == 0 || slices.ContainsFunc(g, func(pattern string) bool {
		return doublestar.MatchUnvalidated(pattern, channel)
	})
}

// CheckGlob says what is wrong with a pattern of channel names. In one, * stands
// for any characters but /, ? for one of them, [a-z] and [^a-z] for one in or out of a range,
// {a,b} for either, \ takes the meaning from what follows, and ** between slashes,
// or alone, stands for any number of parts: "iot/**" is iot, iot/kitchen and
// iot/kitchen/lamp.
func CheckGlob(pattern string) error {
	switch {
	case pattern == "":
		return fmt.Errorf("an empty pattern names no channel; ** names all")
	case !doublestar.ValidatePattern(pattern):
		return fmt.Errorf("%q is no pattern: a bracket, a brace or a backslash has no end", pattern)
	}
	for part := range strings.FieldsFuncSeq(pattern, func(r rune) bool { return strings.ContainsRune("/{,}", r) }) {
		if part != "**" && strings.Contains(strings.ReplaceAll(part, `\*`, ""), "**") {
			return fmt.Errorf("%q: ** stands for any number of parts only between slashes, as in iot/**", pattern)
		}
	}
	return nil
}
