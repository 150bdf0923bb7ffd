package bench

import (
	"strings"
	"sync/atomic"
	"testing"
)

// ears is an inbox on a channel of the publishers 4 and 5.
func ears(size int) *inbox {
	return &inbox{tag: 77, size: size, filler: filler(size), channel: "hall", first: 4, next: make([]uint64, 2), open: 2}
}

func said(publisher uint32, seq uint64) []byte {
	m := template(77, publisher, 100)
	stamp(m, seq, 0, 0)
	return m
}

func TestInboxTakesEachOnceInOrder(t *testing.T) {
	in := ears(100)
	for seq := range uint64(200) {
		in.take(said(4, seq))
		in.take(said(5, seq))
	}
	in.take(said(4|flagLast, 200))
	if in.fault != nil || in.done() || in.got != 401 {
		t.Fatalf("fault %v, done %v, got %d; want none, false, 401", in.fault, in.done(), in.got)
	}
	in.take(said(5|flagLast, 200))
	if in.fault != nil || !in.done() {
		t.Errorf("fault %v, done %v at the end", in.fault, in.done())
	}
}

func TestInboxFindsFaults(t *testing.T) {
	altered := said(4, 0)
	altered[99] ^= 1
	for name, c := range map[string]struct {
		messages [][]byte
		want     string
	}{
		"gap":             {[][]byte{said(4, 0), said(4, 2)}, "message 2 of publisher 0 where 1 was due"},
		"double":          {[][]byte{said(4, 0), said(4, 0)}, "message 0 of publisher 0 where 1 was due"},
		"late beginning":  {[][]byte{said(5, 1)}, "message 1 of publisher 1 where 0 was due"},
		"altered":         {[][]byte{altered}, "not as it was sent"},
		"another channel": {[][]byte{said(6, 0)}, "on another channel"},
	} {
		in := ears(100)
		for _, m := range c.messages {
			in.take(m)
		}
		if in.fault == nil || !strings.Contains(in.fault.Error(), c.want) {
			t.Errorf("%s: fault is %v, want one with %q", name, in.fault, c.want)
		}
	}
}

func TestInboxPassesOver(t *testing.T) {
	in := ears(100)
	var absent atomic.Int64
	absent.Store(1)
	in.ready = &absent
	in.take(template(78, 4, 100)) // of another trial
	in.take(said(4|flagProbe, 0))
	in.take(said(4|flagProbe, 0))
	if in.got != 0 || in.fault != nil || absent.Load() != 0 {
		t.Errorf("got %d, fault %v, absent %d; want nothing, and present once", in.got, in.fault, absent.Load())
	}
	in.midway = true
	in.take(said(4, 50))
	in.take(said(4, 51))
	if in.fault != nil || in.got != 2 {
		t.Errorf("a history that begins midway: got %d, fault %v", in.got, in.fault)
	}
}
