package bus

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPublishWhileWaiting: alice goes on publishing though she was told to wait
// (her connection has other channels). All her waits end, and the channel calms
// down.
func TestPublishWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}})
		defer b.Close()
		alice := mustJoin(t, b, Join{Channel: "c", Sink: &honest{}})
		defer alice.Leave()
		sink := &hand{}
		bob := mustJoin(t, b, Join{Channel: "c", Sink: sink})
		defer bob.Leave()
		var waits []<-chan struct{}
		for range 3 {
			waits = append(waits, alice.Publish([]Event{{Message: make([]byte, slowAt)}}))
		}
		read(bob, 1<<30)
		for i, w := range waits {
			if w == nil || blocked(w) {
				t.Errorf("wait %d: %v, still blocked: %v", i, w != nil, blocked(w))
			}
		}
		ch := alice.ch
		if len(ch.slowed) > 0 {
			t.Errorf("nobody waits, %d are noted as waiting", len(ch.slowed))
		}
		time.Sleep(2 * patience)
		if watching(b, alice.ch) {
			t.Error("the janitor still watches the calm channel")
		}
	})
}

// TestReplaceTheDeparted: bob's connection ended just before his next one was
// allowed to replace it. Nobody is told that he was replaced.
func TestReplaceTheDeparted(t *testing.T) {
	b := New(Config{Codec: testCodec{}})
	defer b.Close()
	sink := &hand{}
	bob := mustJoin(t, b, Join{Channel: "c", ID: "bob", Sink: sink})
	bob.Leave()
	again := mustJoin(t, b, Join{Channel: "c", ID: "bob", Sink: &hand{}, Replace: bob})
	defer again.Leave()
	if len(sink.cuts) > 0 {
		t.Errorf("told %q after it had left", sink.cuts)
	}
}

// TestForgottenHistoryIsUnlinked: carol has joined and reads nothing. Her
// snapshot keeps what it still needs, not its neighbours, once the history is
// forgotten.
func TestForgottenHistoryIsUnlinked(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 10})
	defer b.Close()
	alice := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}})
	for range 10 {
		alice.Publish([]Event{{Message: make([]byte, maxWrite)}})
	}
	carol := mustJoin(t, b, Join{Channel: "c", Sink: &hand{}})
	ch := alice.ch
	ch.mu.Lock()
	ch.history.clear()
	ch.mu.Unlock()
	read(carol, 8*maxWrite)
	for _, s := range carol.replay.events {
		if s.links != [2]link{} {
			t.Error("an event that nobody but carol needs keeps others alive")
		}
	}
	alice.Leave()
	carol.Leave()
	if used := b.Budget().Used(); used != 0 {
		t.Errorf("%d bytes counted for nothing", used)
	}
}

func watching(b *Bus, ch *channel) bool {
	b.watchMu.Lock()
	defer b.watchMu.Unlock()
	_, listed := b.watchList[ch]
	return listed
}
