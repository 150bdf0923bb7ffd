package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// Why a [Post] is not published.
var (
	ErrPostName    = errors.New("uid and channel are needed, in UTF-8, of 1,024 bytes at most")
	ErrPostTooBig  = errors.New("the message is too big")
	ErrPostNotUTF8 = errors.New("text that is not UTF-8")
	ErrPostClosing = errors.New("the gateway is shutting down")
)

// A Post is what is said by somebody who is no member.
type Post struct {
	Channel, UID string
	Message      []byte
	// Text: v2 members get a text frame, of UTF-8; else a binary one.
	Text bool
}

// postLinger is how long the channel is kept connected to the upstreams after a post, which may have to be connected for it.
const postLinger = 10 * time.Second

// Publish says something on a channel as a v2 member of that name would, who joins without a word and leaves again:
// members of each dialect get it, the history, the masked twin of a linked channel, and the upstreams, where that UID
// may be told to have arrived. The operator may do so on every channel, whatever Config.V2Channels says, and in the name of
// everybody: a uid is a name, not an identity.
//
// Where the channel's readers are behind, or memory is short, it returns when others could go on, too, or when ctx ends; the
// message has been published then. The error is one of the above if it has not.
func (g *Gateway) Publish(ctx context.Context, p Post) error {
	if err := p.check(); err != nil {
		return err
	}
	if g.isClosed() {
		return ErrPostClosing
	}
	key := g.keys().headerKey(netip.AddrPort{}, p.UID, p.Channel)
	op := byte(v2.OpBinary)
	if p.Text {
		op = v2.OpText
	}
	m, err := g.claim(bus.Join{Channel: p.Channel, Dialect: onV2, Sink: poster{}, Quiet: true}, claim{
		at:     new(seat),
		admits: func(*policy) *refusal { return nil },
		complete: func(_ *policy, j *bus.Join) {
			j.First = bus.Event{From: onV2, Join: true, UID: p.UID, Key: key}
		},
	})
	if err != nil {
		return err
	}
	m.Mute() // it says something, and hears nothing
	wait := m.Publish([]bus.Event{{From: onV2, Op: op, Key: key, UID: p.UID, Message: p.Message}})
	g.counters.v2.messages.Add(1)
	g.counters.v2.bytes.Add(int64(len(p.Message)))
	for ; wait != nil && ctx.Err() == nil; wait = m.Publish(nil) {
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
	if g.upstreams.any() {
		time.AfterFunc(postLinger, m.Leave)
	} else {
		m.Leave()
	}
	return nil
}

// check says what is wrong with a post.
func (p *Post) check() error {
	for _, name := range []string{p.UID, p.Channel} {
		if name == "" || len(name) > v1.MaxName || !utf8.ValidString(name) {
			return ErrPostName
		}
	}
	if most := v1.MaxMessage(p.UID, p.Channel); len(p.Message) > most {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrPostTooBig, len(p.Message), most)
	}
	if p.Text && !utf8.Valid(p.Message) {
		return ErrPostNotUTF8
	}
	return nil
}

// any says whether there are upstreams.
func (u *upstreams) any() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.list) > 0
}

// A poster is the sink of a member that hears nothing.
type poster struct{}

// Wake implements [bus.Sink].
func (poster) Wake(*bus.Member) {}

// Cut implements [bus.Sink].
func (poster) Cut(*bus.Member, bus.Reason) {}
