package keep

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"mles/bridge/bus"
)

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
