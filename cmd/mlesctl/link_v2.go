package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"mles/v2"
)

// readLimit is more than any server passes on: 2.9.4 bounds the fragments of a
// message, not their sum. Memory is taken as bytes arrive.
const readLimit = 64 << 20

// pingTime is how long 2.9.4 may take to refuse: until its first ping, after
// 24 s.
const pingTime = 30 * time.Second

// goodbye bounds how long close waits for the server's close frame.
const goodbye = time.Second

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
	conn    *v2.ClientConn
	raw     net.Conn // below conn and TLS; set by connect
	membership
}

func (l *linkV2) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	nc, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.raw = nc
	return unhurried{nc}, nil
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

// settles is 0: a server that refuses answers our close frame differently.
func (l *linkV2) settles() time.Duration { return 0 }

// leave sends the close frame, which a server answers when it has come to it,
// after all that was sent before.
func (l *linkV2) leave() error {
	l.left.Store(true)
	go l.conn.CloseWrite(v2.CloseNormal, "")
	return nil
}

func (l *linkV2) close() {
	closed := make(chan struct{})
	go func() {
		l.conn.Close(v2.CloseNormal, "")
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(goodbye):
	}
	l.raw.Close()
}

// ended sorts the ways servers end a WebSocket. The gateway answers a close
// frame with its code and says 1008 with a reason to whom it refuses. 2.9.4
// ends the connection without a frame once it has read ours, and refuses by a
// close frame without a code, at once or at its next ping.
func (l *linkV2) ended(err error) ending {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return ending{broken, err.Error()}
	}
	left := l.left.Load()
	switch code := closed.Code; {
	case code == v2.ClosePolicy:
		return ending{denied, "the server refuses: " + reason(closed)}
	case code == v2.CloseNoStatus && l.refusedWithin(pingTime):
		return ending{denied, "the server closed the connection without a reason: wrong key, or the uid is already on the channel"}
	case left && (code == v2.CloseNormal || code == v2.CloseNoStatus || code == websocket.CloseAbnormalClosure):
		return ending{allDone, "the server has taken it all"}
	case code == websocket.CloseAbnormalClosure || code == v2.CloseNoStatus:
		return ending{broken, "the server closed the connection"}
	}
	return ending{broken, "the server closed the connection: " + reason(closed)}
}

func reason(closed *websocket.CloseError) string {
	return fmt.Sprintf("%s (%d)", harmlessName(closed.Text), closed.Code)
}

// unhurried is a connection without deadlines. The close handshake of package
// v2 takes 2 s at most, but a server that slows its publishers down may come to
// our close frame later than that, and only its answer proves that it has read
// what was sent. The session bounds the wait instead, by closing.
type unhurried struct{ net.Conn }

func (unhurried) SetDeadline(time.Time) error      { return nil }
func (unhurried) SetReadDeadline(time.Time) error  { return nil }
func (unhurried) SetWriteDeadline(time.Time) error { return nil }
