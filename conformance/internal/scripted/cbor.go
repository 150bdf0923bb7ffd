package scripted

import (
	"encoding/binary"
	"unicode/utf8"
)

// An item of CBOR, with what is unusual about it.
type item struct {
	kind   string // integer, negative, bytes, text, array, map, float, simple, simple unassigned
	n      uint64
	str    []byte
	list   []item // array: elements; map: key, value, key, value …
	quirks []string
}

// A parser reads as much as there is any sense in and remarks what is wrong.
type parser struct {
	b          []byte
	maxNesting int
	remarks    []Remark
	broken     bool // nothing more can be read
}

// parse reads one item.
func parse(b []byte, maxNesting int) (item, []Remark) {
	p := &parser{b: b, maxNesting: maxNesting}
	it, _ := p.item(0)
	if len(p.b) > 0 {
		p.wrong("bytes after")
	}
	return it, p.remarks
}

func (p *parser) wrong(r Remark) { p.remarks = append(p.remarks, r) }

// stop is wrong in a way that ends reading.
func (p *parser) stop(r Remark) {
	if !p.broken {
		p.wrong(r)
	}
	p.broken = true
	p.b = nil
}

// A head is an item's first byte, in its two parts, and its argument.
type head struct {
	major, low byte
	n          uint64
}

func (h head) indefinite() bool { return h.low == 31 }

// wide says whether a shorter form would have done.
func (h head) wide() bool {
	return h.low == 24 && h.n < 24 || h.low > 24 && h.low < 28 && h.n < 1<<(8<<(h.low-25))
}

// head reads one; ok is false if there is none.
func (p *parser) head() (h head, ok bool) {
	if len(p.b) == 0 {
		p.stop("cut")
		return h, false
	}
	h = head{major: p.b[0] >> 5, low: p.b[0] & 31}
	p.b = p.b[1:]
	switch {
	case h.low < 24:
		h.n = uint64(h.low)
		return h, true
	case h.low == 31:
		return h, true
	case h.low > 27:
		p.wrong("reserved width")
		return h, true
	}
	width := 1 << (h.low - 24)
	if len(p.b) < width {
		p.stop("cut")
		return h, false
	}
	var arg [8]byte
	copy(arg[8-width:], p.b)
	p.b = p.b[width:]
	h.n = binary.BigEndian.Uint64(arg[:])
	return h, true
}

// item reads one item; level counts the arrays, maps and tags around it.
func (p *parser) item(level int) (it item, ok bool) {
	h, ok := p.head()
	if !ok {
		return item{}, false
	}
	if h.major >= 4 && h.major <= 6 && level >= p.maxNesting {
		p.stop("nesting")
		return item{}, false
	}
	it.n = h.n
	if h.major < 6 && h.wide() {
		it.quirks = append(it.quirks, "wide")
	}
	switch h.major {
	case 0, 1:
		if h.indefinite() {
			p.wrong("indefinite number")
		}
		it.kind = [...]string{"integer", "negative"}[h.major]
	case 2, 3:
		it.kind = [...]string{"bytes", "text"}[h.major-2]
		p.str(&it, h)
	case 4, 5:
		it.kind = [...]string{"array", "map"}[h.major-4]
		p.items(&it, h, level+1)
	case 6:
		if h.indefinite() {
			p.wrong("indefinite number")
		}
		it, ok = p.item(level + 1)
		it.quirks = append(it.quirks, "tagged")
	case 7:
		it.kind = p.simple(h)
	}
	return it, ok
}

// simple sorts what major type 7 holds. A break is wrong here: items and str look
// for their own.
func (p *parser) simple(h head) string {
	switch {
	case h.low == 31:
		p.wrong("break")
	case h.low < 20 || h.low == 24:
		return "simple unassigned"
	case h.low >= 25 && h.low <= 27:
		return "float"
	case h.low == 22:
		return "null"
	}
	return "simple"
}

func (p *parser) str(it *item, h head) {
	if !h.indefinite() {
		it.str = p.take(h.n)
	} else {
		it.quirks = append(it.quirks, "chunks")
		it.str = []byte{}
		for !p.broken && !p.end() {
			it.str = append(it.str, p.chunk(h.major)...)
		}
	}
	if !utf8.Valid(it.str) {
		it.quirks = append(it.quirks, "not UTF-8")
	}
}

func (p *parser) chunk(major byte) []byte {
	h, ok := p.head()
	for ok && h.major == 6 {
		p.wrong("chunk tagged")
		h, ok = p.head()
	}
	switch {
	case !ok:
		return nil
	case h.major != 2 && h.major != 3:
		p.stop("chunk kind")
		return nil
	case h.major != major:
		p.wrong("chunk kind")
	}
	if !h.indefinite() {
		return p.take(h.n)
	}
	p.wrong("chunk indefinite")
	var b []byte
	for !p.broken && !p.end() {
		b = append(b, p.chunk(major)...)
	}
	return b
}

func (p *parser) take(n uint64) []byte {
	got := p.b
	if n > uint64(len(got)) {
		p.stop("cut")
		return got
	}
	p.b = got[n:]
	return got[:n:n]
}

// end takes a break, if one is next.
func (p *parser) end() bool {
	if len(p.b) == 0 || p.b[0] != 0xff {
		return false
	}
	p.b = p.b[1:]
	return true
}

func (p *parser) items(it *item, h head, level int) {
	if h.indefinite() {
		it.quirks = append(it.quirks, "indefinite")
	}
	each := 1
	if h.major == 5 {
		each = 2
	}
	for i := uint64(0); h.indefinite() || i < h.n; i++ {
		if h.indefinite() && p.end() {
			return
		}
		for k := range each {
			if k == 1 && h.indefinite() && len(p.b) > 0 && p.b[0] == 0xff {
				p.wrong("odd map")
				it.list = append(it.list, item{kind: "simple"})
				break
			}
			e, ok := p.item(level)
			if !ok {
				it.list = it.list[:len(it.list)-k]
				return
			}
			it.list = append(it.list, e)
		}
	}
}
