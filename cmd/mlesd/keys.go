package main

import (
	"fmt"
	"slices"

	"mles/bridge"
	"mles/cmd/internal/keyfile"
)

// keys are the shared keys that each dialect accepts, the first one being used to send.
type keys struct {
	v1, v2   keyList
	addr     string // MLES_ADDR_KEY
	warnings []string
}

// keyList is the keys of a file, with the line of each, from 1, and what it opens; 0 and everything for that of MLES_KEY.
type keyList struct {
	flag, file string // where they come from; "": MLES_KEY
	keys       []string
	lines      []int
	scopes     []bridge.Scope
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
		k.v1 = keyList{keys: []string{shared}, lines: []int{0}, scopes: make([]bridge.Scope, 1)}
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
	var faulty faults
	found := keyList{flag: flag, file: file}
	for _, key := range f.Keys {
		if key.Doubt != "" {
			k.warnings = append(k.warnings, fmt.Sprintf("%s %s:%d: the key %s", flag, file, key.Line, key.Doubt))
		}
		scope := bridge.Scope{Channels: key.Channels, Dialects: key.Dialects}
		if err := scope.Check(); err != nil {
			faulty.add(fmt.Errorf("%s: %s:%d: %w", flag, file, key.Line, err))
		}
		found.keys = append(found.keys, key.Secret)
		found.lines = append(found.lines, key.Line)
		found.scopes = append(found.scopes, scope)
	}
	k.doubtScopes(found)
	return found, faulty.err()
}

// scoped reports whether there is a key that does not open everything.
func (l keyList) scoped() bool {
	return slices.ContainsFunc(l.scopes, func(s bridge.Scope) bool { return !s.IsZero() })
}

// opens reports whether any of the keys holds in a dialect.
func (l keyList) opens(dialect string) bool {
	return slices.ContainsFunc(l.scopes, func(s bridge.Scope) bool { return len(s.Dialects) == 0 || slices.Contains(s.Dialects, dialect) })
}

// doubtScopes warns of scopes that do not limit what they seem to.
func (k *keys) doubtScopes(l keyList) {
	everywhere := make(map[string]int) // the line in which a key has no scope
	for i, key := range l.keys {
		if l.scopes[i].IsZero() {
			everywhere[key] = l.lines[i]
		}
	}
	for i, key := range l.keys {
		if line, opensAll := everywhere[key]; opensAll && !l.scopes[i].IsZero() {
			k.warnings = append(k.warnings, fmt.Sprintf("%s %s:%d: the scope limits nothing, since line %d has the same key without one", l.flag, l.file, l.lines[i], line))
		}
	}
}

// doubtKeys warns of keys by which nobody gets in, and of scopes that address keys pass by.
func (c *config) doubtKeys() {
	k := c.keys
	for _, side := range []struct {
		dialect string
		served  bool
		keys    keyList
	}{{"v1", !c.v1.off || !c.v1TLS.off, k.v1}, {"v2", !c.v2.off || !c.plain.off, k.v2}} {
		if side.served && len(side.keys.keys) > 0 && !side.keys.opens(side.dialect) {
			k.warnings = append(k.warnings, fmt.Sprintf("%s %s: no line has a key that opens %s, so nobody can join there by a key", side.keys.flag, side.keys.file, side.dialect))
		}
	}
	if k.v1.scoped() && c.V1AddressKeys {
		k.warnings = append(k.warnings, "--v1-address-keys lets v1 clients that have no shared key join every channel, whatever the key file limits")
	}
}
