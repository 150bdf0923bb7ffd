package keep

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A reader reads the records of a journal.
type reader struct {
	f    io.ReaderAt
	size int64 // of the file
	at   int64 // where the next record begins, or should
	br   *bufio.Reader
	buf  []byte // of a record that is larger than br's
}

func newReader(f io.ReaderAt, size int64) *reader {
	r := &reader{f: f, size: size, br: bufio.NewReaderSize(nil, bufferSize)}
	r.goTo(0)
	return r
}

func (r *reader) goTo(at int64) {
	r.at = at
	r.br.Reset(io.NewSectionReader(r.f, at, r.size-at))
}

// A versionError is a journal that a later gateway has written.
type versionError byte

func (e versionError) Error() string {
	return fmt.Sprintf("version %d of the format, which only a later gateway reads", byte(e))
}

var errNoJournal = errors.New("it does not begin as a journal does")

// preamble reads what a journal begins with: the names of the dialects.
func (r *reader) preamble() (dialects []string, err error) {
	head := make([]byte, len(magic)+1)
	if _, err := io.ReadFull(r.br, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, errNoJournal
	}
	if v := head[len(magic)]; v > version {
		return nil, versionError(v)
	}
	r.at = int64(len(head))
	payload, err := r.next()
	if err != nil || payload[0] != kindTable {
		return nil, errNoJournal
	}
	return (&decoder{b: payload[1:]}).table()
}

// next returns the payload of the next record, valid until the call after. The error is
// io.EOF at the end, else errRecord or that of reading.
func (r *reader) next() (payload []byte, err error) {
	if r.at == r.size {
		return nil, io.EOF
	}
	head, err := r.br.Peek(recordHead)
	if err != nil {
		return nil, damaged(err)
	}
	n := int64(binary.BigEndian.Uint32(head[4:])) + recordHead
	if !bytes.Equal(head[:4], recordMark[:]) || n > maxPayload || n > r.size-r.at {
		return nil, errRecord
	}
	record, err := r.peek(int(n))
	if err != nil {
		return nil, damaged(err)
	}
	payload, _, err = parseRecord(record)
	if err == nil {
		r.at += n
	}
	return payload, err
}

// peek returns the next n bytes, and goes on behind them.
func (r *reader) peek(n int) (b []byte, err error) {
	if n <= bufferSize {
		b, err = r.br.Peek(n)
		if err == nil {
			_, err = r.br.Discard(n)
		}
		return b, err
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	r.buf = r.buf[:n]
	_, err = io.ReadFull(r.br, r.buf)
	return r.buf, err
}

// damaged is what the end of a file in a record means.
func damaged(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errRecord
	}
	return err
}

// maxTries is how many marks are followed in search of a whole record.
const maxTries = 10_000

// search goes to the next record that is whole, behind one that is not, and says whether
// there is one. Otherwise it stays where it is.
func (r *reader) search() bool {
	torn := r.at
	for at, try := torn+1, 0; try < maxTries; try++ {
		at = r.find(at)
		if at < 0 {
			break
		}
		r.goTo(at)
		if _, err := r.next(); err == nil {
			r.goTo(at)
			return true
		}
		at++
	}
	r.goTo(torn)
	return false
}

// find returns where the next mark stands, from there on; -1: nowhere.
func (r *reader) find(from int64) int64 {
	const overlap = len(recordMark) - 1
	chunk := make([]byte, bufferSize)
	for at := from; at < r.size; at += int64(len(chunk) - overlap) {
		n, err := r.f.ReadAt(chunk, at)
		if i := bytes.Index(chunk[:n], recordMark[:]); i >= 0 {
			return at + int64(i)
		}
		if err != nil {
			break
		}
	}
	return -1
}
