package v1

import (
	"errors"
	"io"
	"os"
)

// Lazy is implemented by sources that can wait for bytes without holding a buffer for them.
type Lazy interface {
	// ReadLazy waits until bytes can be read, then calls get for the buffer to read into. If nothing
	// could be read after all, it returns the buffer with put, before it waits again. At the end it
	// returns the buffer that it read into and how many bytes came, or what went wrong.
	ReadLazy(get func() []byte, put func([]byte)) (buf []byte, n int, err error)
}

// Hooks lets the owner of a Reader bound what begun frames cost. All may be nil. They are called from
// within Frames (Hold(0) also from Release), never at the same time.
type Hooks struct {
	// Hold is told the capacity in bytes of the private buffer for a begun frame whenever it changes;
	// 0 says that there is none any more. For more than one read's worth it is called before the
	// buffer grows; for less, right after the bytes that came have moved there from a larger buffer.
	// It may block. An error ends Frames with it.
	Hold func(n int) error
	// Begun says that a frame is begun and that Frames is going to wait for more of it: have bytes of
	// want came so far, header included; want is 0 while the header is incomplete. It is called before
	// each such wait. An error ends Frames with it.
	Begun func(have, want int) error
	// Done says that the frame of the last Begun has come to its end, or the Reader to its own.
	Done func()
}

// Reader cuts what a connection sends into frames. It hands them out in batches, all that one read
// completed, and its memory follows the bytes that came, never the length that a header announces:
//
//   - While nothing has come, a Reader of a Lazy source holds no buffer at all, that of another
//     source a small one.
//   - When bytes come, they are read into a buffer from a pool, which goes back with the next call.
//   - The beginning of a frame waits for its rest in a private buffer as large as what came.
//   - A frame larger than the pool's buffers grows in its private buffer, which at most doubles with
//     each read.
//
// A Reader is used by one goroutine at a time.
type Reader struct {
	src   io.Reader
	lazy  Lazy // src, if it is one
	hooks Hooks
	get   func() []byte // borrow and giveBack, bound once
	put   func([]byte)

	size int      // bytes of buf: frames larger than it are completed in tail
	buf  []byte   // what is read into: nil between calls if it is from the pool
	lent *block   // what of the pool buf is
	list *[]Frame // the batch, from its own pool

	tail  []byte // private: the begun frame, without rest
	rest  []byte // more of the begun frame, still in buf
	want  int    // size of the begun frame, 0 while its header is incomplete
	whole bool   // tail is a complete frame that was handed out
	held  int    // what Hold was told last
	begun bool   // Begun was called, Done not yet
	err   error  // returned after the frames before it; final
}

// NewReader returns a Reader of what src sends. A src that implements Lazy is read by ReadLazy only.
func NewReader(src io.Reader) *Reader {
	r := &Reader{src: src, size: ownSize}
	r.get, r.put = r.borrow, r.giveBack
	if lazy, ok := src.(Lazy); ok {
		r.lazy, r.size = lazy, blockSize
	}
	return r
}

// SetHooks sets what Frames calls from now on.
func (r *Reader) SetHooks(h Hooks) { r.hooks = h }

// Frames waits until at least one frame is complete and returns all that are. The slice and the bytes
// in it are valid until the next call of Frames or Release.
//
// It fails with ErrMagic or ErrEmpty where no frame begins, with io.EOF if the source ends between two
// frames and io.ErrUnexpectedEOF if it ends inside one, with an error of the source or of a hook. Frames
// that came before the fault are returned first. Every error is final and sets all memory free, except
// one that wraps os.ErrDeadlineExceeded: then Frames may be called again and goes on where it was.
func (r *Reader) Frames() ([]Frame, error) {
	for empty := 0; ; {
		r.Release()
		if r.err != nil {
			return nil, r.end(r.err)
		}
		if err := r.prepare(); err != nil {
			return nil, r.end(err)
		}
		n, err := r.read()
		if n > 0 {
			empty = 0
			r.take(n)
		} else if empty++; err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		timeout := errors.Is(err, os.ErrDeadlineExceeded)
		if r.err == nil && !timeout {
			r.err = err
		}
		if frames := r.batch(); len(frames) > 0 {
			return frames, nil
		}
		if timeout {
			r.Release()
			return nil, err
		}
	}
}

// maxEmptyReads is how often in a row a source may return neither bytes nor an error.
const maxEmptyReads = 100

// Release gives back the memory behind the frames that Frames returned last, without reading on. It is
// for a caller that is done with them but will not call Frames soon.
func (r *Reader) Release() {
	if r.list != nil {
		releaseList(r.list)
		r.list = nil
	}
	switch {
	case r.whole:
		r.tail, r.whole, r.want = nil, false, 0
	case len(r.rest) > 0:
		r.keep(r.rest)
	case len(r.tail) == 0:
		r.tail = nil
	}
	r.rest = nil // even if it is empty: it would keep the pool's buffer from being collected
	r.giveBack(nil)
	if r.tail == nil {
		_ = r.hold(0) // nothing to refuse
	}
}

// prepare makes ready for a read that may have to wait for more of a begun frame.
func (r *Reader) prepare() error {
	if len(r.tail) == 0 {
		return nil
	}
	if err := r.hold(cap(r.tail)); err != nil {
		return err
	}
	if r.straight() && len(r.tail) == cap(r.tail) {
		if err := r.grow(); err != nil {
			return err
		}
	}
	r.begun = true
	if r.hooks.Begun == nil {
		return nil
	}
	return r.hooks.Begun(len(r.tail), r.want)
}

func (r *Reader) read() (n int, err error) {
	if r.lazy == nil {
		return r.src.Read(r.borrow())
	}
	_, n, err = r.lazy.ReadLazy(r.get, r.put)
	return n, err
}

// take finds the frames in n bytes that were read where borrow said.
func (r *Reader) take(n int) {
	have := len(r.tail)
	switch {
	case r.straight():
		r.tail = r.tail[:have+n]
	case r.large():
		r.keep(r.buf[:n])
	case have+n < r.want:
		r.keep(r.buf[have : have+n])
		return
	default:
		copy(r.buf, r.tail)
		r.tail = r.tail[:0]
		r.cut(r.buf[:have+n])
		return
	}
	if len(r.tail) == r.want {
		r.cut(r.tail)
		r.whole = true
	}
}

// cut puts the whole frames at the front of b into the batch and remembers what is left.
func (r *Reader) cut(b []byte) {
	r.want = 0
	for len(b) > 0 {
		h, err := ParseHeader(b)
		if err == ErrShort {
			break
		}
		if err != nil {
			r.err = err
			return
		}
		size := HeaderLen + h.Len
		if size > len(b) {
			r.want = size
			break
		}
		if r.list == nil {
			r.list = borrowList()
		}
		*r.list = append(*r.list, Frame{Header: h, Raw: b[:size:size]})
		b = b[size:]
	}
	r.rest = b
}

// batch returns the complete frames. The first of them is the one that was begun.
func (r *Reader) batch() []Frame {
	if r.list == nil {
		return nil
	}
	r.done()
	return *r.list
}

func (r *Reader) done() {
	if r.begun && r.hooks.Done != nil {
		r.hooks.Done()
	}
	r.begun = false
}

// end makes err final.
func (r *Reader) end(err error) error {
	if err == io.EOF && len(r.tail) > 0 {
		err = io.ErrUnexpectedEOF
	}
	r.err = err
	r.tail, r.rest, r.want = nil, nil, 0
	r.buf = nil
	_ = r.hold(0)
	r.done()
	return err
}
