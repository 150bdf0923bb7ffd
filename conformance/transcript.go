package conformance

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Line is one entry of a transcript: a frame or a piece of bytes that a
// connection sent (">") or received ("<"), or something that happened ("-").
type Line struct {
	At   time.Duration `json:"at_ns"` // since the case began
	Who  string        `json:"who,omitempty"`
	Dir  string        `json:"dir"`
	Says string        `json:"says"`           // what it means
	Hex  string        `json:"hex,omitempty"`  // the bytes, their first part if there are many
	Size int           `json:"size,omitempty"` // of all the bytes
}

// Bounds of a transcript: a flood of frames must not fill memory or terminals.
const (
	maxHex   = 128 // bytes of a frame that are shown
	maxLines = 200 // kept of the beginning, and as many of the end
)

// A transcript collects what happened in a case, from all of its connections.
type transcript struct {
	start time.Time

	mu      sync.Mutex
	head    []Line
	tail    []Line // a ring once it is full
	next    int    // in tail
	dropped int
	closed  bool
}

// close ends the transcript: what comes of clearing up does not belong to it.
func (tr *transcript) close() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.closed = true
}

func (tr *transcript) add(who, dir, says string, b []byte) {
	l := Line{At: time.Since(tr.start), Who: who, Dir: dir, Says: says, Size: len(b),
		Hex: hex.EncodeToString(b[:min(len(b), maxHex)])}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case tr.closed:
	case len(tr.head) < maxLines:
		tr.head = append(tr.head, l)
	case len(tr.tail) < maxLines:
		tr.tail = append(tr.tail, l)
	default:
		tr.tail[tr.next] = l
		tr.next = (tr.next + 1) % maxLines
		tr.dropped++
	}
}

// lines returns what was collected.
func (tr *transcript) lines() []Line {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	all := append([]Line(nil), tr.head...)
	if tr.dropped > 0 {
		all = append(all, Line{At: tr.tail[tr.next].At, Dir: "-", Says: fmt.Sprintf("… %d lines left out …", tr.dropped)})
	}
	all = append(all, tr.tail[tr.next:]...)
	return append(all, tr.tail[:tr.next]...)
}

// A label is what a connection is called in the transcript: a number, and the uid
// once it has one.
type label struct{ said atomic.Pointer[string] }

func (l *label) set(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.said.Store(&s)
}

func (l *label) String() string { return *l.said.Load() }

// writeLines prints a transcript: time in ms, connection, direction, meaning,
// and the bytes under it.
func writeLines(w io.Writer, indent string, lines []Line) {
	who := 0
	for _, l := range lines {
		who = max(who, len(l.Who))
	}
	for _, l := range lines {
		fmt.Fprintf(w, "%s%8.1f  %-*s %s %s\n", indent, float64(l.At.Microseconds())/1000, who, l.Who, l.Dir, l.Says)
		pad := indent + strings.Repeat(" ", 8+2+who+3)
		for h := l.Hex; h != ""; {
			row := h[:min(len(h), 64)]
			h = h[len(row):]
			var spaced strings.Builder
			for i := 0; i < len(row); i += 2 {
				if i > 0 {
					spaced.WriteByte(' ')
				}
				spaced.WriteString(row[i : i+2])
			}
			if h == "" && l.Size > len(l.Hex)/2 {
				fmt.Fprintf(&spaced, " … (%d bytes in all)", l.Size)
			}
			fmt.Fprintf(w, "%s%s\n", pad, spaced.String())
		}
	}
}
