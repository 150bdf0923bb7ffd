package v1

import (
	"errors"
	"fmt"
)

// The parts of a ResyncMsg: {"resync_message": [{"encoded_msg": frame}, …]}.
const (
	resyncOpen  = "\xa1\x6eresync_message"
	resyncEntry = "\xa1\x6bencoded_msg"
)

// AppendResync adds to dst the body of a ResyncMsg that contains frames, each one whole frame with its
// header. The frames are not checked; an empty list closes the connection at the other side.
func AppendResync(dst []byte, frames [][]byte) []byte {
	dst = append(dst, resyncOpen...)
	dst = appendHead(dst, majorArray, len(frames))
	for _, f := range frames {
		dst = append(dst, resyncEntry...)
		dst = appendHead(dst, majorBytes, len(f))
		dst = append(dst, f...)
	}
	return dst
}

// DecodeResync returns the frames that a ResyncMsg contains, at least one, each checked to be one whole
// frame; they may be parts of body. It is as lenient about CBOR as DecodeMsg. It fails with ErrNotResync
// if body is something else, and with ErrResync, wrapped with what is wrong, if it is a ResyncMsg that
// is empty or contains anything that is not a whole frame.
//
// A body can be both a Msg and a ResyncMsg. The reference then sees a ResyncMsg, unless its list is
// empty: to decide as it does, ask DecodeResync first.
func DecodeResync(body []byte) ([][]byte, error) {
	if grammar.Wellformed(body) != nil {
		return nil, ErrNotResync
	}
	var frames [][]byte
	w := walker{rest: body}
	inList := false
	err := w.record([]string{"resync_message"}, func(int) error {
		defer w.restore(w.depth)
		h, err := w.next()
		if err != nil {
			return err
		}
		if h.major != majorArray {
			return errors.New("not an array")
		}
		inList = true
		return w.each(h, func() error {
			f, err := w.resyncEntry()
			frames = append(frames, f)
			return err
		})
	})
	switch {
	case !inList:
		return nil, ErrNotResync
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrResync, err)
	case len(frames) == 0:
		return nil, fmt.Errorf("%w: no frames", ErrResync)
	}
	return frames, nil
}

// resyncEntry reads one {"encoded_msg": frame}.
func (w *walker) resyncEntry() (frame []byte, err error) {
	err = w.record([]string{"encoded_msg"}, func(int) error {
		if frame, err = w.bytes(); err != nil {
			return err
		}
		_, err := ParseFrame(frame)
		return err
	})
	return frame, err
}
