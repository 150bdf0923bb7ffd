package main

import (
	"fmt"
	"strings"

	"mles/cmd/internal/keyfile"
)

// keys are the shared keys that each dialect accepts, the first one being used to send.
type keys struct {
	v1, v2   keyList
	addr     string // MLES_ADDR_KEY
	warnings []string
}

// keyList is the keys of a file and the line of each, from 1; 0 for that of MLES_KEY.
type keyList struct {
	keys  []string
	lines []int
}

// findKeys collects the keys from the environment and the files that flags name. lookup is os.LookupEnv.
//
//   - MLES_KEY or --key-file is the key of both dialects; both at once is an error, since nobody could tell which one
//     is meant to be sent. Set but empty is an error too: the two references read that differently.
//   - --v1-key-file and --v2-key-file override it for one dialect; if the file is empty, that dialect needs none.
//   - MLES_ADDR_KEY is hashed behind a v1 client's address.
//
// The error is every fault; none holds a key. There are keys beside it, as far as they could be read.
func findKeys(lookup func(string) (string, bool), both, v1, v2 string) (*keys, error) {
	var f faults
	k := new(keys)
	shared, given := lookup("MLES_KEY")
	switch {
	case given && shared == "":
		f.when(true, "MLES_KEY is set but empty: unset it to need no key, or give it one")
	case given && both != "":
		f.when(true, "MLES_KEY and --key-file are both given: use one of them")
	case given:
		k.v1 = keyList{[]string{shared}, []int{0}}
	case both != "":
		found, err := k.read("--key-file", both)
		f.add(err)
		f.when(err == nil && len(found.keys) == 0, "--key-file %s holds no key: leave it out to need none", both)
		k.v1 = found
	}
	k.v2 = k.v1
	for _, own := range []struct {
		flag, file string
		keys       *keyList
	}{{"--v1-key-file", v1, &k.v1}, {"--v2-key-file", v2, &k.v2}} {
		if own.file == "" {
			continue
		}
		found, err := k.read(own.flag, own.file)
		f.add(err)
		*own.keys = found // none: this dialect needs none
	}
	k.addr, given = lookup("MLES_ADDR_KEY")
	f.when(given && k.addr == "", "MLES_ADDR_KEY is set but empty: unset it, or give it a key")
	return k, f.err()
}

// read reads the keys in a file and warns of one that others can read.
func (k *keys) read(flag, file string) (keyList, error) {
	f, err := keyfile.Read(file)
	if err != nil {
		return keyList{}, usage("%s: %w", flag, err)
	}
	if f.Public {
		k.warnings = append(k.warnings, fmt.Sprintf("%s %s can be read by every user of this machine", flag, file))
	}
	for i, key := range f.Keys {
		if strings.TrimSpace(key) != key {
			k.warnings = append(k.warnings, fmt.Sprintf("%s %s: key %d begins or ends with white space, which is part of it", flag, file, i+1))
		}
	}
	return keyList{f.Keys, f.Lines}, nil
}
