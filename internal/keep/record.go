package keep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"mles/bridge/bus"
)

const (
	magic   = "MLESHIST"
	version = 1
)

// recordMark begins each record, so that those behind a damage are found.
var recordMark = [4]byte{0xd7, 'R', 'e', 'c'}

const recordHead = 12

// The kinds of records.
const (
	kindTable  = 'T'
	kindWhole  = 'W'
	kindChange = 'C'
	kindGone   = 'G'
)

// The flags of events.
const (
	flagJoin = 1 << iota
	flagOpaque
	flagInside // Message is a part of Data
	allFlags   = flagJoin | flagOpaque | flagInside
)

// maxPayload is more than any record takes: one event whose data and message are apart,
// 16 MiB each, with names.
const maxPayload = 40 << 20

// fullRecord is how many bytes of events go into a record, unless one has more.
const fullRecord = 256 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

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

// The errors of what is read.
var (
	errRecord  = errors.New("a record is damaged")
	errPayload = errors.New("a record does not decode")
	errDialect = errors.New("an event is in a dialect that is not known here")
)

// parseRecord returns the first record's payload, and the size of it all. The error is
// errRecord where none begins there that is whole.
func parseRecord(b []byte) (payload []byte, size int, err error) {
	if len(b) < recordHead || !bytes.Equal(b[:4], recordMark[:]) {
		return nil, 0, errRecord
	}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if n > maxPayload || n > len(b)-recordHead || n == 0 {
		return nil, 0, errRecord
	}
	payload = b[recordHead : recordHead+n]
	if crc32.Update(crc32.Checksum(b[4:8], castagnoli), castagnoli, payload) != binary.BigEndian.Uint32(b[8:]) {
		return nil, 0, errRecord
	}
	return payload, recordHead + n, nil
}

// A decoder reads a payload. After an error everything it returns is empty.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.b)) {
		d.bad = true
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if d.bad || size <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) data() []byte { return d.take(d.uvarint()) }

// table reads the names of the dialects.
func (d *decoder) table() (names []string, err error) {
	for len(d.b) > 0 && !d.bad {
		names = append(names, string(d.data()))
	}
	if d.bad || len(names) > 256 {
		return nil, errPayload
	}
	return names, nil
}

// change reads what stands behind the kind. Nothing of it is a part of the payload. An
// event that is not understood is passed over, which the error says.
func (d *decoder) change(kind byte, dialects []int) (c bus.Change, err error) {
	c.Channel = string(d.data())
	c.Whole, c.Gone = kind == kindWhole, kind == kindGone
	if !c.Gone {
		c.LastUsed = time.Unix(0, int64(d.uint64()))
		c.First, c.FirstJoin, c.Last = d.uvarint(), d.uvarint(), d.uvarint()
		for len(d.b) > 0 && !d.bad {
			e, ok := d.event(dialects)
			if d.bad {
				break
			}
			if !ok {
				err = errDialect
				continue
			}
			c.Events = append(c.Events, e)
		}
	}
	if d.bad || len(d.b) > 0 {
		return c, fmt.Errorf("channel %q: %w", c.Channel, errPayload)
	}
	return c, err
}

func (d *decoder) event(dialects []int) (n bus.Numbered, ok bool) {
	e := new(bus.Event)
	n = bus.Numbered{Number: d.uvarint(), Event: e}
	flags, from := d.byte(), int(d.byte())
	e.Join, e.Opaque, e.Op, e.Key = flags&flagJoin != 0, flags&flagOpaque != 0, d.byte(), d.uint64()
	e.UID = string(d.data())
	e.Data = nonEmpty(d.data())
	if flags&flagInside != 0 {
		at, size := d.uvarint(), d.uvarint()
		if at > uint64(len(e.Data)) || size > uint64(len(e.Data))-at {
			d.bad = true
			return n, false
		}
		e.Message = e.Data[at : at+size]
	} else {
		e.Message = nonEmpty(d.data())
	}
	if flags&^allFlags != 0 || n.Number == 0 {
		d.bad = true
	}
	if d.bad || from >= len(dialects) || dialects[from] < 0 {
		return n, false
	}
	e.From = bus.Dialect(dialects[from])
	return n, true
}

// nonEmpty copies bytes, but none to nil, as the bus stores them.
func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return slices.Clone(b)
}
