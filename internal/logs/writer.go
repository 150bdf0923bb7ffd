package logs

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// DefaultQueue is how many bytes a [Writer] queues: some thousand lines.
const DefaultQueue = 1 << 20

// A Writer passes on what is written to it without making anybody wait: a pipe that nobody reads from any more is full
// after 64 KiB, and would stop whoever logs. What there is no room for is dropped by whole lines and counted.
type Writer struct {
	// Fixed.
	w     io.Writer
	limit int
	lost  func(lines int64) // told when there is room again

	mu      sync.Mutex
	changed sync.Cond // of mu: something is queued, has been written, or the writer is closed
	queue   []byte    // whole lines
	spare   []byte    // memory of the queue before
	writing bool      // what was queued before
	closed  bool
	missing int64 // lines dropped and not yet told of
	total   int64 // lines ever dropped
}

// NewWriter starts a writer to w that queues limit bytes at most. lost, if not nil, is told how many lines were dropped
// once w takes more again; it may log that through the writer. Close ends it.
func NewWriter(w io.Writer, limit int, lost func(lines int64)) *Writer {
	lw := &Writer{w: w, limit: limit, lost: lost}
	lw.changed.L = &lw.mu
	go lw.run()
	return lw
}

// Write queues p, which is whole lines, or drops it. It returns no error.
func (lw *Writer) Write(p []byte) (int, error) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	if lw.closed || len(lw.queue)+len(p) > lw.limit {
		n := int64(max(1, bytes.Count(p, []byte("\n"))))
		lw.missing += n
		lw.total += n
		return len(p), nil
	}
	lw.queue = append(lw.queue, p...)
	lw.changed.Broadcast()
	return len(p), nil
}

// Lost returns how many lines were ever dropped.
func (lw *Writer) Lost() int64 {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	return lw.total
}

// Flush waits until all is written that was queued before, for patience at most.
func (lw *Writer) Flush(patience time.Duration) {
	done := false
	timer := time.AfterFunc(patience, func() {
		lw.mu.Lock()
		defer lw.mu.Unlock()
		done = true
		lw.changed.Broadcast()
	})
	defer timer.Stop()
	lw.mu.Lock()
	defer lw.mu.Unlock()
	for !done && (len(lw.queue) > 0 || lw.writing) {
		lw.changed.Wait()
	}
}

// Close flushes for patience at most, and ends the writer: what is written to it from then on is dropped. A goroutine
// stays behind only where w never returns.
func (lw *Writer) Close(patience time.Duration) {
	lw.Flush(patience)
	lw.mu.Lock()
	defer lw.mu.Unlock()
	lw.closed = true
	lw.changed.Broadcast()
}

// run writes what is queued until the writer is closed.
func (lw *Writer) run() {
	for {
		batch, ok := lw.take()
		if !ok {
			return
		}
		_, _ = lw.w.Write(batch) // there is nowhere to tell of it
		if n := lw.written(batch); n > 0 && lw.lost != nil {
			lw.lost(n)
		}
	}
}

// take waits for something to write.
func (lw *Writer) take() (batch []byte, ok bool) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	for len(lw.queue) == 0 && !lw.closed {
		lw.changed.Wait()
	}
	if lw.closed {
		return nil, false
	}
	batch, lw.queue, lw.spare = lw.queue, lw.spare[:0], nil
	lw.writing = true
	return batch, true
}

// written notes that batch was, and returns how many lines have been dropped and not told of.
func (lw *Writer) written(batch []byte) (missing int64) {
	lw.mu.Lock()
	defer lw.mu.Unlock()
	if cap(batch) <= lw.limit/8 { // or one that once was large would be kept
		lw.spare = batch
	}
	lw.writing = false
	if len(lw.queue) == 0 { // there is room to tell of it
		missing, lw.missing = lw.missing, 0
	}
	lw.changed.Broadcast()
	return missing
}
