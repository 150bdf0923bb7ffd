package bridge

import (
	"slices"
	"testing"
)

// Every key is hashed and compared whichever fits, so that the time that takes tells nothing; and the
// first that opens the channel is the one that counts.
func TestEveryKeyIsTried(t *testing.T) {
	secrets := []string{"a", "b", "a", "c"}
	keys := sharedKeys("v1", secrets, nil, []Scope{{Channels: []string{"iot"}}, {}, {}, {Dialects: []string{"v2"}}})
	for shown, want := range map[byte]map[string]tried{
		'a': {"iot": {opens: 0, shut: -1}, "hall": {opens: 2, shut: 0}},
		'b': {"hall": {opens: 1, shut: -1}},
		'c': {"hall": {opens: -1, shut: 3}},
		'd': {"hall": {opens: -1, shut: -1}},
	} {
		for channel, want := range want {
			var hashed []string
			got := try(keys, uint64(shown), channel, func(secret string) uint64 {
				hashed = append(hashed, secret)
				return uint64(secret[0])
			})
			slices.Sort(hashed)
			if got != want || !slices.Equal(hashed, []string{"a", "a", "b", "c"}) {
				t.Errorf("%c on %s: %+v after %q, want %+v after all", shown, channel, got, hashed, want)
			}
		}
	}
}
