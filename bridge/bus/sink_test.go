package bus

import (
	"sync"
	"testing"
)

// A writer is a sink as a connection's is: a goroutine that lives only while
// there is something to write. put gets the bytes and may take its time.
type writer struct {
	put func(data []byte, whole bool)

	mu      sync.Mutex
	running bool
	again   bool
	cuts    []Reason
	done    sync.WaitGroup
}

func (w *writer) Wake(m *Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running {
		w.again = true
		return
	}
	w.running = true
	w.done.Go(func() { w.run(m) })
}

func (w *writer) run(m *Member) {
	for {
		for {
			data, whole, ok := m.Next()
			if !ok {
				break
			}
			w.put(data, whole)
		}
		w.mu.Lock()
		if !w.again {
			w.running = false
			w.mu.Unlock()
			return
		}
		w.again = false
		w.mu.Unlock()
	}
}

func (w *writer) Cut(_ *Member, why Reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = append(w.cuts, why)
}

// An honest sink reads what there is, at once.
type honest struct {
	mu    sync.Mutex
	bytes int64
	cuts  []Reason
}

func (h *honest) Wake(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		data, _, ok := m.Next()
		if !ok {
			return
		}
		h.bytes += int64(len(data))
	}
}

func (h *honest) Cut(_ *Member, why Reason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cuts = append(h.cuts, why)
}

func (h *honest) got() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bytes
}

// A hand sink reads only when the test does it by hand.
type hand struct {
	mu    sync.Mutex
	wakes int
	cuts  []Reason
}

func (h *hand) Wake(*Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakes++
}

func (h *hand) Cut(_ *Member, why Reason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cuts = append(h.cuts, why)
}

func (h *hand) reasons() []Reason {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cuts
}

// read takes at least n bytes, if there are so many, and settles them.
func read(m *Member, n int) (got int) {
	for got < n {
		data, _, ok := m.Next()
		if !ok {
			return got
		}
		got += len(data)
	}
	return got
}

// mustJoin joins or ends the test.
func mustJoin(t testing.TB, b *Bus, j Join) *Member {
	t.Helper()
	m, err := b.Join(j)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// blocked says whether a publisher must still wait.
func blocked(wait <-chan struct{}) bool {
	if wait == nil {
		return false
	}
	select {
	case <-wait:
		return false
	default:
		return true
	}
}
