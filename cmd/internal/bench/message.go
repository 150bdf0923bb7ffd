package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// MinSize is the smallest message in bytes that has room for what is checked.
//
//	offset size
//	0      4    tag of the trial
//	4      4    number of the publisher; the two highest bits are flags
//	8      8    sequence number, from 0
//	16     8    when it was due, in ns of this process
//	24          filler
const MinSize = 24

const (
	flagLast   = 1 << 31 // nothing follows from this publisher
	flagProbe  = 1 << 30 // sent until everybody has one; carries no number
	maskNumber = flagProbe - 1
)

// sampled says which messages are compared byte for byte: one of 64.
func sampled(seq uint64) bool { return seq&63 == 0 }

// template makes a message of a publisher, but for its number and time.
func template(tag, publisher uint32, size int) []byte {
	m := make([]byte, size)
	binary.LittleEndian.PutUint32(m, tag)
	binary.LittleEndian.PutUint32(m[4:], publisher)
	copy(m[MinSize:], filler(size))
	return m
}

func filler(size int) []byte {
	f := make([]byte, size-MinSize)
	for i := range f {
		f[i] = 'a' + byte(i%26)
	}
	return f
}

// stamp writes number and time into a message that lies masked in a frame; mask
// is the same four bytes twice, or 0.
func stamp(m []byte, seq uint64, due int64, mask uint64) {
	binary.LittleEndian.PutUint64(m[8:], seq^mask)
	binary.LittleEndian.PutUint64(m[16:], uint64(due)^mask)
}

// setPublisher writes number and flags of a publisher.
func setPublisher(m []byte, publisher uint32, mask uint64) {
	binary.LittleEndian.PutUint32(m[4:], publisher^uint32(mask))
}

// An inbox checks what one connection receives: every message of each of its
// channel's publishers, once, in order. What does not bear the trial's tag (joins,
// notices, what somebody else says) is passed over.
type inbox struct {
	tag     uint32
	size    int
	filler  []byte
	channel string

	first   uint32   // number of the channel's first publisher
	next    []uint64 // by publisher: the number awaited
	open    int      // publishers whose last message has not come
	midway  bool     // the first message that comes may have any number
	got     uint64
	fault   error
	arrived func(publisher uint32, seq uint64) // takes each message in place of all the above

	// The publisher whose message came last: what its next one begins with, and its
	// number, which is in next only when another one's came. See quick.
	same uint64 // 0: none
	due  uint64
	cur  int

	ready   *atomic.Int64 // counted down with the first probe; then nil
	lateBy  *recorder     // takes how late messages are; nil: not asked
	now     int64         // of the read under way
	line    []byte        // NATS: what stood before the last message of the right size
	replies []byte        // what the dialect owes the server: pongs
}

// newInbox expects the messages of publishers first … first+publishers-1.
func (t *trial) newInbox(channel string, first, publishers int) *inbox {
	return &inbox{
		tag: t.tag, size: t.size, filler: t.filler, channel: channel,
		first: uint32(first), next: make([]uint64, publishers), open: publishers,
	}
}

// quick takes a message of the publisher whose message came last, if it is the one
// that is due, has no flags and is none that is looked at closely: nearly all are.
// It is small enough to be compiled into the scanners.
func (in *inbox) quick(m []byte) bool {
	if binary.LittleEndian.Uint64(m) != in.same || binary.LittleEndian.Uint64(m[8:]) != in.due || sampled(in.due) {
		return false
	}
	in.due++
	in.got++
	return true
}

// settle brings next up to date with what quick has taken.
func (in *inbox) settle() {
	if in.same != 0 {
		in.next[in.cur] = in.due
		in.same = 0
	}
}

// take looks at what may be a message, exactly size bytes. It returns whether the
// frame around it should be looked at closely, too.
func (in *inbox) take(m []byte) (sample bool) {
	if binary.LittleEndian.Uint32(m) != in.tag {
		return false
	}
	in.settle()
	publisher, seq := binary.LittleEndian.Uint32(m[4:]), binary.LittleEndian.Uint64(m[8:])
	if publisher&flagProbe != 0 {
		if in.ready != nil {
			in.ready.Add(-1)
			in.ready = nil
		}
		return true
	}
	if in.lateBy != nil {
		in.lateBy.add(in.now - int64(binary.LittleEndian.Uint64(m[16:])))
	}
	in.got++
	if in.arrived != nil {
		in.arrived(publisher&maskNumber, seq)
		return true
	}
	i := publisher&maskNumber - in.first
	if int(i) >= len(in.next) {
		in.fail("message %d of publisher %d, who is on another channel", seq, publisher&maskNumber)
		return false
	}
	if in.next[i] != seq {
		if !in.midway {
			in.fail("message %d of publisher %d where %d was due", seq, i, in.next[i])
			return false
		}
		in.midway = false
	}
	in.next[i] = seq + 1
	if in.lateBy == nil && publisher&flagLast == 0 {
		in.same, in.due, in.cur = binary.LittleEndian.Uint64(m), seq+1, int(i)
	}
	if publisher&flagLast != 0 {
		in.open--
	}
	if !sampled(seq) {
		return false
	}
	if !bytes.Equal(m[MinSize:], in.filler) {
		in.fail("message %d of publisher %d is not as it was sent", seq, i)
	}
	return true
}

// fail notes what is wrong; the first thing counts.
func (in *inbox) fail(format string, args ...any) {
	if in.fault == nil {
		in.fault = fmt.Errorf("content of channel %s: %w", in.channel, fmt.Errorf(format, args...))
	}
}

func (in *inbox) done() bool { return in.open == 0 }
