package bus

import (
	"sort"
	"sync"
	"time"
	"unsafe"
)

// maxWrite bounds what a member is given to write at once, so that a slow
// connection's progress can be seen.
const maxWrite = 256 << 10

// classes are the sizes chunks come in; larger frames get one of their own.
var classes = [...]int{4 << 10, 32 << 10, maxWrite}

// chunks that no cursor needs any more are used again.
var pools [len(classes)]sync.Pool

// A run is a stretch of a chunk that one member of the log sent, and so does
// not get.
type run struct {
	from, to int
	by       *Member
}

const runSize = int64(unsafe.Sizeof(run{}))

// A chunk holds whole frames: one where it is larger than a write, otherwise as
// many as fit.
type chunk struct {
	next    *chunk
	start   int64 // where in the log it begins
	buf     []byte
	runs    []run
	readers int       // cursors in it
	memory  int64     // what it counts for in the budget
	last    time.Time // of the last frame added
	pinned  bool      // a departed member's writer may still be reading it
	class   int       // which pool it came from; -1: none
}

func newChunk(class int, size int) *chunk {
	if class < 0 {
		return &chunk{buf: make([]byte, 0, size), class: -1}
	}
	if c, ok := pools[class].Get().(*chunk); ok {
		return c
	}
	return &chunk{buf: make([]byte, 0, classes[class]), class: class}
}

// keptRuns is how large an index is used again with its chunk: enough that a
// message to those who follow takes no memory.
const keptRuns = 16

func (c *chunk) recycle() {
	if c.class < 0 || c.pinned {
		return
	}
	clear(c.runs) // of its members
	if cap(c.runs) > keptRuns {
		c.runs = nil
	}
	*c = chunk{buf: c.buf[:0], runs: c.runs[:0], class: c.class}
	pools[c.class].Put(c)
}

// has says whether n more bytes fit. A chunk is full, too, when its index
// outgrows its bytes.
func (c *chunk) has(n int) bool {
	return len(c.buf)+n <= cap(c.buf) && int64(len(c.runs))*runSize <= int64(cap(c.buf))
}

// end is the position behind the chunk's last byte. Index bytes count.
func (c *chunk) end() int64 { return c.start + int64(len(c.buf)) + int64(len(c.runs))*runSize }

// own returns the first run of m that ends behind pos.
func (c *chunk) own(m *Member, pos int) (run, bool) {
	i := sort.Search(len(c.runs), func(i int) bool { return c.runs[i].to > pos })
	for ; i < len(c.runs); i++ {
		if c.runs[i].by == m {
			return c.runs[i], true
		}
	}
	return run{}, false
}

// A log is a channel's live traffic in one dialect, already encoded, from the
// oldest byte that a cursor still needs to the head. The channel's lock guards
// it. When every cursor is at the head it holds no chunk at all.
type log struct {
	dialect Dialect
	budget  *Budget

	first, tail *chunk
	head        int64     // position of the next byte
	events      int64     // ever appended
	members     []*Member // all that follow the log
	idle        []*Member // those of them at the head
	front       front
}

// room returns the chunk that n more bytes go into.
func (l *log) room(n int) *chunk {
	if t := l.tail; t != nil && t.has(n) {
		return t
	}
	c := newChunk(l.classFor(n), n)
	c.start = l.head
	l.count(c)
	if l.tail != nil {
		l.tail.next = c
	} else {
		l.first = c
	}
	l.tail = c
	return c
}

// count brings the budget up to date with what c takes.
func (l *log) count(c *chunk) {
	memory := int64(cap(c.buf)) + int64(cap(c.runs))*runSize
	l.budget.Add(memory - c.memory)
	c.memory = memory
}

// classFor chooses the size of a new chunk: small where the log is short, larger
// while members lag, but not beyond what lags already, so that a great many
// channels with a little lag each take not much more memory than that.
func (l *log) classFor(n int) int {
	class := 0
	if l.first != nil {
		held := l.head - l.first.start
		for class+1 < len(classes) && int64(classes[class+1]) <= held {
			class++
		}
	}
	for class < len(classes) && classes[class] < n {
		class++
	}
	if class == len(classes) {
		return -1
	}
	return class
}

// append adds one event, n bytes encoded, sent now by the member by, if it is one of
// this log. The members that were idle are woken: see wake.
func (l *log) append(codec Codec, channel string, e *Event, n int, by *Member, now time.Time, woken **Member) {
	c := l.room(n)
	c.last = now
	l.wake(c, by, woken)
	pos := len(c.buf)
	c.buf = codec.Append(c.buf, l.dialect, channel, e, false)
	if by != nil && by.log == l {
		if k := len(c.runs); k > 0 && c.runs[k-1].by == by && c.runs[k-1].to == pos {
			c.runs[k-1].to = len(c.buf)
		} else {
			c.runs = append(c.runs, run{pos, len(c.buf), by})
			l.count(c)
		}
		by.ownEnd = c.start + int64(len(c.buf))
		by.tally.excluded++
	}
	l.events++
	l.head = c.end()
}

// wake gives each idle member but by a place in c, where the next bytes go, and
// chains it to woken.
func (l *log) wake(c *chunk, by *Member, woken **Member) {
	keep := l.idle[:0]
	for _, m := range l.idle {
		if m == by {
			keep = append(keep, m)
			m.idleAt = 0
			continue
		}
		m.chunk, m.pos, m.idleAt = c, len(c.buf), -1
		m.moved = c.last
		c.readers++
		l.front.moved(m, m.position())
		m.chain(woken)
	}
	clear(l.idle[len(keep):])
	l.idle = keep
}

// rest makes m idle: its cursor is at the head.
func (l *log) rest(m *Member) {
	m.givenAll()
	m.leaveChunk()
	m.idleAt = len(l.idle)
	l.idle = append(l.idle, m)
	l.free()
}

// free drops the chunks that no cursor needs.
func (l *log) free() {
	for c := l.first; c != nil && c.readers == 0; c = l.first {
		l.first = c.next
		if c == l.tail {
			l.tail = nil
		}
		l.budget.Add(-c.memory)
		c.recycle()
	}
}
