package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// leastMemory is where --memory-limit begins: two of the largest frames, coming and going, and the program itself.
const leastMemory = 32 << 20

// memorySize is an amount of memory as a flag says it: bytes, with a unit, or per cent of what the process may use.
type memorySize struct {
	bytes   int64
	percent int64 // of the machine's or cgroup's memory; 0: bytes counts
}

var errMemorySize = errors.New("want bytes (536870912), a size (512MiB, 2G) or a share (50%)")

// UnmarshalText reads "536870912", "512MiB", "2G", "1.5G", "50%". K, M, G and T are powers of 1024, with or without
// "iB", as docker and systemd take them; kB, MB, GB and TB are powers of 1000. Case does not matter.
func (m *memorySize) UnmarshalText(text []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(text)))
	if share, ok := strings.CutSuffix(s, "%"); ok {
		n, err := strconv.ParseInt(share, 10, 64)
		if err != nil || n < 1 || n > 100 {
			return fmt.Errorf("%q: %w", text, errMemorySize)
		}
		*m = memorySize{percent: n}
		return nil
	}
	digits := strings.TrimRight(s, "bikmgt")
	unit, ok := memoryUnit(s[len(digits):])
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if !ok || err != nil || n < 0 || n*unit >= math.MaxInt64 || math.IsNaN(n) {
		return fmt.Errorf("%q: %w", text, errMemorySize)
	}
	*m = memorySize{bytes: int64(n * unit)}
	if m.bytes < leastMemory {
		return fmt.Errorf("%q is too little, at least %d MiB are needed", text, leastMemory>>20)
	}
	return nil
}

func memoryUnit(s string) (float64, bool) {
	if s == "" || s == "b" {
		return 1, true
	}
	power := float64(strings.IndexByte("kmgt", s[0]) + 1)
	switch s[1:] {
	case "", "ib":
		return math.Pow(1024, power), power > 0
	case "b":
		return math.Pow(1000, power), power > 0
	}
	return 0, false
}

// of resolves m against total, the memory that the process may use; 0 is unknown.
func (m memorySize) of(total int64) (int64, error) {
	switch {
	case m.percent == 0:
		return m.bytes, nil
	case total == 0:
		return 0, errors.New("a share needs the machine's memory, which is not known here; give a size")
	}
	return max(leastMemory, total/100*m.percent), nil
}
