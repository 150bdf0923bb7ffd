package main

import (
	"os"

	"mles/v1"
	"mles/v2"
)

// memberFlags say who joins what, where, and how to be let in. Every
// subcommand that joins a channel has them.
type memberFlags struct {
	Address string `arg:"" help:"The server: v1://HOST[:PORT], v1s:// (over TLS), ws://HOST[:PORT][/PATH] or wss://; v1+ws:// and v1+wss:// are v1 over WebSocket."`
	Channel string `arg:"" help:"The channel to join."`

	UID           string `name:"uid" short:"u" placeholder:"NAME" env:"MLESCTL_UID" help:"Who to be on the channel (default: the login name and something random)."`
	KeyFile       string `placeholder:"FILE" help:"File whose first line is the key shared with the server. Or set MLES_KEY."`
	MappedAddress bool   `help:"v1 without key, over IPv4: hash the address as ::ffff:a.b.c.d, which mles 1.1.7 wants. MLES_ADDR_KEY is heeded too."`

	trust      `embed:""`
	retryFlags `embed:""`
}

// member is somebody on a channel, ready to join.
type member struct {
	dialect dialect
	uid     string
	channel string
	server  string // its address, for people
	retry   retryFlags
}

// member reads the flags. With text, messages go out as text frames where there
// is such a thing. Its errors are of the usage kind.
func (f *memberFlags) member(text bool) (*member, error) {
	a, err := parseAddress(f.Address)
	if err != nil {
		return nil, err
	}
	m := &member{uid: f.UID, channel: f.Channel, server: a.String(), retry: f.retryFlags}
	if m.uid == "" {
		m.uid = defaultUID()
	}
	if err := checkName("uid", m.uid, a.isV1()); err != nil {
		return nil, err
	}
	if err := checkName("channel", f.Channel, a.isV1()); err != nil {
		return nil, err
	}
	key, err := sharedKey(f.KeyFile)
	if err != nil {
		return nil, err
	}
	conf, err := f.trust.config(a)
	if err != nil {
		return nil, err
	}
	switch {
	case a.overTCP():
		m.dialect = &dialectV1{addr: a.hostPort(), uid: m.uid, channel: f.Channel, unique: f.UID == "", dialer: v1.Dialer{
			Key: key, AddrKey: os.Getenv("MLES_ADDR_KEY"), MappedAddr: f.MappedAddress, TLS: conf,
		}}
		return m, nil
	case a.isV1():
		m.dialect = &dialectV1WS{url: a.url(), uid: m.uid, channel: f.Channel, tls: conf}
		return m, nil
	}
	op := byte(v2.OpBinary)
	if text {
		op = v2.OpText
	}
	m.dialect = &dialectV2{url: a.url(), uid: m.uid, channel: f.Channel, key: key, tls: conf, op: op}
	return m, nil
}

// session makes a session that joins with the messages of first, if any. What it
// has to say goes to notice.
func (m *member) session(notice func(string), first ...[]byte) *session {
	s := newSession(m.dialect, m.server, m.retry, first...)
	s.notice = notice
	return s
}

// isOwnJoin tells whether an event says that this member joined, now or before.
func (m *member) isOwnJoin(e event) bool { return e.join && e.uid == m.uid }

// sendFlags say how messages are sent.
type sendFlags struct {
	Text bool `help:"v2: send text frames instead of binary ones. MlesTalk takes text for join notices, mles-client 2.x ignores it."`
}
