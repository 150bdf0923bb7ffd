package bridge

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A gateway works until it is closed, and writers that stand still are found.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if err := g.Probe(ctx); err != nil {
				t.Error(err)
			}
			cancel()
		}
		set := func(queue []*writer, hands int) {
			g.crew.mu.Lock()
			defer g.crew.mu.Unlock()
			g.crew.queue, g.crew.hands = queue, hands
		}
		set([]*writer{{}}, 1) // a hand that never comes back
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := g.Probe(ctx); err == nil || !strings.Contains(err.Error(), "the writers") {
			t.Errorf("writers that stand still: %v", err)
		}
		set(nil, 0)
		g.Close()
		if err := g.Probe(t.Context()); err == nil {
			t.Error("a closed gateway works")
		}
	})
}

// A lock that nobody gives back is found, and what it is for is named.
func TestProbeFindsLocks(t *testing.T) {
	g, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for part, lock := range map[string]sync.Locker{
		"the list of connections": &g.mu, "the admission of members": &g.admission, "the ping wheel": &g.wheel.mu,
	} {
		lock.Lock()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := g.Probe(ctx); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s locked: %v", part, err)
		}
		cancel()
		lock.Unlock()
	}
}
