package main

import (
	"os"

	"mles/cmd/internal/keyfile"
)

// sharedKey finds the key that the server and its clients share: the first one
// in file, or the environment's MLES_KEY. Without either there is none. A server
// accepts all the keys of its file, each for what its line says; the first one is for
// sending.
func sharedKey(file string) (string, error) {
	if file == "" {
		return os.Getenv("MLES_KEY"), nil
	}
	f, err := keyfile.Read(file)
	if err != nil {
		return "", usage("--key-file: %w", err)
	}
	if len(f.Keys) == 0 {
		return "", usage("--key-file %s holds no key", file)
	}
	return f.Keys[0].Secret, nil
}
