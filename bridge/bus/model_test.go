package bus

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// The model test runs random joins, messages, departures and stalls against a
// bus and, beside it, a model without any of its cleverness: every member has a
// queue of its own of the bytes it is still to get. One goroutine does it all,
// so that a failure shrinks to a story; concurrent_test.go has the goroutines.

// A modelMember is a member as it should be.
type modelMember struct {
	*Member
	ch      *modelChannel
	dialect Dialect
	id      string
	quiet   bool

	queue []byte // what it is to get and has not been given
	ends  []int  // where in queue frames end

	given  []byte // what Next gave out last, and must stay as it was …
	copied []byte // … which was this

	woken   bool // since it last began to call Next
	reading bool // the last Next said that there is more to come
	torn    bool // … and ended in the middle of a frame
	muted   bool
	cuts    []Reason
}

func (m *modelMember) Wake(*Member)               { m.woken = true }
func (m *modelMember) Cut(_ *Member, why Reason)  { m.cuts = append(m.cuts, why) }
func (m *modelMember) String() string             { return fmt.Sprintf("%s/%d/%q", m.ch.name, m.dialect, m.id) }
func (m *modelMember) expect(e *Event, play bool) { m.expectBytes(m.ch.codec, e, play) }

func (m *modelMember) expectBytes(c testCodec, e *Event, replay bool) {
	before := len(m.queue)
	m.queue = c.Append(m.queue, m.dialect, m.ch.name, e, replay)
	for rest, ok := m.queue[before:], true; len(rest) > 0; {
		if _, rest, ok = parseFrame(rest); !ok {
			panic("the test codec wrote half a frame")
		}
		m.ends = append(m.ends, len(m.queue)-len(rest))
	}
}

// A modelChannel is a channel as it should be.
type modelChannel struct {
	name    string
	codec   testCodec
	limit   int
	bytes   int64
	history []Event
	members []*modelMember
	waits   []<-chan struct{}
}

func (c *modelChannel) deliver(e *Event, by *modelMember) {
	for _, m := range c.members {
		if m != by && !m.muted {
			m.expect(e, false)
		}
	}
}

// store is the history's rule, told plainly.
func (c *modelChannel) store(e Event) {
	if c.limit == 0 {
		return
	}
	if e.emptyJoin() {
		c.history = slices.DeleteFunc(c.history, func(o Event) bool {
			return o.emptyJoin() && o.From == e.From && o.UID == e.UID
		})
	}
	c.history = append(c.history, e)
	for c.empties() > max(1, c.limit/2) {
		i := slices.IndexFunc(c.history, func(o Event) bool { return o.emptyJoin() })
		c.history = slices.Delete(c.history, i, i+1)
	}
	for len(c.history) > c.limit || c.size() > c.bytes && len(c.history) > 1 {
		c.history = slices.Delete(c.history, 0, 1)
	}
}

func (c *modelChannel) empties() (n int) {
	for i := range c.history {
		if c.history[i].emptyJoin() {
			n++
		}
	}
	return n
}

// size is what the history counts for, with the allocator's rounding.
func (c *modelChannel) size() (n int64) {
	for i := range c.history {
		e := &c.history[i]
		n += int64(unsafe.Sizeof(stored{})) + int64(rounded(len(e.Data))+len(e.UID))
		if _, inside := offset(e.Data, e.Message); !inside {
			n += int64(rounded(len(e.Message)))
		}
		if e.emptyJoin() {
			n += joinCost
		}
	}
	return n
}

// rounded is how much append allocates for n bytes.
func rounded(n int) int {
	if n < len(roundedSmall) {
		return roundedSmall[n]
	}
	return (n + 8191) / 8192 * 8192 // whole pages
}

var roundedSmall = func() (sizes [32769]int) {
	for n := 1; n < len(sizes); n++ {
		if sizes[n-1] >= n {
			sizes[n] = sizes[n-1]
			continue
		}
		sizes[n] = cap(append([]byte(nil), make([]byte, n)...))
	}
	return sizes
}()

func (c *modelChannel) replay(m *modelMember) {
	for i := range c.history {
		m.expect(&c.history[i], true)
	}
}

func (c *modelChannel) arrive(m *modelMember, first Event, resync []Event) {
	c.deliver(&first, m)
	earlier := c.history
	restore := len(resync) > 0 && c.empties() == len(earlier)
	var known []string
	if !restore {
		for i := range earlier {
			known = append(known, saying(&earlier[i]))
		}
	}
	for i := range resync {
		if at := slices.Index(known, saying(&resync[i])); at >= 0 {
			known = slices.Delete(known, at, at+1)
			continue
		}
		c.deliver(&resync[i], m)
	}
	if !restore {
		c.store(first)
		return
	}
	c.history = nil
	for _, e := range append(append([]Event{first}, resync...), earlier...) {
		c.store(e)
	}
}

// saying is what makes an event the same as another that a peer remembers.
func saying(e *Event) string {
	if e.Opaque {
		return fmt.Sprintf("opaque %q", e.Data)
	}
	return fmt.Sprintf("%q: %q", e.UID, e.Message)
}

// A model is the bus under test and what it should be like.
type model struct {
	bus      *Bus
	channels []*modelChannel
	members  []*modelMember // of all channels
	gone     []*modelMember // whose writer may still hold what it was given
	seq      uint64
	noise    []byte
}

var modelNoise = func() []byte {
	b := make([]byte, 1<<20)
	x := uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}()

func newModel(t *rapid.T) *model {
	limit := rapid.SampledFrom([]int{0, 1, 2, 3, 7, 200}).Draw(t, "limit")
	bytes := rapid.SampledFrom([]int64{32 << 20, 32 << 20, 1, 700, 50_000}).Draw(t, "historyBytes")
	m := &model{
		bus:   New(Config{Codec: testCodec{}, HistoryLimit: limit, HistoryBytes: bytes, MemoryLimit: 8 << 30}),
		noise: modelNoise,
	}
	for _, name := range []string{"garden", ""} {
		m.channels = append(m.channels, &modelChannel{name: name, limit: limit, bytes: bytes})
	}
	return m
}

// event draws one; small ones mostly, since large ones cost time.
func (m *model) event(t *rapid.T) Event {
	m.seq++
	e := Event{
		From: Dialect(rapid.IntRange(0, 2).Draw(t, "from")),
		Key:  m.seq,
		UID:  rapid.SampledFrom([]string{"alice", "bob", "", "a rather long name that somebody has"}).Draw(t, "uid"),
		Op:   byte(m.seq),
	}
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		e.Join = true
		return e
	case 1:
		e.Opaque = true
	case 2:
		e.Join = true
	}
	var size int
	switch k := rapid.IntRange(0, 511).Draw(t, "size class"); {
	case k == 1:
		size = rapid.IntRange(maxWrite-40, 3*maxWrite).Draw(t, "size") // a chunk of its own
	case k == 2:
		head := headLen + len(e.UID)
		size = rapid.SampledFrom([]int{maxWrite - head, 2*maxWrite - head}).Draw(t, "size")
	case k < 24:
		size = rapid.IntRange(2000, 40<<10).Draw(t, "size")
	case k < 96:
		size = 0
	default:
		size = rapid.IntRange(1, 100).Draw(t, "size")
	}
	from := int(m.seq*977) % (len(m.noise) - size)
	payload := m.noise[from : from+size]
	switch {
	case e.Opaque:
		e.Data = payload
	case rapid.IntRange(0, 2).Draw(t, "layout") == 0:
		e.Message = payload
	default:
		e.Data = payload
		e.Message = payload[len(payload)/3:]
	}
	return e
}

func (m *model) pick(t *rapid.T) *modelMember {
	if len(m.members) == 0 {
		t.Skip("nobody there")
	}
	return m.members[rapid.IntRange(0, len(m.members)-1).Draw(t, "member")]
}

func (m *model) join(t *rapid.T) {
	if len(m.members) > 12 {
		t.Skip("crowded")
	}
	ch := m.channels[rapid.IntRange(0, len(m.channels)-1).Draw(t, "channel")]
	mm := &modelMember{
		ch:      ch,
		dialect: Dialect(rapid.IntRange(0, 2).Draw(t, "dialect")),
		id:      rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(t, "id"),
	}
	j := Join{Channel: ch.name, Dialect: mm.dialect, ID: mm.id, Sink: mm, First: m.event(t)}
	j.First.Join, j.First.Opaque = true, false
	if rapid.IntRange(0, 3).Draw(t, "resync") == 0 {
		for range rapid.IntRange(1, 5).Draw(t, "frames") {
			j.Resync = append(j.Resync, m.event(t))
		}
	}
	j.Quiet = rapid.IntRange(0, 4).Draw(t, "quiet") == 0
	mm.quiet = j.Quiet
	shown := rapid.IntRange(0, 4).Draw(t, "shown history") == 0
	if shown {
		j.History = func(past []Event) { m.shown(t, ch, past) }
	}
	var err error
	mm.Member, err = m.bus.Join(j)

	at := slices.IndexFunc(ch.members, func(o *modelMember) bool {
		return mm.id != "" && o.id == mm.id && o.dialect == mm.dialect
	})
	if at >= 0 {
		holder := ch.members[at]
		var taken *TakenError
		if !errors.As(err, &taken) || taken.Holder != holder.Member {
			t.Fatalf("%v joined though %v is there: %v", mm, holder, err)
		}
		if rapid.Bool().Draw(t, "give up") {
			return
		}
		j.Replace = holder.Member
		mm.Member, err = m.bus.Join(j)
		if !slices.Equal(holder.cuts, []Reason{Replaced}) {
			t.Fatalf("%v was replaced and told %q", holder, holder.cuts)
		}
		m.forget(holder)
	}
	if err != nil {
		t.Fatalf("%v cannot join: %v", mm, err)
	}
	if !shown {
		ch.replay(mm)
	}
	if !j.Quiet {
		ch.arrive(mm, j.First, j.Resync)
	}
	ch.members = append(ch.members, mm)
	m.members = append(m.members, mm)
}

// shown compares a history that a joiner looks at instead of getting it.
func (m *model) shown(t *rapid.T, ch *modelChannel, past []Event) {
	if len(past) != len(ch.history) {
		t.Fatalf("%d events shown, want %d", len(past), len(ch.history))
	}
	for i := range past {
		got := ch.codec.Append(nil, past[i].From, ch.name, &past[i], true)
		if want := ch.codec.Append(nil, past[i].From, ch.name, &ch.history[i], true); !bytes.Equal(got, want) {
			t.Fatalf("event %d shown as %.60q, want %.60q", i, got, want)
		}
	}
}

func (m *model) publish(t *rapid.T) {
	mm := m.pick(t)
	var batch []Event
	for range rapid.IntRange(1, 6).Draw(t, "batch") {
		batch = append(batch, m.event(t))
	}
	wait := mm.Publish(batch)
	for i := range batch {
		mm.ch.deliver(&batch[i], mm)
		mm.ch.store(batch[i])
	}
	if wait != nil {
		mm.ch.waits = append(mm.ch.waits, wait)
		for _, o := range mm.ch.members {
			if o != mm && !o.muted && len(o.queue) == 0 && o.given == nil {
				t.Fatalf("%v must wait though %v has everything", mm, o)
			}
		}
	}
	// The slices are the caller's again.
	for i := range batch {
		batch[i] = Event{}
	}
}

// next calls Next once and compares; it says whether there may be more.
func (m *model) next(t *rapid.T, mm *modelMember) bool {
	m.unchanged(t, mm)
	if !mm.reading {
		mm.woken = false
	}
	data, whole, ok := mm.Next()
	mm.reading, mm.torn = ok, ok && !whole
	if !ok {
		if len(mm.queue) > 0 {
			t.Fatalf("%v got nothing, %d bytes missing", mm, len(mm.queue))
		}
		mm.given, mm.copied = nil, nil
		return false
	}
	if len(data) == 0 || len(data) > maxWrite {
		t.Fatalf("%v got %d bytes at once", mm, len(data))
	}
	if !bytes.HasPrefix(mm.queue, data) {
		t.Fatalf("%v got wrong bytes: %s\nand should have: %s", mm, frames(data), frames(mm.queue))
	}
	atEnd := slices.Contains(mm.ends, len(data))
	if whole && !atEnd || !whole && len(data) < maxWrite {
		t.Fatalf("%v: whole = %v after %d bytes, frames end at %v", mm, whole, len(data), mm.ends)
	}
	mm.queue = mm.queue[len(data):]
	ends := mm.ends[:0]
	for _, e := range mm.ends {
		if e > len(data) {
			ends = append(ends, e-len(data))
		}
	}
	mm.ends = ends
	mm.given, mm.copied = data, bytes.Clone(data)
	return true
}

func (m *model) unchanged(t *rapid.T, mm *modelMember) {
	if !bytes.Equal(mm.given, mm.copied) {
		t.Fatalf("%v: what Next gave out was overwritten before the following call", mm)
	}
}

func (m *model) drain(t *rapid.T, mm *modelMember) {
	for m.next(t, mm) {
	}
}

func (m *model) drainAll(t *rapid.T) {
	for _, mm := range m.members {
		m.drain(t, mm)
	}
	for _, ch := range m.channels {
		for _, w := range ch.waits {
			select {
			case <-w:
			default:
				t.Fatalf("%s: everybody has everything and a publisher still waits", ch.name)
			}
		}
		ch.waits = nil
	}
	m.settled(t)
}

// nearest checks what a channel says of its most advanced reader against asking
// all of them. They may differ by index bytes, which count as a whole when the
// cursor leaves a chunk, some of which may be gone.
func (m *model) nearest(t *rapid.T) {
	except := m.pick(t)
	want, index := int64(0), 20*runSize
	var known bool
	for _, o := range except.ch.members {
		if o == except || o.muted {
			continue
		}
		if lag := o.log.head - o.position(); !known || lag < want {
			want, known = lag, true
		}
		for c := o.log.first; c != nil; c = c.next {
			index = max(index, int64(len(c.runs))*runSize)
		}
	}
	got, ok := except.Member.ch.nearest(except.Member)
	if ok != known || got < want-index || got > want+index {
		t.Fatalf("nearest to %v: %d, %v; should be %d ± %d, %v", except, got, ok, want, index, known)
	}
}

// settled checks that when all have everything, only histories take memory.
func (m *model) settled(t *rapid.T) {
	var want int64
	m.bus.each(func(ch *channel) {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		for _, l := range ch.logs {
			if l != nil && (l.first != nil || l.tail != nil) {
				t.Fatalf("%s: a chunk is kept that nobody needs", ch.name)
			}
		}
		want += ch.cost() + ch.history.bytes
	})
	if got := m.bus.budget.Used(); got != want {
		t.Fatalf("budget counts %d bytes, channels and histories are %d", got, want)
	}
}

// forget takes mm out of the model: it has left.
func (m *model) forget(mm *modelMember) {
	is := func(o *modelMember) bool { return o == mm }
	mm.ch.members = slices.DeleteFunc(mm.ch.members, is)
	m.members = slices.DeleteFunc(m.members, is)
	m.gone = append(m.gone, mm)
}

func (m *model) leave(t *rapid.T) {
	mm := m.pick(t)
	mm.Leave()
	m.forget(mm)
	if rapid.Bool().Draw(t, "twice") {
		mm.Leave()
	}
	if w := mm.Publish([]Event{m.event(t)}); w != nil {
		t.Fatalf("%v has left and must wait", mm)
	}
	if rapid.Bool().Draw(t, "asks") {
		m.unchanged(t, mm)
		mm.finished(t)
	}
}

func (m *model) mute(t *rapid.T) {
	mm := m.pick(t)
	mm.Mute()
	mm.muted, mm.queue, mm.ends, mm.torn = true, nil, nil, false
}

func (m *model) forgetHistory(t *rapid.T) {
	c := m.channels[rapid.IntRange(0, len(m.channels)-1).Draw(t, "channel")]
	m.bus.each(func(ch *channel) {
		if ch.name == c.name {
			ch.mu.Lock()
			ch.history.clear()
			ch.mu.Unlock()
			m.bus.remove(ch, 0)
		}
	})
	c.history = nil
}

// check is what holds at any time.
func (m *model) check(t *rapid.T) {
	for _, mm := range m.members {
		m.unchanged(t, mm)
		if len(mm.queue) > 0 && !mm.woken && !mm.reading {
			t.Fatalf("%v has %d bytes to write and was not woken", mm, len(mm.queue))
		}
	}
	for _, mm := range m.gone {
		m.unchanged(t, mm)
	}
	for _, c := range m.channels {
		m.checkHistory(t, c)
	}
	audible := 0
	for _, mm := range m.members {
		if !mm.quiet {
			audible++
		}
	}
	if got := m.bus.Stats().Members; got != audible {
		t.Fatalf("%d members counted, %d are there", got, audible)
	}
}

func (m *model) checkHistory(t *rapid.T, c *modelChannel) {
	var ch *channel
	m.bus.each(func(o *channel) {
		if o.name == c.name {
			ch = o
		}
	})
	if ch == nil {
		if len(c.members)+len(c.history) > 0 {
			t.Fatalf("%q is gone with %d members, %d events", c.name, len(c.members), len(c.history))
		}
		return
	}
	if len(c.members)+len(c.history) == 0 {
		t.Fatalf("%q is kept for nothing", c.name)
	}
	var got, want []uint64
	for s := ch.history.all.first; s != nil; s = s.links[byAge].next {
		got = append(got, s.Key)
	}
	for i := range c.history {
		want = append(want, c.history[i].Key)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q remembers %v, should be %v", c.name, got, want)
	}
	if ch.history.bytes != c.size() || ch.history.empty.n != c.empties() || len(ch.history.joins) != c.empties() {
		t.Fatalf("%q: %d bytes, %d empty joins, %d names; should be %d, %d", c.name,
			ch.history.bytes, ch.history.empty.n, len(ch.history.joins), c.size(), c.empties())
	}
}

// end has everybody leave, and everything forgotten.
func (m *model) end(t *rapid.T) {
	for len(m.members) > 0 {
		mm := m.members[0]
		mm.Leave()
		m.forget(mm)
	}
	for _, c := range m.channels {
		for _, w := range c.waits {
			select {
			case <-w:
			default:
				t.Fatalf("%s: all have left and a publisher still waits", c.name)
			}
		}
	}
	m.check(t)
	m.settled(t)
	m.bus.each(func(ch *channel) { m.bus.remove(ch, math.MaxInt64) })
	if st := m.bus.Stats(); st != (Stats{}) {
		t.Fatalf("everything is gone, and there is %+v", st)
	}
	for _, mm := range m.gone {
		mm.finished(t)
	}
	m.bus.Close()
}

// finished checks that a member who has left gets the rest of what it has been
// given the beginning of, and nothing else.
func (m *modelMember) finished(t *rapid.T) {
	var rest []byte
	for data, whole, ok := m.Next(); ok; data, whole, ok = m.Next() {
		rest = append(rest, data...)
		m.torn = m.torn && !whole
		if len(data) > maxWrite {
			t.Fatalf("%v has left and gets %d bytes at once", m, len(data))
		}
	}
	if m.torn || len(rest) > 0 && (!bytes.HasPrefix(m.queue, rest) || !slices.Contains(m.ends, len(rest))) {
		t.Fatalf("%v has left and gets %d bytes, of %d, frames end at %v", m, len(rest), len(m.queue), m.ends)
	}
	m.queue, m.ends, m.given, m.copied = nil, nil, nil, nil
}

// frames tells bytes as frames.
func frames(b []byte) (s string) {
	for len(b) > 0 && len(s) < 2000 {
		f, rest, ok := parseFrame(b)
		s += fmt.Sprintf(" [key %d flags %d from %d %q +%d]", f.key, f.flags, f.from, f.uid, len(f.payload))
		if !ok {
			return s + "…"
		}
		b = rest
	}
	return s
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		defer m.bus.Close()
		some := func(t *rapid.T) { // a few calls of Next, then it stalls
			mm := m.pick(t)
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				m.next(t, mm)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"":               m.check,
			"join":           m.join,
			"join too":       m.join,
			"publish":        m.publish,
			"publish too":    m.publish,
			"publish again":  m.publish,
			"read some":      some,
			"read some more": some,
			"drain":          func(t *rapid.T) { m.drain(t, m.pick(t)) },
			"drain all":      m.drainAll,
			"leave":          m.leave,
			"mute":           m.mute,
			"nearest":        m.nearest,
			"forget":         m.forgetHistory,
		})
		m.end(t)
	})
}
