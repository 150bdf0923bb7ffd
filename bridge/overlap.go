package bridge

// An overlap explains a replay: which of its messages were known before. It is
// about messages only; see [ledger.judge] for the arrivals between them.
type overlap struct {
	messages []bool   // by place in the replay: a message that was known
	end      int      // behind the last message that the server had told
	known    int      // messages that were known
	lost     bool     // the server has forgotten its history
	open     *catchUp // all was known, and the replay may go on so
}

// weakOverlap is how many messages may look alike by chance.
const weakOverlap = 8

func (o *overlap) weak() bool { return o.known < weakOverlap }

// knowledge is what a replay is explained by.
type knowledge struct {
	told, sent []trace
	forgot     bool // told has begun earlier
	lacks      bool // so has sent
}

// A catchUp is what a replay that stopped in the middle of what is known may go
// on with.
type catchUp struct {
	frontier *frontier
	seen     []trace // the replay so far
	arrivals arrivals
}

// goesOn says whether t is the next of what is known.
func (c *catchUp) goesOn(t trace) bool {
	if t.arrival {
		if !c.arrivals.earlier(t.digest) {
			return false
		}
	} else if c.frontier.step(t.digest); !c.frontier.explains() {
		return false
	}
	c.note(t)
	return true
}

func (c *catchUp) note(t trace) {
	if c.seen = append(c.seen, t); len(c.seen) > 4*maxTraces {
		c.seen = latest(c.seen)
	}
}

// findOverlap finds the longest overlap. The replay begins with the end of told
// and a part of sent, one put into the other, explained as a whole; behind it
// there is nothing told any more, but the part of sent may go on among what is
// new.
//
// Where told has begun earlier, the replay may have something before that; all of
// it is known then. Unless the replay is complete, it may also stop before the end
// of told.
func findOverlap(k knowledge, replay []trace, complete bool) overlap {
	f := newFrontier(k)
	s := newSequel(f)
	s.seed(f.full, 0, 0)
	n, all := 0, true // messages so far; all of them are explained
	for i, t := range replay {
		if t.arrival {
			continue
		}
		n++
		s.step(t.digest)
		if all || k.forgot {
			f.step(t.digest)
			all = all && f.explains()
			s.seed(f.atEnd(), i+1, n)
		}
	}
	best := s.best()
	o := overlap{messages: make([]bool, len(replay))}
	if all && f.begun() && !complete && best.known < n {
		o.end = len(replay)
		o.know(replay)
		o.open = &catchUp{frontier: f}
		return o
	}
	if best.end == 0 || best.known < weakOverlap {
		if end, from := f.longRun(replay); end > 0 {
			return f.odd(k, end, from, replay)
		}
	}
	o.end = best.end
	o.know(replay[:best.end])
	o.mark(f, best, replay)
	return o
}

// odd is the overlap where a long run of known messages was found.
func (f *frontier) odd(k knowledge, end int, from []uint64, replay []trace) overlap {
	o := overlap{messages: make([]bool, len(replay)), end: end}
	o.know(replay[:end])
	for i, t := range replay[:end] {
		if _, heard := f.ids[t.digest]; o.messages[i] && !heard && !k.forgot && !k.lacks {
			o.messages[i] = false
			o.known--
		}
	}
	s := newSequel(f)
	s.seed(from, end, 0)
	for _, t := range replay[end:] {
		if !t.arrival {
			s.step(t.digest)
		}
	}
	o.mark(f, s.best(), replay)
	return o
}

// mark notes as known what a sequel has found, each message at the first place
// where it may stand.
func (o *overlap) mark(f *frontier, p sequelEnd, replay []trace) {
	j := p.start
	for i := p.end; i < len(replay) && j < p.at; i++ {
		id, heard := f.ids[replay[i].digest]
		if heard && !replay[i].arrival && id == f.sentID[j] {
			o.messages[i] = true
			o.known++
			j++
		}
	}
}

// know notes the messages at the beginning of the replay as known.
func (o *overlap) know(beginning []trace) {
	for i, t := range beginning {
		if !t.arrival {
			o.messages[i] = true
			o.known++
		}
	}
}
