package v1

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// walker goes through the items of a body that grammar has found well-formed: heads are whole and
// lengths are within rest.
type walker struct {
	rest  []byte
	depth int // arrays, maps and tags that the next item stands in
}

// next takes the head of the next item, stepping over the tags before it. These count as nesting until
// the item ends, so the caller restores depth.
func (w *walker) next() (head, error) {
	for {
		h, _ := parseHead(w.rest)
		switch h.major {
		case majorTag, majorArray, majorMap:
			if w.depth++; w.depth > maxNesting {
				return head{}, errNesting
			}
		}
		w.rest = w.rest[h.size:]
		if h.major != majorTag {
			return h, nil
		}
	}
}

// each calls item for every element of the array, or every key of the map, that h is the head of; item
// consumes it, with its value.
func (w *walker) each(h head, item func() error) error {
	for n := uint64(0); h.indefinite || n < h.arg; n++ {
		if h.indefinite && w.rest[0] == breakCode {
			w.rest = w.rest[1:]
			return nil
		}
		if err := item(); err != nil {
			return err
		}
	}
	return nil
}

// record reads an item with named fields: a map, or an array of the values in the order of fields. It
// calls value for each field, once, to read it; all must be there. Other keys of a map are stepped over.
func (w *walker) record(fields []string, value func(field int) error) error {
	defer w.restore(w.depth)
	h, err := w.next()
	if err != nil {
		return err
	}
	switch h.major {
	case majorArray:
		return w.recordArray(h, fields, value)
	case majorMap:
		return w.recordMap(h, fields, value)
	}
	return errKind
}

func (w *walker) recordArray(h head, fields []string, value func(field int) error) error {
	i := 0
	err := w.each(h, func() error {
		if i == len(fields) {
			return errElements
		}
		if err := value(i); err != nil {
			return fmt.Errorf("%s: %w", fields[i], err)
		}
		i++
		return nil
	})
	if err == nil && i < len(fields) {
		return errElements
	}
	return err
}

func (w *walker) recordMap(h head, fields []string, value func(field int) error) error {
	seen := make([]bool, len(fields))
	err := w.each(h, func() error {
		i, err := w.key(fields)
		if err != nil {
			return err
		}
		if i < 0 {
			return w.skip()
		}
		if seen[i] {
			return fmt.Errorf("%s: twice", fields[i])
		}
		seen[i] = true
		if err := value(i); err != nil {
			return fmt.Errorf("%s: %w", fields[i], err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, ok := range seen {
		if !ok {
			return fmt.Errorf("%s: missing", fields[i])
		}
	}
	return nil
}

// key reads a map's key: the name of a field as text or bytes, or its index. It returns -1 for the key
// of something else.
func (w *walker) key(fields []string) (int, error) {
	defer w.restore(w.depth)
	h, err := w.next()
	if err != nil {
		return 0, err
	}
	switch h.major {
	case majorUint:
		if h.arg < uint64(len(fields)) {
			return int(h.arg), nil
		}
		return -1, nil
	case majorBytes, majorText:
		s, err := w.str(h)
		if err != nil {
			return 0, err
		}
		for i, f := range fields {
			if string(s) == f {
				return i, nil
			}
		}
		return -1, nil
	}
	return 0, errKey
}

// name reads a uid or a channel: UTF-8 as text or as bytes.
func (w *walker) name() ([]byte, error) {
	defer w.restore(w.depth)
	h, err := w.next()
	if err != nil {
		return nil, err
	}
	if h.major != majorText && h.major != majorBytes {
		return nil, errors.New("not text")
	}
	s, err := w.str(h)
	if err == nil && !utf8.Valid(s) {
		err = errUTF8
	}
	return s, err
}

// bytes reads a message: bytes, text, or an array of integers below 256.
func (w *walker) bytes() ([]byte, error) {
	defer w.restore(w.depth)
	h, err := w.next()
	if err != nil {
		return nil, err
	}
	switch h.major {
	case majorBytes, majorText:
		return w.str(h)
	case majorArray:
		return w.octets(h)
	}
	return nil, errors.New("not bytes")
}

// octets reads the elements of an array as bytes. They take at least as many bytes in the body.
func (w *walker) octets(h head) ([]byte, error) {
	b, depth := []byte{}, w.depth
	err := w.each(h, func() error {
		h, err := w.next()
		if err != nil {
			return err
		}
		if h.major != majorUint || h.arg > math.MaxUint8 {
			return errors.New("array with something else than bytes")
		}
		b = append(b, byte(h.arg))
		w.depth = depth
		return nil
	})
	return b, err
}

// str reads the content of the string with head h, a part of the body if it is in one piece. Chunks are
// joined before text is checked: the reference lets a character be split between them.
func (w *walker) str(h head) ([]byte, error) {
	s := w.rest[:0:0]
	if !h.indefinite {
		s = w.cut(h)
	} else {
		_ = w.each(h, func() error { // cannot fail: chunks are definite strings without tags
			h, _ := parseHead(w.rest)
			w.rest = w.rest[h.size:]
			s = append(s, w.cut(h)...)
			return nil
		})
	}
	if h.major == majorText && !utf8.Valid(s) {
		return nil, errUTF8
	}
	return s, nil
}

// cut takes the content of a definite string whose head is gone already.
func (w *walker) cut(h head) []byte {
	s := w.rest[:h.arg:h.arg]
	w.rest = w.rest[h.arg:]
	return s
}

// skip steps over an item that nobody asked for. Its text is checked and its nesting counted all the same.
func (w *walker) skip() error {
	depth := w.depth
	h, err := w.next()
	if err != nil {
		return err
	}
	switch h.major {
	case majorBytes, majorText:
		_, err = w.str(h)
	case majorArray:
		err = w.each(h, w.skip)
	case majorMap:
		err = w.each(h, func() error {
			if err := w.skip(); err != nil {
				return err
			}
			return w.skip()
		})
	}
	w.depth = depth
	return err
}

func (w *walker) restore(depth int) { w.depth = depth }
