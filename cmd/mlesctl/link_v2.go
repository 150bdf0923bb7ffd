package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"time"

	"mles/v2"
)

// dialectV2 joins over a WebSocket.
type dialectV2 struct {
	url          string
	uid, channel string
	key          string // "": no auth in the hello
	tls          *tls.Config
	op           byte // what messages are sent as
}

func (d *dialectV2) name() string    { return "v2" }
func (d *dialectV2) maxMessage() int { return v2.MaxMessage }

func (d *dialectV2) sent(message []byte) event {
	return event{channel: d.channel, op: d.op, data: message}
}

func (d *dialectV2) dial(ctx context.Context, first ...[]byte) (link, error) {
	l := &linkV2{dialect: d}
	dialer := v2.Dialer{Key: d.key, TLS: d.tls, ReadLimit: readLimit, NetDial: l.connect}
	conn, err := dialer.Dial(ctx, d.url, d.uid, d.channel)
	if err != nil {
		return nil, err
	}
	l.conn, l.joined = conn, time.Now()
	return l, sendAll(l, first)
}

// linkV2 is one WebSocket.
type linkV2 struct {
	dialect *dialectV2
	webSocket
}

func (l *linkV2) send(message []byte) error { return l.conn.Send(l.dialect.op, message) }

func (l *linkV2) recv() (event, error) {
	op, data, err := l.conn.Recv()
	if err != nil {
		return event{}, err
	}
	l.heard.Store(true)
	if op == v2.OpText {
		if uid, ok := joinNotice(data, l.dialect.channel); ok {
			return event{join: true, uid: uid, channel: l.dialect.channel, op: op}, nil
		}
	}
	return event{channel: l.dialect.channel, op: op, data: data}, nil
}

// joinNotice tells whether a text frame says that uid joined the channel. That
// is a notice, or with 2.9.4 the hello of whoever joined: whatever carries an
// auth must never be shown. Names and further members make it what a program
// among the members sent to the others.
func joinNotice(text []byte, channel string) (uid string, ok bool) {
	uid, where, ok := v2.ParseNotice(text)
	if !ok {
		return "", false
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return "", false
	}
	if _, secret := members["auth"]; secret {
		return uid, true
	}
	return uid, where == channel && len(members) == 2
}
