package bridge

import (
	"errors"
	"fmt"
	"net"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// maxChannels is how many channels a v1 WebSocket may be on.
const maxChannels = 64

// Why a v1 WebSocket is closed, besides the reasons of package v2: labels, and what
// the close frame says.
const (
	reasonNotBinary   = "frame must be binary" // 1007
	reasonUndecodable = "body does not decode" // 1007
	reasonLongName    = "name too long"        // 1008
	reasonOff         = "v1 is off"            // 1008: v1 over WebSocket is served no longer
	reasonChannels    = "too many channels"    // 1008
)

// v1ws is a WebSocket whose first frame was a v1 body. It is a member of each
// channel that its frames have named.
type v1ws struct {
	*wsconn
	places map[string]*place // by the channel that frames name; the reader's own
	muted  muted
}

// A place is a v1 WebSocket's membership of one channel.
type place struct {
	conn *v1ws

	// Fixed once joined.
	member *bus.Member
	uid    string   // of the frame that joined
	mask   *v1.Mask // with --webproxy-mask=only: the member is on the masked channel

	// Of the reader: the v1 header's key for who spoke last.
	speaker string
	key     uint64
}

func newV1WS(c *wsconn) *v1ws { return &v1ws{wsconn: c, places: make(map[string]*place, 1)} }

func (c *v1ws) name() string     { return "v1ws" }
func (c *v1ws) counts() *traffic { return &c.g.counters.v1ws }
func (c *v1ws) pingSteps() int   { return 12 }

// hear publishes a body on the channel that it names, or joins that.
func (c *v1ws) hear(op byte, body []byte) error {
	if op != v2.OpBinary {
		return &wsFault{code: v2.CloseUTF8, reason: reasonNotBinary}
	}
	body = c.keep(body)
	var m v1.View
	if err := m.Decode(body); err != nil {
		return &wsFault{v2.CloseUTF8, reasonUndecodable, err}
	}
	p := c.places[string(m.Channel)]
	if p == nil {
		return c.join(body, m)
	}
	if len(m.UID) > c.maxName() {
		return &wsFault{v2.CloseUTF8, reasonUndecodable, fmt.Errorf("uid of %d bytes", len(m.UID))}
	}
	if c.g.policy.Load().v1ReadOnly {
		c.dropped(1)
		return nil
	}
	if p.mask != nil {
		var err error
		if body, m, err = c.disguised(p.mask, m); errors.Is(err, v1.ErrMaskShort) {
			return nil
		} else if err != nil {
			return err
		}
	}
	e := bus.Event{From: onV1WS, Data: body, Message: m.Message, Key: p.keyOf(m.UID)}
	if len(m.Message) == 0 {
		e.Join, e.UID = true, p.speaker
		c.g.upstreams.sees(p.member.Channel(), &e, way{name: c.whence()})
	}
	c.collect(p.member, e, len(body))
	return nil
}

// join takes the first frame that names a channel.
func (c *v1ws) join(body []byte, m v1.View) error {
	if len(m.UID) > c.maxName() || len(m.Channel) > c.maxName() {
		return &wsFault{code: v2.ClosePolicy, reason: reasonLongName}
	}
	if c.closing.Load() {
		return net.ErrClosed
	}
	if len(c.places) == maxChannels {
		return &wsFault{code: v2.ClosePolicy, reason: reasonChannels}
	}
	further := len(c.places) > 0
	if further && !c.g.places.take() {
		return &wsFault{code: v2.CloseOverLimits, reason: v2.ReasonOverLimit, err: errors.New("no memory for more channels")}
	}
	named := string(m.Channel)
	p := &place{conn: c, uid: string(m.UID)}
	if !c.joined {
		c.uid, c.channel = p.uid, named
	}
	if err := c.enter(p, body, m); err != nil {
		if further {
			c.g.places.giveBack(1)
		}
		return err
	}
	c.places[named] = p
	c.seated(p.member, p.uid)
	return nil
}

// enter makes p a member of the channel that m names, or of its masked twin.
func (c *v1ws) enter(p *place, body []byte, m v1.View) (err error) {
	named := string(m.Channel)
	if c.g.masks != nil {
		p.mask = c.g.masks.take(named)
		defer func() {
			if err != nil {
				c.g.masks.giveBack(p.mask)
			}
		}()
		// Without its message, where that is too short, the frame still joins.
		if body, m, err = c.disguised(p.mask, m); err != nil && !errors.Is(err, v1.ErrMaskShort) {
			return err
		}
	}
	uid, channel := string(m.UID), string(m.Channel)
	p.speaker = uid
	said := 0
	p.member, err = c.g.claim(bus.Join{Channel: channel, Dialect: onV1WS, Sink: p}, claim{
		at:     &c.seat,
		sock:   c.sock,
		admits: func(pol *policy) *refusal { return pol.admitsV1WS(named) },
		complete: func(pol *policy, j *bus.Join) {
			p.key = pol.keys.headerKey(c.sock.addr, uid, channel)
			j.First = bus.Event{From: onV1WS, Join: true, UID: uid, Key: p.key, Data: body, Message: m.Message}
			if said = 0; pol.v1ReadOnly && len(m.Message) > 0 {
				said = 1
				j.First.Data, j.First.Message = v1.Msg{UID: uid, Channel: channel}.Append(nil), nil
			}
		},
	})
	var r *refusal
	if errors.As(err, &r) {
		return &wsFault{code: v2.ClosePolicy, reason: r.reason}
	}
	if err == nil {
		c.dropped(said)
	}
	return err
}

// maxName is how long a name may be in bytes.
func (c *v1ws) maxName() int {
	if c.g.masks != nil {
		return v1.MaxMaskedName
	}
	return v1.MaxName
}

// disguised puts the mask on what the client says. The error is a *wsFault or, where
// the masked body is without its message then, v1.ErrMaskShort.
func (c *v1ws) disguised(mask *v1.Mask, m v1.View) ([]byte, v1.View, error) {
	masked, err := disguise(mask, v1.Msg{UID: string(m.UID), Channel: string(m.Channel), Message: m.Message})
	if errors.Is(err, v1.ErrTooLarge) {
		return nil, v1.View{}, &wsFault{code: v2.CloseTooBig, reason: v2.ReasonTooBig}
	}
	if err != nil {
		c.g.counters.unmaskable.Add(1)
		c.g.log.Debug("message not passed on: too short to be masked", c.label(), "client", c.sock.name(), "channel", mask.Plain(), "bytes", len(m.Message))
	}
	body := masked.Append(nil)
	return body, v1.View{UID: []byte(masked.UID), Channel: []byte(masked.Channel), Message: body[len(body)-len(masked.Message):]}, err
}

// keyOf is the key in the header of what uid says here: each frame may be another's.
func (p *place) keyOf(uid []byte) uint64 {
	if string(uid) != p.speaker {
		p.speaker = string(uid)
		p.key = p.conn.g.keys().headerKey(p.conn.sock.addr, p.speaker, p.member.Channel())
	}
	return p.key
}

func (p *place) visit(m *bus.Member) Visit {
	called := ""
	if p.mask != nil {
		called = p.mask.Plain()
	}
	return Visit{Dialect: p.conn.name(), Channel: m.Channel(), Called: called, UID: p.uid, Addr: p.conn.sock.addr}
}

func (p *place) whence() string { return p.conn.whence() }

// Wake implements [bus.Sink].
func (p *place) Wake(m *bus.Member) { p.conn.Wake(m) }

// Cut implements [bus.Sink]. Who cannot keep up with one channel loses them all:
// a connection that went on without one of them would look whole.
func (p *place) Cut(m *bus.Member, why bus.Reason) {
	c := p.conn
	c.g.counters.cut(why)
	c.g.log.Warn("subscription cut", c.label(), "client", c.sock.name(), "uid", p.uid, "channel", m.Channel(), "reason", string(why))
	c.part(v2.ClosePolicy, v2.ReasonTooSlow, &ending{reason: string(why)})
}

func (c *v1ws) left(l *life) {
	for _, p := range c.places {
		p.member.Leave()
		l.add(c.g.went(p.member, c.counts()))
		if p.mask != nil {
			c.g.masks.giveBack(p.mask)
		}
	}
	c.g.places.giveBack(len(c.places) - 1)
}
