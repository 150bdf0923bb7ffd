package bridge

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/dchest/siphash"
)

// A digest stands for a frame: SipHash-2-4 of 128 bits under a key that this
// process has made up, so that nobody can make two frames that have the same.
type digest struct{ hi, lo uint64 }

// digestKey is the key, made when it is first wanted.
var digestKey = sync.OnceValues(func() (uint64, uint64) {
	var b [16]byte
	rand.Read(b[:]) // never fails, as of Go 1.24
	return binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
})

// digestOf returns the digest of a frame's bytes.
func digestOf(b []byte) digest {
	k0, k1 := digestKey()
	hi, lo := siphash.Hash128(k0, k1, b)
	return digest{hi, lo}
}

// A trace is what a ledger keeps of a frame.
type trace struct {
	digest
	arrival bool // it says nothing but that somebody is there
}

// maxTraces is how many frames a ledger remembers of those that the server has
// told, and as many of those it was sent: five times what servers remember unless
// told otherwise.
const maxTraces = 1024

// A ledger is what one link knows of a server's history of one channel, so that
// a history that is replayed can be told from what is new. How that is decided,
// and what cannot be, is told in mapping.md, "Replays of upstream servers".
//
// It is owned by one goroutine. A ledger takes up to 80 KiB once thousands of
// frames have passed, and nothing before.
type ledger struct {
	// told is what the server has said, in the order of its history, up to now.
	told    []trace
	forgot  bool // told has begun earlier
	longest int  // messages in the longest replay
	// sent is what was sent since the last replay.
	sent     []trace
	lacks    bool      // sent has begun earlier
	before   int       // how many of sent went over earlier connections
	offered  [][]trace // ResyncMsgs sent since the last replay that was aligned
	catching *catchUp  // while a replay that was cut short may go on
}

// connected notes that a connection begins: what is sent from now on is not
// replayed on it.
func (l *ledger) connected() {
	l.before = len(l.sent)
	l.catching = nil
}

// wrote notes a frame that was sent.
func (l *ledger) wrote(t trace) {
	l.sent = append(l.sent, t)
	if n := len(l.sent) - maxTraces; n > maxTraces/4 { // cut now and then, not each time
		l.sent = append(l.sent[:0], l.sent[n:]...)
		l.before = max(0, l.before-n)
		l.lacks = true
	}
}

// maxOffers is how many unanswered ResyncMsgs a ledger remembers; a server that
// keeps one keeps the first that comes.
const maxOffers = 3

// offers notes a ResyncMsg that was sent: the frames it contains.
func (l *ledger) offers(frames []trace) {
	if len(l.offered) < maxOffers {
		l.offered = append(l.offered, latest(frames))
	}
}

// heard notes a frame that came after the replay was aligned, and says whether
// it is new: it is not while a replay that was cut short goes on.
func (l *ledger) heard(t trace) (isNew bool) {
	if l.catching != nil && l.catching.goesOn(t) {
		if l.catching.frontier.atEnd() != nil {
			l.caughtUp()
		}
		return false
	}
	if l.catching != nil {
		if t.arrival {
			l.catching.note(t)
			return true
		}
		l.caughtUp()
	}
	l.tell(t)
	return true
}

// knows says whether a frame like that was told or sent before, which alone says
// nothing of whether this one is new.
func (l *ledger) knows(d digest) bool {
	like := func(t trace) bool { return t.digest == d }
	return slices.ContainsFunc(l.told, like) || slices.ContainsFunc(l.sent, like)
}

// caughtUp ends a replay that was cut short.
func (l *ledger) caughtUp() {
	l.learn(l.catching.seen)
	l.catching = nil
}

// tell adds to told.
func (l *ledger) tell(t trace) {
	l.told = append(l.told, t)
	if n := len(l.told) - maxTraces; n > maxTraces/4 {
		l.told = append(l.told[:0], l.told[n:]...)
		l.forgot = true
	}
}

// latest copies as many traces as are kept, from the end.
func latest(traces []trace) []trace {
	return append([]trace(nil), traces[max(0, len(traces)-maxTraces):]...)
}

// align tells what is new in a replay: all that the server has sent on this
// connection so far. complete says that the replay is known to have come to its
// end; otherwise it may go on, and so may the work of [ledger.heard].
func (l *ledger) align(replay []trace, complete bool) (isNew []bool) {
	known := l.bestOverlap(replay, complete)
	if complete && known.weak() && messagesIn(replay) < l.longest {
		// A server that remembers fewer messages than it has remembered before
		// has forgotten all, and what looks alike is new.
		known = overlap{messages: make([]bool, len(replay)), lost: true}
	}
	isNew = l.judge(replay, &known)
	if known.open != nil { // told stands until it is known how the replay goes on
		known.open.seen = latest(replay)
		l.catching = known.open
		return isNew
	}
	history := replay
	if complete && l.kept(replay) {
		history = l.offered[0]
	}
	if known.lost {
		l.longest = 0
	}
	l.learn(history)
	return isNew
}

// messagesIn counts what is no mere arrival: of these servers drop some, and others come while
// a replay is collected.
func messagesIn(traces []trace) (n int) {
	for _, t := range traces {
		if !t.arrival {
			n++
		}
	}
	return n
}

// learn takes what the server has for its history: what went before will not come
// again.
func (l *ledger) learn(history []trace) {
	l.told = latest(history)
	l.forgot = len(history) > maxTraces
	l.longest = max(l.longest, messagesIn(history))
	l.offered = nil
	l.sent = append(l.sent[:0], l.sent[l.before:]...)
	l.before, l.lacks = 0, false
}

// kept says whether the server has taken a ResyncMsg for its history: it had
// nothing but arrivals.
func (l *ledger) kept(replay []trace) bool {
	if len(l.offered) == 0 {
		return false
	}
	for _, t := range replay {
		if !t.arrival {
			return false
		}
	}
	return true
}

// bestOverlap explains as much as can be of a replay by what was told and sent,
// or by a ResyncMsg that the server has taken for its history.
func (l *ledger) bestOverlap(replay []trace, complete bool) overlap {
	sent := l.sent[:l.before]
	best := findOverlap(knowledge{l.told, sent, l.forgot, l.lacks}, replay, complete)
	for _, offer := range l.offered {
		if o := findOverlap(knowledge{told: offer, sent: sent, lacks: l.lacks}, replay, complete); o.known > best.known {
			best = o
		}
	}
	return best
}

// judge decides about the arrivals between the messages, and puts all together.
// Arrivals need less than messages: servers drop and move them in their
// histories, and some tell them in their histories only. So they are counted
// rather than aligned up to the last message that had been told; behind it they
// are held, in order, against those told since then.
func (l *ledger) judge(replay []trace, known *overlap) (isNew []bool) {
	isNew = make([]bool, len(replay))
	var a arrivals
	if !known.lost {
		a = l.arrivals()
	}
	for i, t := range replay {
		behind := i >= known.end
		switch {
		case t.arrival && behind:
			isNew[i] = !a.follows(t.digest)
		case t.arrival:
			isNew[i] = !a.earlier(t.digest)
		default:
			isNew[i] = !known.messages[i]
		}
		if isNew[i] && behind {
			a.tail = nil // what follows something new is new
		}
	}
	if known.open != nil {
		known.open.arrivals = a
	}
	return isNew
}

// arrivals are those known before a replay that have not been found in it.
type arrivals struct {
	told map[digest]int // up to the last message told
	sent map[digest]int
	tail []digest // told after that
}

func (l *ledger) arrivals() arrivals {
	a := arrivals{told: make(map[digest]int), sent: make(map[digest]int)}
	for _, t := range l.told {
		if t.arrival {
			a.tail = append(a.tail, t.digest)
			continue
		}
		for _, d := range a.tail {
			a.told[d]++
		}
		a.tail = a.tail[:0]
	}
	for _, t := range l.sent[:l.before] {
		if t.arrival {
			a.sent[t.digest]++
		}
	}
	return a
}

// earlier finds an arrival before the last message told.
func (a *arrivals) earlier(d digest) bool { return takeOne(a.told, d) || takeOne(a.sent, d) }

// follows finds one behind it.
func (a *arrivals) follows(d digest) bool {
	if at := slices.Index(a.tail, d); at >= 0 {
		a.tail = a.tail[at+1:]
		return true
	}
	return takeOne(a.sent, d)
}

func takeOne(count map[digest]int, d digest) bool {
	if count[d] == 0 {
		return false
	}
	count[d]--
	return true
}
