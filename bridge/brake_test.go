package bridge

import (
	"testing"
	"time"
)

// A message that comes again and again pulls the brake; if it goes on while the
// circle is open it was none, and the brake stays off for a while.
func TestBrake(t *testing.T) {
	var b brake
	now := time.Now()
	round, other := digestOf([]byte("round")), digestOf([]byte("other"))
	pull := func(d digest, every time.Duration) (n int) {
		for n < 200 {
			n++
			now = now.Add(every)
			if b.passes(d, now) {
				return n
			}
		}
		return 0
	}
	if n := pull(other, time.Second); n != 0 {
		t.Errorf("once a second pulls it after %d", n)
	}
	if n := pull(round, time.Millisecond); n != brakeCount {
		t.Errorf("pulled after %d times, want %d", n, brakeCount)
	}
	now = now.Add(time.Minute)
	b.released(round, now) // somebody says it again, long after
	if n := pull(round, time.Millisecond); n != brakeCount {
		t.Errorf("pulled again after %d times, want %d", n, brakeCount)
	}
	now = now.Add(2 * time.Second)
	b.released(round, now)
	if n := pull(round, time.Millisecond); n != 0 {
		t.Errorf("pulled after %d times although it was no circle", n)
	}
	now = now.Add(brakeOff)
	if n := pull(round, time.Millisecond); n != brakeCount {
		t.Errorf("pulled after %d times when it is on again", n)
	}
}
