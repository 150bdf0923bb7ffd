package v1

import "sync"

const (
	// blockSize is the size in bytes of the buffers that Lazy sources are read into: large enough that a
	// flood costs few system calls, small enough for a core's cache.
	blockSize = 64 << 10
	// ownSize is that of the buffer of a source which must be given one to wait.
	ownSize = 4 << 10
	// minTail is the least that is allocated for the beginning of a frame, in bytes.
	minTail = 64
)

type block [blockSize]byte

// The pools are shared by all readers: a buffer is needed only between a read and the next, so there
// are about as many as there are readers at work at the same moment.
var (
	blocks = sync.Pool{New: func() any { return new(block) }}
	lists  = sync.Pool{New: func() any { return new([]Frame) }}
)

func borrowList() *[]Frame { return lists.Get().(*[]Frame) }

func releaseList(l *[]Frame) {
	clear(*l) // or the pool would keep large frames alive
	*l = (*l)[:0]
	lists.Put(l)
}

// large says that the begun frame does not fit buf.
func (r *Reader) large() bool { return r.want > r.size }

// straight says that more of the begun frame is read directly behind what is there of it. The first
// bytes of a large frame are not: a buffer for them would have to be allocated before they come.
func (r *Reader) straight() bool { return r.large() && len(r.tail) >= r.size }

// borrow returns what the next bytes are read into.
func (r *Reader) borrow() []byte {
	if r.straight() {
		return r.tail[len(r.tail):cap(r.tail)]
	}
	if r.buf == nil {
		if r.lazy != nil {
			r.lent = blocks.Get().(*block)
			r.buf = r.lent[:]
		} else {
			r.buf = make([]byte, r.size)
		}
	}
	if r.large() {
		return r.buf[:min(r.size, r.want-len(r.tail))] // and nothing of the frame after it
	}
	return r.buf[len(r.tail):] // leaves room for the tail in front
}

// giveBack returns buf to the pool if it is from there.
func (r *Reader) giveBack([]byte) {
	if r.lent != nil {
		blocks.Put(r.lent)
		r.lent, r.buf = nil, nil
	}
}

// keep adds b to the begun frame.
func (r *Reader) keep(b []byte) {
	n := len(r.tail) + len(b)
	fit := minTail
	for fit < n {
		fit *= 2
	}
	if r.large() {
		fit = min(fit, r.want)
	}
	// A buffer that the frame before has left is used again unless it is much too large.
	if n > cap(r.tail) || len(r.tail) == 0 && cap(r.tail) > 4*fit {
		r.tail = append(make([]byte, 0, fit), r.tail...)
	}
	r.tail = append(r.tail, b...)
}

// grow doubles the private buffer of a large frame that has filled it.
func (r *Reader) grow() error {
	n := min(2*cap(r.tail), r.want)
	if err := r.hold(n); err != nil {
		return err
	}
	r.tail = append(make([]byte, 0, n), r.tail...)
	return nil
}

// hold tells the owner of the capacity of tail if it has changed.
func (r *Reader) hold(n int) error {
	if n == r.held {
		return nil
	}
	r.held = n
	if r.hooks.Hold == nil {
		return nil
	}
	return r.hooks.Hold(n)
}
