package main

import (
	"os"
	"strings"
)

// sharedKey finds the key that the server and its clients share: the first
// line of file, or the environment's MLES_KEY. Without either there is none. A
// file may hold several lines, all of them accepted by the server; the first
// one is for sending.
func sharedKey(file string) (string, error) {
	if file == "" {
		return os.Getenv("MLES_KEY"), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", usage("--key-file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	key := strings.TrimSuffix(line, "\r")
	if key == "" {
		return "", usage("--key-file %s: its first line is empty", file)
	}
	return key, nil
}
