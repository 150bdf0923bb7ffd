package main

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"mles/v1"
)

const (
	// refusalTime is how long after joining a close without a word is taken
	// for a refusal: the gateway first asks whoever holds the place.
	refusalTime = 5 * time.Second
	// settleKey and settleUID are how long to wait for one before leaving: a
	// wrong key is refused at once, a uid that is taken when its holder has
	// answered.
	settleKey = 300 * time.Millisecond
	settleUID = 3500 * time.Millisecond
)

// dialectV1 joins over TCP, or TLS over TCP.
type dialectV1 struct {
	addr         string // host:port
	uid, channel string
	unique       bool // uid was made up: nobody else has it
	dialer       v1.Dialer
}

func (d *dialectV1) name() string    { return "v1" }
func (d *dialectV1) maxMessage() int { return v1.MaxMessage(d.uid, d.channel) }

func (d *dialectV1) sent(message []byte) event {
	return event{uid: d.uid, channel: d.channel, data: message}
}

func (d *dialectV1) dial(ctx context.Context, first ...[]byte) (link, error) {
	began := time.Now()
	var join []byte
	if len(first) > 0 {
		join, first = first[0], first[1:]
	}
	conn, err := d.dialer.Dial(ctx, d.addr, d.uid, d.channel, join)
	if err != nil {
		return nil, err
	}
	l := &linkV1{dialect: d, conn: conn}
	l.joined = time.Now()
	l.far = 4 * l.joined.Sub(began)
	return l, sendAll(l, first)
}

// linkV1 is one connection of v1.
type linkV1 struct {
	dialect *dialectV1
	conn    *v1.ClientConn
	far     time.Duration // in which a far server has surely answered
	membership
}

func (l *linkV1) send(message []byte) error { return l.conn.Send(message) }

func (l *linkV1) recv() (event, error) {
	m, err := l.conn.Recv()
	if err != nil {
		return event{}, err
	}
	l.heard.Store(true)
	return event{join: len(m.Message) == 0, uid: m.UID, channel: m.Channel, data: m.Message}, nil
}

func (l *linkV1) settles() time.Duration {
	d := settleUID
	if l.dialect.unique {
		d = settleKey
	}
	d = max(d, min(l.far, 2*time.Second))
	if !l.refusedWithin(d) {
		return 0
	}
	return time.Until(l.joined.Add(d))
}

// leave ends sending. Servers answer it by closing when they have read to the
// end.
func (l *linkV1) leave() error {
	l.left.Store(true)
	return l.conn.CloseWrite()
}

func (l *linkV1) close() { l.conn.Close() }

// ended tells a refusal from other ends by the time it takes, for a v1 server
// has no words for it.
func (l *linkV1) ended(err error) ending {
	closed := errors.Is(err, io.EOF)
	cut := closed || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	switch {
	case closed && l.left.Load():
		return ending{allDone, "the server has taken it all"}
	case cut && !l.left.Load() && l.refusedWithin(refusalTime):
		return ending{denied, l.dialect.refusal()}
	case closed:
		return ending{broken, "the server closed it"}
	}
	return ending{broken, err.Error()}
}

// refusal says what a close without a word may mean.
func (d *dialectV1) refusal() string {
	text := "the server closed the connection without a word: wrong key, or the uid is already on the channel"
	if d.dialer.Key == "" && !d.dialer.MappedAddr {
		text += " (keyless mles 1.1.7 wants --mapped-address from IPv4; behind NAT only a key helps)"
	}
	return text
}
