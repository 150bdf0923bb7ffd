package bridge

import (
	"container/list"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"mles/bridge/bus"
	"mles/v1"
)

const (
	// maxFirst is the largest first frame, in bytes, that is kept to arrive with.
	// For one that carries more a frame is made that only joins.
	maxFirst = 2 << 10
	// guestCost is about what a guest takes in bytes besides that.
	guestCost = 256
	// maxResting bounds the channels without members whose alignment is kept.
	maxResting = 1024
)

// upstreams knows who is on which channel and keeps each channel that has
// somebody connected to each upstream, by a [peering] for each of them.
type upstreams struct {
	g      *Gateway
	uid    string // where an upstream has none of its own
	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup

	up, down flow
	loops    atomic.Int64

	seq atomic.Int64 // tells who came first of guests and feeds

	mu      sync.Mutex
	closed  bool
	list    []*upstream
	rooms   map[string]*room
	resting list.List    // rooms with neither members nor peerings that run, longest first
	marks   atomic.Int32 // how many marks there are to be compared with
	spoken  atomic.Int32 // how many that carry a message, and are young
}

// flow counts what goes one way.
type flow struct{ messages, bytes atomic.Int64 }

func (f *flow) add(messages, bytes int) {
	f.messages.Add(int64(messages))
	f.bytes.Add(int64(bytes))
}

// An upstream is one that is configured.
type upstream struct {
	Upstream
	uid       string
	transport transport
	held      map[string]bool
	slots     chan struct{} // one for each uplink that is being made
}

// maxDials is how many connections to one upstream are made at a time.
const maxDials = 16

// A room is what the upstreams know of a channel. All of it is guarded by
// upstreams.mu.
type room struct {
	name     string
	guests   list.List // of *guest, in the order of their arrival
	peerings []*peering
	echo     []echo
	rest     *list.Element // in upstreams.resting

	// Not guarded so.
	muted atomic.Bool // a peering has arrived at a server that does not tell of arrivals
	brake brake
}

// A guest is a member here that the upstreams have been told of. What it is does
// not change; the rest is guarded by upstreams.mu.
type guest struct {
	u     *upstreams
	room  *room
	first []byte // the v1 frame it arrives with, or one made for it
	seq   int64  // of upstreams.seq, just before it joined

	at    *list.Element // in room.guests; nil once it has left
	there bool          // has arrived
}

func newUpstreams(g *Gateway) *upstreams {
	var id [4]byte
	rand.Read(id[:])
	u := &upstreams{g: g, uid: "mlesd-" + hex.EncodeToString(id[:]), rooms: make(map[string]*room)}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	return u
}

// configure makes these the upstreams. One that was configured alike before is
// left as it is; what is no longer there is disconnected. Where one of them is
// faulty nothing is changed and the error says why.
func (u *upstreams) configure(confs []Upstream) error {
	made := make([]*upstream, 0, len(confs))
	for _, conf := range confs {
		up, err := u.prepare(conf)
		if err != nil {
			return err
		}
		for _, other := range made {
			if other.URL == up.URL {
				return fmt.Errorf("bridge: upstream %s is named twice", up.URL)
			}
		}
		made = append(made, up)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil
	}
	for i, up := range made {
		for _, old := range u.list {
			if old.same(up) {
				made[i] = old
			}
		}
	}
	for _, old := range u.list {
		if !slices.Contains(made, old) {
			u.remove(old)
		}
	}
	added := slices.DeleteFunc(slices.Clone(made), func(up *upstream) bool { return slices.Contains(u.list, up) })
	u.list = made
	for _, up := range added {
		u.add(up)
	}
	return nil
}

// prepare makes an upstream of its configuration.
func (u *upstreams) prepare(conf Upstream) (*upstream, error) {
	t, err := u.g.newTransport(conf)
	if err != nil {
		return nil, fmt.Errorf("bridge: upstream %w", err)
	}
	up := &upstream{
		Upstream: conf, uid: conf.UID, transport: t,
		held: make(map[string]bool), slots: make(chan struct{}, maxDials),
	}
	if up.uid == "" {
		up.uid = u.uid
	}
	for _, name := range conf.Hold {
		up.held[name] = true
	}
	return up, nil
}

func (up *upstream) same(other *upstream) bool {
	return up.Upstream.equal(other.Upstream)
}

// add connects what is there to a new upstream. The caller holds mu.
func (u *upstreams) add(up *upstream) {
	for name := range up.held {
		u.room(name)
	}
	for _, r := range u.rooms {
		if r.occupied() || up.held[r.name] {
			u.enter(r)
			u.start(r)
		}
	}
}

// remove disconnects everything from an upstream. The caller holds mu.
func (u *upstreams) remove(up *upstream) {
	for _, r := range u.rooms {
		r.peerings = slices.DeleteFunc(r.peerings, func(p *peering) bool {
			if p.up != up {
				return false
			}
			p.dismissed = true
			p.cancel()
			if !p.active {
				p.detach()
			}
			return true
		})
		u.tidy(r)
	}
}

// room returns the room of that name, made if need be. The caller holds mu.
func (u *upstreams) room(name string) *room {
	r := u.rooms[name]
	if r == nil {
		r = &room{name: name}
		u.rooms[name] = r
	}
	return r
}

func (r *room) occupied() bool { return r.guests.Len() > 0 }

// wanted says whether p is to be connected. The caller holds mu.
func (u *upstreams) wanted(p *peering) bool {
	return !p.dismissed && !u.closed && (p.room.occupied() || p.owed != nil || p.up.held[p.room.name])
}

// enter makes the peerings that a room lacks and lets all of them hear what is
// said from now on. The caller holds mu.
func (u *upstreams) enter(r *room) {
	if r.rest != nil {
		u.resting.Remove(r.rest)
		r.rest = nil
	}
	for _, up := range u.list {
		if !slices.ContainsFunc(r.peerings, func(p *peering) bool { return p.up == up }) {
			r.peerings = append(r.peerings, newPeering(u, up, r))
		}
	}
	for _, p := range r.peerings {
		if u.wanted(p) && !p.active && !p.lost {
			p.attach(nil)
		}
	}
}

// start lets the peerings of a room run that do not. The caller holds mu.
func (u *upstreams) start(r *room) {
	for i, p := range r.peerings {
		if !p.active && u.wanted(p) {
			p.active = true
			var before *peering
			if i > 0 {
				before = r.peerings[i-1]
			}
			u.ended.Go(func() { p.run(before) })
		}
	}
}

// tidy forgets a room that nothing happens in. The caller holds mu.
func (u *upstreams) tidy(r *room) {
	if r.occupied() || slices.ContainsFunc(r.peerings, func(p *peering) bool { return p.active || u.wanted(p) }) {
		return
	}
	if len(r.peerings) == 0 {
		if r.rest != nil {
			u.resting.Remove(r.rest)
		}
		delete(u.rooms, r.name)
		return
	}
	if r.rest == nil {
		r.rest = u.resting.PushBack(r)
	}
	for u.resting.Len() > maxResting {
		oldest := u.resting.Remove(u.resting.Front()).(*room)
		delete(u.rooms, oldest.name)
	}
}

// expect is told of somebody who is about to join: from now on the peerings of
// the channel hear what is said. The error is a *[refusal] where this is an arrival
// of the gateway's own that has come round.
func (u *upstreams) expect(j *bus.Join) (*guest, error) {
	if u.sees(j.Channel, &j.First, way{name: whence(j.Sink), first: true}) {
		return nil, &refusal{"loop", errors.New("the gateway has reached itself through its upstreams")}
	}
	gu := &guest{u: u, first: firstFrame(j)}
	u.g.bus.Budget().Add(gu.cost())
	u.mu.Lock()
	defer u.mu.Unlock()
	gu.room = u.room(j.Channel)
	first := !gu.room.occupied()
	gu.at = gu.room.guests.PushBack(gu)
	if first {
		u.enter(gu.room)
	}
	gu.seq = u.seq.Add(1)
	return gu, nil
}

// cost is what the guest takes of the memory budget.
func (gu *guest) cost() int64 { return guestCost + int64(len(gu.first)) }

// firstFrame is the v1 frame of an arrival.
func firstFrame(j *bus.Join) []byte {
	var c codec
	e := j.First
	if c.Size(onV1, j.Channel, &e, false) > maxFirst {
		e = bus.Event{From: onV2, Join: true, UID: e.UID, Key: headerKeyOf(&e)}
	}
	return c.Append(nil, onV1, j.Channel, &e, false)
}

// headerKeyOf is the key of the v1 header that an event has or is given.
func headerKeyOf(e *bus.Event) uint64 {
	if e.From == onV1 {
		if h, err := v1.ParseHeader(e.Data); err == nil {
			return h.Key
		}
	}
	return e.Key
}

// arrived is told that the guest has joined.
func (gu *guest) arrived() {
	gu.u.mu.Lock()
	defer gu.u.mu.Unlock()
	if gu.at == nil {
		return
	}
	gu.there = true
	gu.u.start(gu.room)
}

// left is told that it has left, or has not joined after all.
func (gu *guest) left() {
	u := gu.u
	u.mu.Lock()
	defer u.mu.Unlock()
	if gu.at == nil {
		return
	}
	gu.room.guests.Remove(gu.at)
	gu.at = nil
	u.g.bus.Budget().Add(-gu.cost())
	if gu.room.occupied() {
		return
	}
	for _, p := range gu.room.peerings {
		if gu.there && p.active && !p.begun {
			p.owed = gu
		}
		p.nudge()
		if !p.active && !u.wanted(p) {
			p.detach()
		}
	}
	u.tidy(gu.room)
}

// candidate returns the first who has arrived with a frame that has not been tried,
// or nil.
func (u *upstreams) candidate(p *peering, tried map[string]bool) *guest {
	u.mu.Lock()
	defer u.mu.Unlock()
	for e := p.room.guests.Front(); e != nil; e = e.Next() {
		if gu := e.Value.(*guest); gu.there && !tried[string(gu.first)] {
			return gu
		}
	}
	return nil
}

// retire ends a peering's run if it is not wanted any more.
func (u *upstreams) retire(p *peering) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wanted(p) {
		return false
	}
	p.active, p.begun = false, false
	p.detach()
	u.tidy(p.room)
	return true
}

// begin notes that a peering tries to connect. It returns who left before that,
// if nobody is there any more: what they said is to go up all the same, once.
func (u *upstreams) begin(p *peering) *guest {
	u.mu.Lock()
	defer u.mu.Unlock()
	owed := p.owed
	p.begun, p.owed = true, nil
	return owed
}

// nameFor is who a new uplink is at a v2 server, given who the gateway is to be
// there, and whether nobody has been that before. With several upstreams it has to
// be a name that no other uplink has or had: v2 passes on nothing else of an arrival
// by which one could tell which of them has come round, and when.
func (u *upstreams) nameFor(uid string) (name string, fresh bool) {
	u.mu.Lock()
	several := len(u.list) > 1
	u.mu.Unlock()
	if !several {
		return uid, uid == u.uid
	}
	var id [4]byte
	rand.Read(id[:])
	return uid + "-" + hex.EncodeToString(id[:]), true
}

// isWanted is wanted for who does not hold mu.
func (u *upstreams) isWanted(p *peering) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.wanted(p)
}

// close disconnects everything and waits for that.
func (u *upstreams) close() {
	u.mu.Lock()
	u.closed = true
	for _, r := range u.rooms {
		for _, p := range r.peerings {
			if !p.active {
				p.detach()
			}
		}
	}
	u.mu.Unlock()
	u.cancel()
	u.ended.Wait()
}

// whence names a connection for the log.
func whence(s bus.Sink) string {
	if c, ok := s.(interface{ whence() string }); ok {
		return c.whence()
	}
	return "a member"
}
