package keep

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"mles/bridge/bus"
)

// A writer writes records. Large data are not copied.
type writer struct {
	w     io.Writer
	n     int64    // bytes written
	small []byte   // what goes between the large pieces
	parts [][]byte // of the record being made
	from  int      // where in small the piece being made begins
	size  int
}

// largePart is from where on data stand for themselves.
const largePart = 4 << 10

func (w *writer) begin(kind byte) {
	w.small, w.parts, w.from, w.size = append(w.small[:0], kind), w.parts[:0], 0, 0
}

func (w *writer) text(s string) {
	w.small = binary.AppendUvarint(w.small, uint64(len(s)))
	w.small = append(w.small, s...)
}

func (w *writer) uvarint(n uint64) { w.small = binary.AppendUvarint(w.small, n) }

// data adds bytes behind their length.
func (w *writer) data(b []byte) {
	w.uvarint(uint64(len(b)))
	if len(b) < largePart {
		w.small = append(w.small, b...)
		return
	}
	w.cut()
	w.parts = append(w.parts, b)
	w.size += len(b)
}

// cut makes what has gathered in small a piece. Growing small leaves earlier pieces
// where they are.
func (w *writer) cut() {
	piece := w.small[w.from:]
	w.parts = append(w.parts, piece)
	w.size += len(piece)
	w.from = len(w.small)
}

// length is that of the payload so far.
func (w *writer) length() int { return w.size + len(w.small) - w.from }

// end writes the record.
func (w *writer) end() error {
	w.cut()
	head := append(recordMark[:], 0, 0, 0, 0)
	binary.BigEndian.PutUint32(head[4:], uint32(w.size))
	sum := crc32.Checksum(head[4:], castagnoli)
	for _, p := range w.parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	head = binary.BigEndian.AppendUint32(head, sum)
	err := w.write(head)
	for _, p := range w.parts {
		if err == nil {
			err = w.write(p)
		}
	}
	clear(w.parts)
	return err
}

func (w *writer) write(b []byte) error {
	n, err := w.w.Write(b)
	w.n += int64(n)
	return err
}

// preamble writes what a journal begins with.
func (w *writer) preamble(dialects []string) error {
	if err := w.write(append([]byte(magic), version)); err != nil {
		return err
	}
	w.begin(kindTable)
	for _, name := range dialects {
		w.text(name)
	}
	return w.end()
}

// change writes a change, in several records if it is large. Readers that find only some
// of them have the older events.
func (w *writer) change(c *bus.Change) error {
	if c.Gone {
		w.begin(kindGone)
		w.text(c.Channel)
		return w.end()
	}
	kind := byte(kindChange)
	if c.Whole {
		kind = kindWhole
	}
	w.changeHead(kind, c)
	some := false
	for _, e := range c.Events {
		if some && w.length()+len(e.Data)+len(e.Message) > fullRecord {
			if err := w.end(); err != nil {
				return err
			}
			w.changeHead(kindChange, c)
		}
		w.event(e)
		some = true
	}
	return w.end()
}

func (w *writer) changeHead(kind byte, c *bus.Change) {
	w.begin(kind)
	w.text(c.Channel)
	w.small = binary.BigEndian.AppendUint64(w.small, uint64(c.LastUsed.UnixNano()))
	w.uvarint(c.First)
	w.uvarint(c.FirstJoin)
	w.uvarint(c.Last)
}

func (w *writer) event(e bus.Numbered) {
	w.uvarint(e.Number)
	at, inside := 0, false
	if len(e.Message) > 0 {
		at, inside = e.Inside()
	}
	var flags byte
	if e.Join {
		flags |= flagJoin
	}
	if e.Opaque {
		flags |= flagOpaque
	}
	if inside {
		flags |= flagInside
	}
	w.small = append(w.small, flags, byte(e.From), e.Op)
	w.small = binary.BigEndian.AppendUint64(w.small, e.Key)
	w.text(e.UID)
	w.data(e.Data)
	if inside {
		w.uvarint(uint64(at))
		w.uvarint(uint64(len(e.Message)))
	} else {
		w.data(e.Message)
	}
}
