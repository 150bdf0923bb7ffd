package bridge

import (
	mathbits "math/bits"
	"slices"
)

// maxWork bounds what aligning one replay may cost, in words of 64 bits that are
// worked on: a quarter of a second or so. What a hostile server has us compare
// beyond that counts as new.
const maxWork = 1 << 27

// A frontier follows a replay, message by message, through what was told and
// sent: it is the set of places (i, j) such that all messages so far are
// told[x:i] put into sent[y:j], in some way, for some x and y.
//
// The places in sent are bits of a row; there is a row for each place in told
// that is possible, and one, star, for all of them at once as long as no told
// message need have been met. So a step costs nothing where payloads differ,
// and maxTraces²/64 words where all are the same.
type frontier struct {
	ids    map[digest]int32
	toldID []int32
	sentID []int32
	at     [][]int32  // by id: where in told
	mask   [][]uint64 // by id: where in sent; nil: nowhere
	full   []uint64   // every place in sent
	forgot bool
	work   int

	star  []uint64 // nil: no told message is still to be met
	rows  [][]uint64
	alive []int // indexes of rows that are not nil
	next  [][]uint64
	born  []int
	spare [][]uint64
}

// newFrontier stands anywhere.
func newFrontier(k knowledge) *frontier {
	f := &frontier{ids: make(map[digest]int32), forgot: k.forgot}
	f.toldID, f.sentID = f.intern(k.told), f.intern(k.sent)
	f.at, f.mask = make([][]int32, len(f.ids)), make([][]uint64, len(f.ids))
	for i, id := range f.toldID {
		f.at[id] = append(f.at[id], int32(i))
	}
	words := len(f.sentID)/64 + 1
	for j, id := range f.sentID {
		if f.mask[id] == nil {
			f.mask[id] = make([]uint64, words)
		}
		f.mask[id][j/64] |= 1 << (j % 64)
	}
	f.full = make([]uint64, words)
	for j := range len(f.sentID) + 1 {
		f.full[j/64] |= 1 << (j % 64)
	}
	f.rows, f.next = make([][]uint64, len(f.toldID)+1), make([][]uint64, len(f.toldID)+1)
	f.anywhere()
	return f
}

// intern numbers the messages; the same payload has the same number.
func (f *frontier) intern(traces []trace) (ids []int32) {
	for _, t := range traces {
		if t.arrival {
			continue
		}
		id, ok := f.ids[t.digest]
		if !ok {
			id = int32(len(f.ids))
			f.ids[t.digest] = id
		}
		ids = append(ids, id)
	}
	return ids
}

// anywhere forgets the messages so far.
func (f *frontier) anywhere() {
	f.clear()
	f.star = slices.Clone(f.full)
}

// clear leaves no place.
func (f *frontier) clear() {
	for _, i := range f.alive {
		f.free(f.rows[i])
		f.rows[i] = nil
	}
	f.alive = f.alive[:0]
	f.star = nil
}

// step follows one message.
func (f *frontier) step(d digest) {
	id, ok := f.ids[d]
	if !ok || f.work > maxWork {
		f.clear()
		return
	}
	mask := f.mask[id]
	for _, i := range f.alive {
		row := f.rows[i]
		f.rows[i] = nil
		if i < len(f.toldID) && f.toldID[i] == id {
			f.add(i+1, row)
		}
		if mask != nil {
			f.addShifted(i, row, mask)
		}
		f.free(row)
		f.work += 2 * len(row)
	}
	f.stepStar(id, mask)
	if f.forgot && len(f.toldID) > 0 && f.toldID[0] == id {
		f.add(1, f.full)
	}
	f.rows, f.next = f.next, f.rows
	f.alive, f.born = f.born, f.alive[:0]
}

func (f *frontier) stepStar(id int32, mask []uint64) {
	if f.star == nil {
		return
	}
	for _, i := range f.at[id] {
		f.add(int(i)+1, f.star)
	}
	f.work += len(f.at[id]) * len(f.star)
	if mask == nil || !shift(f.star, f.star, mask) {
		f.star = nil
	}
}

// add adds places in sent to the row of a place in told.
func (f *frontier) add(i int, row []uint64) {
	to := f.row(i)
	for w := range row {
		to[w] |= row[w]
	}
}

// addShifted adds, for the places of row at which the message was sent, those
// behind it.
func (f *frontier) addShifted(i int, row, mask []uint64) {
	scratch := f.take()
	if shift(scratch, row, mask) {
		f.add(i, scratch)
	}
	f.free(scratch)
}

// shift sets to to the places behind those of row that are in mask, and says
// whether there are any. Both may be the same.
func shift(to, row, mask []uint64) (some bool) {
	var carry uint64
	for w := range row {
		v := row[w] & mask[w]
		to[w] = v<<1 | carry
		carry = v >> 63
		some = some || v != 0
	}
	return some
}

func (f *frontier) row(i int) []uint64 {
	if f.next[i] == nil {
		f.next[i] = f.take()
		f.born = append(f.born, i)
	}
	return f.next[i]
}

// take returns an empty row.
func (f *frontier) take() []uint64 {
	if n := len(f.spare); n > 0 {
		row := f.spare[n-1]
		f.spare = f.spare[:n-1]
		clear(row)
		return row
	}
	return make([]uint64, len(f.full))
}

func (f *frontier) free(row []uint64) { f.spare = append(f.spare, row) }

// explains says whether there is a place left.
func (f *frontier) explains() bool { return f.star != nil || len(f.alive) > 0 }

// begun says whether a told message has been met in some explanation.
func (f *frontier) begun() bool { return len(f.alive) > 0 }

// atEnd returns the places in sent where the explanation may stand when all that
// was told has come; nil: it has not.
func (f *frontier) atEnd() []uint64 {
	if len(f.toldID) == 0 {
		return nil
	}
	return f.rows[len(f.toldID)]
}

// What a run of messages in the middle of a replay must have to be taken for
// known: so many that were told and never sent, and so many different ones.
const (
	longRun      = 16
	variedEnough = 8
)

// longRun finds the last long run of known messages, wherever it stands, for
// replays that are not as they should be: the server has gone back to an earlier
// state of its history, or has been given it by somebody else, in whose order it
// is, or more was sent than is remembered. All before the run's end is known
// then. Where there is none, the end is 0.
func (f *frontier) longRun(replay []trace) (end int, from []uint64) {
	f.anywhere()
	end, from = 0, f.full
	evidence, varied := 0, make(map[digest]bool)
	for i, t := range replay {
		if t.arrival {
			continue
		}
		f.step(t.digest)
		if !f.explains() {
			if f.work > maxWork {
				return end, from
			}
			f.anywhere()
			evidence = 0
			clear(varied)
			continue
		}
		if id := f.ids[t.digest]; f.mask[id] == nil {
			evidence++
			varied[t.digest] = true
		}
		if evidence >= longRun && len(varied) >= variedEnough {
			end, from = i+1, f.standing()
		}
	}
	return end, from
}

// standing returns every place in sent that is possible.
func (f *frontier) standing() []uint64 {
	all := make([]uint64, len(f.full))
	for _, i := range f.alive {
		for w, bits := range f.rows[i] {
			all[w] |= bits
		}
	}
	return all
}

// A sequel follows what was sent among what is new, behind the last message that
// was told.
type sequel struct {
	f    *frontier
	ends []sequelEnd // by the place in sent that is awaited next
}

// A sequelEnd is how far one explanation has come.
type sequelEnd struct {
	known     int // messages it explains; -1: there is none
	end       int // where in the replay it begins: behind the last message told
	start, at int // where in sent it begins, and what it awaits next
}

func newSequel(f *frontier) *sequel {
	s := &sequel{f: f, ends: make([]sequelEnd, len(f.sentID)+1)}
	for j := range s.ends {
		s.ends[j] = sequelEnd{known: -1, at: j}
	}
	return s
}

// seed begins explanations at the given places in sent, behind that place in the
// replay, up to which that many messages are known. Of two that await the same,
// the one that explains more will explain more in the end.
func (s *sequel) seed(from []uint64, end, known int) {
	for w, bits := range from {
		for ; bits != 0; bits &= bits - 1 {
			j := w*64 + mathbits.TrailingZeros64(bits)
			if s.ends[j].known <= known {
				s.ends[j] = sequelEnd{known, end, j, j}
			}
		}
	}
}

// step follows one message: whoever awaits it goes on, since waiting for another
// like it would gain nothing.
func (s *sequel) step(d digest) {
	id, ok := s.f.ids[d]
	if !ok || s.f.mask[id] == nil || s.f.work > maxWork {
		return
	}
	mask := s.f.mask[id]
	s.f.work += len(mask)
	for w := len(mask) - 1; w >= 0; w-- {
		for bits := mask[w]; bits != 0; {
			top := 63 - mathbits.LeadingZeros64(bits)
			bits &^= 1 << top
			s.f.work++
			s.advance(w*64 + top)
		}
	}
}

func (s *sequel) advance(j int) {
	p := s.ends[j]
	if p.known < 0 {
		return
	}
	s.ends[j].known = -1
	p.known++
	p.at++
	if p.known >= s.ends[j+1].known {
		s.ends[j+1] = p
	}
}

// best returns what explains most; of several, what begins and ends latest.
func (s *sequel) best() sequelEnd {
	best := s.ends[0]
	for _, p := range s.ends {
		if p.known > best.known || p.known == best.known && p.end >= best.end {
			best = p
		}
	}
	return best
}
