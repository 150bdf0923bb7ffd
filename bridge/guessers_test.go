package bridge

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// Whatever addresses come, a bounded number is remembered; those beyond share a limit, and
// make room for nobody who is being slowed.
func TestGuessersAreBounded(t *testing.T) {
	g, now := newGuesses(), time.Now()
	mallory := netip.MustParseAddr("203.0.113.7")
	for range freeGuesses + 2 {
		g.wrong(mallory, now)
	}
	for i := range 3 * maxGuessers {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+uint32(i))
		g.wrong(netip.AddrFrom4(a), now)
	}
	if n := len(g.of); n > maxGuessers {
		t.Errorf("%d addresses are remembered", n)
	}
	if d := g.wrong(mallory, now); d < 2*time.Second {
		t.Errorf("an address that is slowed was forgotten: %v", d)
	}
	if d := g.wrong(netip.MustParseAddr("192.0.2.1"), now); d != longestHold {
		t.Errorf("one address more waits %v, as all beyond the bound", d)
	}
	now = now.Add(time.Minute)
	if d := g.wrong(netip.MustParseAddr("192.0.2.2"), now); d != 0 || len(g.of) > 2 {
		t.Errorf("a minute later an answer takes %v, and %d addresses are remembered", d, len(g.of))
	}
}
