package status

import (
	"container/heap"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
)

// A place is where something stands in a list that is sorted by it.
type place []string

var errMark = errors.New("is no mark that was given out as next")

// mark is what a client says to go on behind a place.
func (p place) mark() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseMark(s string) (p place, err error) {
	if s == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || json.Unmarshal(text, &p) != nil || len(p) == 0 {
		return nil, errMark
	}
	return p, nil
}

// A page is a bounded part of a long list: the first items behind a mark, of however many
// are shown to it in whatever order.
type page[T any] struct {
	after place // nil: from the beginning
	limit int
	items items[T] // those found so far, the last one first
	more  bool     // there are others behind them
}

type item[T any] struct {
	at    place
	value T
}

// add takes v in if it belongs there. value is called then only.
func (p *page[T]) add(at place, value func() T) {
	if p.after != nil && slices.Compare(at, p.after) <= 0 {
		return
	}
	if len(p.items) == p.limit {
		p.more = true
		if p.limit == 0 || slices.Compare(at, p.items[0].at) >= 0 {
			return
		}
		heap.Pop(&p.items)
	}
	heap.Push(&p.items, item[T]{at, value()})
}

// list returns the items in order, and the mark of what follows; "": nothing does.
func (p *page[T]) list() (values []T, next string) {
	slices.SortFunc(p.items, func(a, b item[T]) int { return slices.Compare(a.at, b.at) })
	values = make([]T, 0, len(p.items))
	for _, it := range p.items {
		values = append(values, it.value)
	}
	if p.more && len(p.items) > 0 {
		next = p.items[len(p.items)-1].at.mark()
	}
	return values, next
}

// items is a heap with the last one on top.
type items[T any] []item[T]

func (h items[T]) Len() int           { return len(h) }
func (h items[T]) Less(i, j int) bool { return slices.Compare(h[i].at, h[j].at) > 0 }
func (h items[T]) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are [heap.Interface]'s.
func (h *items[T]) Push(x any) { *h = append(*h, x.(item[T])) }
func (h *items[T]) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
