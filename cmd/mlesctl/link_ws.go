package main

import (
	"context"
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

// webSocket is what links of both dialects over WebSocket have in common.
type webSocket struct {
	conn *v2.ClientConn
	raw  net.Conn // below conn and TLS; set by connect
	membership
}

func (l *webSocket) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	nc, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.raw = nc
	return unhurried{nc}, nil
}

// settles is 0: a server that refuses answers our close frame differently.
func (l *webSocket) settles() time.Duration { return 0 }

// leave sends the close frame, which a server answers when it has come to it,
// after all that was sent before.
func (l *webSocket) leave() error {
	l.left.Store(true)
	go l.conn.CloseWrite(v2.CloseNormal, "")
	return nil
}

func (l *webSocket) close() {
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
func (l *webSocket) ended(err error) ending {
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
