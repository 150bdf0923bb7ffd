package bridge

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"mles/bridge/bus"
	"mles/v1"
)

// upstreamKeepAlive finds out within two minutes that a silent server is gone.
var upstreamKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 6}

// v1transport reaches a v1 server.
type v1transport struct {
	g    *Gateway
	conf Upstream
	at   address
	tls  *tls.Config // nil: without

	// mapped says that the server wants an IPv4 address written as
	// ::ffff:a.b.c.d: mles 1.1.7 does, which listens on [::].
	mapped atomic.Bool
}

func newV1Transport(g *Gateway, conf Upstream, at address) *v1transport {
	t := &v1transport{g: g, conf: conf, at: at}
	if at.scheme == "v1s" {
		t.tls = tlsTo(conf.TLS, at.host)
	}
	return t
}

// tlsTo is conf for a server at hostport.
func tlsTo(conf *tls.Config, hostport string) *tls.Config {
	if conf == nil {
		conf = new(tls.Config)
	}
	if conf.ServerName == "" {
		conf = conf.Clone()
		conf.ServerName, _, _ = net.SplitHostPort(hostport)
	}
	return conf
}

func (t *v1transport) dialect() bus.Dialect       { return onV1 }
func (t *v1transport) borrows() bool              { return true }
func (t *v1transport) reminds() bool              { return true }
func (t *v1transport) digest(e *bus.Event) digest { return digestOf(e.Data) }

func (t *v1transport) inspect(p []byte) (size int, d digest, who string, arrives bool) {
	h, err := v1.ParseHeader(p)
	if err != nil || v1.HeaderLen+h.Len > len(p) {
		panic("bridge: the bus gave half a frame as a whole one")
	}
	size = v1.HeaderLen + h.Len
	var m v1.View
	if m.Decode(p[v1.HeaderLen:size]) == nil {
		who, arrives = string(m.UID), len(m.Message) == 0
	}
	return size, digestOf(p[:size]), who, arrives
}

// dial connects. The resolver and the addresses are asked anew each time.
func (t *v1transport) dial(ctx context.Context, channel string) (uplink, error) {
	nc, tcp, err := t.conf.connect(ctx, t.at.host, t.tls)
	if err != nil {
		return nil, err
	}
	l := &v1uplink{t: t, conn: nc, channel: channel}
	l.pace.conn = nc
	l.hold.giveUp = func() { nc.Close() }
	l.reader = v1.NewReader(nc)
	if tcp != nil && t.tls == nil {
		if source := lazy(tcp); source != nil {
			l.reader = v1.NewReader(struct {
				io.Reader
				v1.Lazy
			}{nc, source})
		}
	}
	l.reader.SetHooks(v1.Hooks{Hold: l.holds, Begun: l.begun, Done: l.pace.done})
	return l, nil
}

// connect dials by TCP and, with a TLS configuration, shakes hands. tcp is nil if
// the connection is none.
func (u *Upstream) connect(ctx context.Context, host string, conf *tls.Config) (nc net.Conn, tcp *net.TCPConn, err error) {
	dial := u.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAliveConfig: upstreamKeepAlive}).DialContext
	}
	if nc, err = dial(ctx, "tcp", host); err != nil {
		return nil, nil, err
	}
	if tcp, _ = nc.(*net.TCPConn); tcp != nil {
		boundUnsent(tcp)
	}
	if conf == nil {
		return nc, tcp, nil
	}
	tc := tls.Client(nc, conf)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, nil, err
	}
	return tc, tcp, nil
}

// v1uplink is a connection to a v1 server.
type v1uplink struct {
	t       *v1transport
	conn    net.Conn
	channel string
	closing sync.Once

	// Of arrive.
	spelled, respelled bool // the key is made with an address that has two forms; the form

	// Of the reader.
	reader *v1.Reader
	pace   pace
	hold   hold
	rested time.Time
	batch  []bus.Event
}

// arrive sends the first frame, or a ResyncMsg that begins with it.
func (l *v1uplink) arrive(a arrival) error {
	l.respelled = a.respelled
	var mk mark
	if a.first == nil {
		mk = l.probe(a.uid, a.channel)
	} else if f, err := l.keyed(a.first, a.channel); err == nil {
		mk.frame, mk.uid = f, uidOf(f)
	} else {
		return err
	}
	mk.sent = mk.frame
	a.announce(mk)
	_, err := l.conn.Write(withHistory(mk.frame, a.first, a.history))
	return err
}

// probe implements [prober]. No other frame is like the one it makes.
func (l *v1uplink) probe(uid, channel string) mark {
	var cid [4]byte
	rand.Read(cid[:])
	f := v1.AppendFrame(nil, binary.BigEndian.Uint32(cid[:]), l.key(uid, channel), v1.Msg{UID: uid, Channel: channel})
	return mark{frame: f, sent: f, uid: uid, own: true}
}

// keyed returns first with a key that the server knows: as it is, if it has one.
func (l *v1uplink) keyed(first []byte, channel string) ([]byte, error) {
	f, err := v1.ParseFrame(first)
	if err != nil {
		return nil, err
	}
	uid := uidOf(first)
	if l.t.knows(f.Key, uid, channel) {
		return first, nil
	}
	key := l.key(uid, channel)
	h := v1.Header{Len: f.Len, CID: v1.CID(key), Key: key}
	return append(h.Append(make([]byte, 0, len(first))), f.Body()...), nil
}

func uidOf(frame []byte) string {
	var m v1.View
	if m.Decode(frame[v1.HeaderLen:]) != nil {
		return ""
	}
	return string(m.UID)
}

// secrets are the shared keys that the server is taken to know, the first one to
// send with.
func (t *v1transport) secrets(channel string) []string {
	if t.conf.Key != "" {
		return []string{t.conf.Key}
	}
	return knownElsewhere(t.g.keys().v1, channel)
}

// knows says whether the server will know a key.
func (t *v1transport) knows(key uint64, uid, channel string) bool {
	for _, secret := range t.secrets(channel) {
		if key == v1.Key(secret, uid, channel) {
			return true
		}
	}
	return false
}

// key is that of a first frame: of the shared key or, without one, of the
// connection's own address.
func (l *v1uplink) key(uid, channel string) uint64 {
	if secrets := l.t.secrets(channel); len(secrets) > 0 {
		return v1.Key(secrets[0], uid, channel)
	}
	own, err := netip.ParseAddrPort(l.conn.LocalAddr().String())
	if err != nil {
		return v1.Key("", uid, channel)
	}
	forms := v1.AddrSpellings(own)
	l.spelled = len(forms) > 1
	form := forms[0]
	if l.t.mapped.Load() != l.respelled {
		form = forms[len(forms)-1]
	}
	return l.t.g.keys().addressKey(form, uid, channel)
}

// respellable implements [respeller].
func (l *v1uplink) respellable() bool { return l.spelled }

// accepted implements [respeller].
func (l *v1uplink) accepted() {
	if l.spelled && l.respelled {
		l.t.mapped.Store(!l.t.mapped.Load())
	}
}

// withHistory makes a ResyncMsg of first and the history, as much of the newest as
// one frame holds. own is first as it stands in the history, where it is not to be
// found again. Without a history it is the plain first frame.
func withHistory(first, own []byte, history [][]byte) []byte {
	const head, entry = 32, 24 // more than the CBOR around the list, and around a frame
	room := v1.MaxBody - head - entry - len(first)
	var frames [][]byte
	for i := len(history) - 1; i >= 0; i-- {
		f := history[i]
		if own != nil && bytes.Equal(f, own) {
			own = nil // the latest: stored joins are replaced by later ones
			continue
		}
		if room -= entry + len(f); room < 0 {
			break
		}
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return first
	}
	frames = append(frames, first)
	for i, j := 0, len(frames)-1; i < j; i, j = i+1, j-1 {
		frames[i], frames[j] = frames[j], frames[i]
	}
	body := v1.AppendResync(make([]byte, v1.HeaderLen), frames)
	h, _ := v1.ParseHeader(first)
	h.Len = len(body) - v1.HeaderLen
	h.Append(body[:0])
	return body
}

// read implements [uplink].
func (l *v1uplink) read() ([]bus.Event, error) {
	clear(l.batch)
	l.batch = l.batch[:0]
	if !l.rested.IsZero() {
		l.pace.restart(l.rested)
		l.rested = time.Time{}
	}
	frames, err := l.reader.Frames()
	if err != nil {
		in := l.t.g.intake
		err = in.verdict(&l.hold, err)
		in.set(&l.hold, 0)
		return nil, fmt.Errorf("reading: %w", err)
	}
	for _, f := range frames {
		e, _ := l.t.g.v1Event(f, l.channel)
		l.batch = append(l.batch, e)
	}
	return l.batch, nil
}

func (l *v1uplink) rest() {
	l.reader.Release()
	l.rested = time.Now()
}

// begun is told by the reader that more of a frame is awaited.
func (l *v1uplink) begun(have, _ int) error {
	l.pace.begun(have)
	return nil
}

// holds is told by the reader what it holds of a begun frame.
func (l *v1uplink) holds(n int) error { return l.t.g.intake.reserve(&l.hold, n, &l.pace) }

func (l *v1uplink) write(frames []byte) error {
	_, err := l.conn.Write(frames)
	return err
}

func (l *v1uplink) close(string) {
	l.closing.Do(func() {
		l.conn.Close()
		l.t.g.intake.abandon(&l.hold)
	})
}
