package main

import (
	"runtime/debug"
	"strings"
)

// version says what this program was built from, as far as Go recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "mlesctl, of unknown version"
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	words := []string{"mlesctl", info.Main.Version}
	if revision := settings["vcs.revision"]; revision != "" {
		words = append(words, revision[:min(12, len(revision))], settings["vcs.time"])
	}
	if settings["vcs.modified"] == "true" {
		words = append(words, "(modified)")
	}
	return strings.Join(append(words, info.GoVersion), " ")
}
