package main

import (
	"context"
	"crypto/tls"
	"time"

	"mles/v1"
	"mles/v2"
)

// dialectV1WS joins over a WebSocket and speaks v1: each message is a body of v1
// without the header before it. It knows no key.
type dialectV1WS struct {
	url          string
	uid, channel string
	tls          *tls.Config
}

func (d *dialectV1WS) name() string    { return "v1ws" }
func (d *dialectV1WS) maxMessage() int { return v1.MaxMessage(d.uid, d.channel) }

func (d *dialectV1WS) sent(message []byte) event {
	return event{uid: d.uid, channel: d.channel, data: message}
}

func (d *dialectV1WS) dial(ctx context.Context, first ...[]byte) (link, error) {
	l := &linkV1WS{dialect: d}
	dialer := v2.Dialer{TLS: d.tls, ReadLimit: readLimit, NetDial: l.connect}
	conn, err := dialer.DialWithoutHello(ctx, d.url)
	if err != nil {
		return nil, err
	}
	l.conn, l.joined = conn, time.Now()
	if len(first) == 0 {
		first = [][]byte{nil} // only joins
	}
	return l, sendAll(l, first)
}

// linkV1WS is one WebSocket, used for one channel.
type linkV1WS struct {
	dialect *dialectV1WS
	webSocket
}

func (l *linkV1WS) send(message []byte) error {
	m := v1.Msg{UID: l.dialect.uid, Channel: l.dialect.channel, Message: message}
	return l.conn.Send(v2.OpBinary, m.Append(nil))
}

// recv steps over frames that are no body: the v1 client's proxy passes on
// whatever its server sends.
func (l *linkV1WS) recv() (event, error) {
	for {
		op, data, err := l.conn.Recv()
		if err != nil {
			return event{}, err
		}
		l.heard.Store(true)
		if op != v2.OpBinary {
			continue
		}
		if m, err := v1.DecodeMsg(data); err == nil {
			return event{join: len(m.Message) == 0, uid: m.UID, channel: m.Channel, data: m.Message}, nil
		}
	}
}
