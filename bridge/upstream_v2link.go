package bridge

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

const (
	// farewellTime is how long at most an uplink that is closed waits for the
	// server to have taken what was sent.
	farewellTime = time.Second
	// helloTime is within which a server that closes has refused the hello: mles
	// 2.9.4 may do so at its next ping only.
	helloTime = 30 * time.Second
	// silentTime is how long a server that has pinged may say nothing at all.
	silentTime = 100 * time.Second
)

// v2uplink is a connection to a v2 server.
type v2uplink struct {
	t       *v2transport
	channel string
	wire    *uplinkWire
	ws      *websocket.Conn // for reading only
	gateway string          // identity of the server, if it is one; else ""
	closing sync.Once
	live    atomic.Bool // what comes is no replay any more

	// Fixed by arrive.
	uid     string
	key     uint64 // of the v1 headers of what comes
	max     int    // bytes a message may have
	arrived time.Time

	out uplinkWriter

	// Of the reader.
	pace    pace
	hold    hold
	rested  time.Time
	message bool // in the middle of one
	heard   bool // one has come
	skipped bool // one was left out
	taken   int  // messages
	batch   []bus.Event
	bytes   []byte // of the small messages in the batch
}

// upgraded makes the uplink ready for its hello. The error says why the channel
// cannot be joined there.
func (l *v2uplink) upgraded(ws *websocket.Conn, gateway string) error {
	if !l.wire.stop() {
		return net.ErrClosed
	}
	l.ws, l.gateway = ws, gateway
	switch {
	case gateway == l.t.g.identity:
		return &loopError{way: "the upstream's address, which is this gateway's own", certain: true}
	case gateway == "" && !asciiOnly(l.channel):
		return &unjoinable{"the channel's name is not ASCII: mles 2 takes no other"}
	}
	l.t.open.Add(1)
	l.wire.counted = true
	l.wire.upgraded = true
	l.pace.conn = l.wire
	l.hold.giveUp = func() { l.wire.Close() }
	l.out = uplinkWriter{conn: l.wire.Conn, turn: make(chan struct{}, 1)}
	ws.SetPingHandler(func(data string) error {
		l.wire.pinged = true
		l.whole()
		l.out.reply(v2.OpPong, []byte(data))
		return nil
	})
	ws.SetPongHandler(func(string) error { l.whole(); return nil })
	ws.SetCloseHandler(func(code int, _ string) error { l.wire.farewell = code; return nil })
	return nil
}

// arrive says hello.
func (l *v2uplink) arrive(a arrival) (err error) {
	var m mark
	defer func() {
		if err != nil {
			l.wire.Close()
		}
	}()
	l.arrived = time.Now()
	a.uid, m.fresh = l.t.g.upstreams.nameFor(a.uid)
	m.uid, m.own, m.mute = a.uid, true, l.gateway == ""
	l.uid = a.uid
	l.key = l.t.g.keys().headerKey(netip.AddrPort{}, a.uid, l.channel)
	l.max = v1.MaxMessage(a.uid, l.channel)
	hello := v2.Hello{UID: a.uid, Channel: l.channel}
	if key := l.t.key(l.channel); key != "" {
		hello.Auth, hello.HasAuth = v2.FormatAuth(v2.Auth(a.uid, l.channel, key)), true
	}
	m.sent = v2.AppendFrame(nil, v2.OpText, appendArrival(nil, a.uid, l.channel, l.t.g.identity))
	if l.gateway == "" && !asciiOnly(a.uid) {
		return &unjoinable{"the uid is not ASCII: mles 2 takes no other"}
	}
	text := hello.Append(nil)
	if l.gateway == "" {
		text = appendGatewayHello(nil, hello)
	}
	if _, err := v2.ParseHello(text); err != nil {
		return &unjoinable{err.Error()}
	}
	a.announce(m)
	return l.out.frame(v2.OpText, text)
}

// settled says that the server's replay has come to its end: a text that looks like
// a join notice was one before, and may be a message afterwards.
func (l *v2uplink) settled() { l.live.Store(true) }

// read returns what is there, after waiting for one message.
func (l *v2uplink) read() ([]bus.Event, error) {
	l.release()
	if !l.rested.IsZero() {
		l.pace.restart(l.rested)
		l.rested = time.Time{}
	}
	for len(l.batch) == 0 || l.taken < l.wire.frames.messages && len(l.bytes) < maxBatch {
		op, r, err := l.ws.NextReader()
		if err == nil {
			err = l.receive(byte(op), r)
		}
		if err != nil && len(l.batch) > 0 {
			return l.batch, nil // it will be the same next time
		}
		if err != nil {
			return nil, l.ended(err)
		}
		if l.hold.n > 0 {
			break // one that is large stays where it is
		}
	}
	return l.batch, nil
}

// release gives up what was read before.
func (l *v2uplink) release() {
	clear(l.batch)
	l.batch, l.bytes = l.batch[:0], l.bytes[:0]
	l.t.g.intake.set(&l.hold, 0)
}

func (l *v2uplink) rest() {
	l.release()
	l.bytes = nil
	l.rested = time.Now()
}

// receive reads one message into the batch, as far as memory allows. One that could
// not be passed on is left out: to close would not help, as the server would send
// it again.
func (l *v2uplink) receive(op byte, r io.Reader) error {
	l.message = true
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	message, err := readMessage(r, *piece, l.max, l.holds)
	if err != nil {
		return err
	}
	if len(message) > l.max {
		return l.skip(r, "message too big")
	}
	l.done()
	if op == v2.OpText && !utf8.Valid(message) {
		l.leftOut("text is not UTF-8")
		return nil
	}
	l.collect(op, message)
	return nil
}

// holds counts n bytes of a begun message, and waits where that is too much at
// the moment.
func (l *v2uplink) holds(n int) error { return l.t.g.intake.reserve(&l.hold, n, &l.pace) }

// skip reads the rest of a message.
func (l *v2uplink) skip(r io.Reader, why string) error {
	l.t.g.intake.set(&l.hold, 0)
	_, err := io.Copy(io.Discard, r)
	if err == nil {
		l.done()
		l.leftOut(why)
	}
	return err
}

// done notes that a message has come to its end.
func (l *v2uplink) done() {
	l.message = false
	l.taken++
	l.heard = true
	l.whole()
}

// whole notes that a frame has, unless it is a control frame within a message.
func (l *v2uplink) whole() {
	if !l.message {
		l.pace.done()
		l.wire.until = time.Time{}
	}
}

func (l *v2uplink) leftOut(why string) {
	l.t.g.counters.untranslatable.Add(1)
	if !l.skipped {
		l.skipped = true
		l.t.g.log.Warn("left out a message of an upstream, and will do so without a word from now on",
			"upstream", l.t.conf.URL, "channel", l.channel, "reason", why)
	}
}

// collect adds a message, or the arrival that it tells of, to the batch.
func (l *v2uplink) collect(op byte, message []byte) {
	if op == v2.OpText {
		if uid, ok := l.arrival(message); ok {
			key := l.t.g.keys().headerKey(netip.AddrPort{}, uid, l.channel)
			e := bus.Event{From: onV2, Join: true, UID: uid, Key: key}
			if l.gateway == "" && isGatewayHello(message) {
				e.Op = opGateway
			}
			l.batch = append(l.batch, e)
			l.t.g.intake.set(&l.hold, 0)
			return
		}
	}
	if len(message) <= pieceBytes {
		start := len(l.bytes)
		l.bytes = append(l.bytes, message...)
		message = l.bytes[start:len(l.bytes):len(l.bytes)]
	}
	l.batch = append(l.batch, bus.Event{From: onV2, Op: op, Key: l.key, UID: l.uid, Message: message})
}

// arrival reads a text that tells of an arrival. Another gateway's are marked.
// Other servers put the hellos of those who join into their histories, auth
// included, which goes no further; mles 2.0 to 2.4 pass them on as they come, too.
// What looks like one but could as well be a message is one in a replay only.
func (l *v2uplink) arrival(text []byte) (uid string, ok bool) {
	if l.gateway != "" {
		return parseArrival(text, l.gateway)
	}
	uid, channel, ok := v2.ParseNotice(text)
	if !ok || channel != l.channel {
		return "", false
	}
	h, err := v2.ParseHello(text)
	return uid, !l.live.Load() || err == nil && h.HasAuth
}

// ended closes the connection, once reading has ended, and says why.
func (l *v2uplink) ended(err error) error {
	err = l.t.g.intake.verdict(&l.hold, err)
	l.t.g.intake.set(&l.hold, 0)
	if l.wire.farewell != 0 {
		l.wire.Conn.SetWriteDeadline(time.Now().Add(farewellTime))
		l.out.frame(v2.OpClose, closePayload(l.wire.farewell))
	}
	l.wire.Close()
	var closed *websocket.CloseError
	refused := !l.heard && time.Since(l.arrived) < helloTime
	switch {
	case errors.As(err, &closed) && closed.Code == websocket.CloseAbnormalClosure, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("closed without a word")
	case errors.As(err, &closed) && closed.Code == v2.CloseNoStatus:
		err = errors.New("closed without a code")
		if refused {
			err = fmt.Errorf("%w; the key does not fit, or %s is on the channel already", err, l.uid)
		}
	case errors.As(err, &closed):
		err = fmt.Errorf("closed with %d %s", closed.Code, printable(closed.Text))
		refused = refused && (closed.Code == v2.ClosePolicy)
	case isTimeout(err) && l.message:
		return errors.New("a message not continued in time")
	case isTimeout(err):
		return errors.New("the server has fallen silent")
	default:
		return fmt.Errorf("reading: %w", err)
	}
	if refused {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// printable bounds what a server says for the log.
func printable(s string) string { return fmt.Sprintf("%.123q", s) }

// close takes leave: what was sent should reach the server before a reset does.
func (l *v2uplink) close(string) {
	l.closing.Do(func() {
		by := time.Now().Add(farewellTime)
		l.wire.leaving.Store(true)
		l.wire.Conn.SetDeadline(by)
		l.out.reply(v2.OpClose, closePayload(v2.CloseGoingAway))
		l.t.g.intake.abandon(&l.hold)
		time.AfterFunc(farewellTime, func() { l.wire.Close() })
	})
}
