package bench

import (
	"encoding/binary"
	"errors"
	"fmt"

	"mles/v1"
)

// wire is how one dialect looks to the generator.
type wire interface {
	// join writes what joins, and waits where the server must answer first.
	// What of more bytes came with the answer is returned.
	join(l *link) (rest []byte, err error)
	// frame appends m as l publishes it. Where in dst m begins is returned, too;
	// there it lies XORed with l.mask.
	frame(dst []byte, l *link, m []byte) (frames []byte, at int)
	// scan hands whole frames' messages to in and returns how many bytes of buf
	// they are.
	scan(buf []byte, in *inbox) (used int, err error)
	// weight is the size in bytes of what one message of uid is to a subscriber.
	weight(uid, channel string, size int) int
}

var errNoFrame = errors.New("what came is no frame")

// v1Wire is v1 over TCP.
type v1Wire struct{}

func (v1Wire) join(l *link) ([]byte, error) {
	key, err := l.v1Key()
	if err != nil {
		return nil, err
	}
	l.key = key
	_, err = l.conn.Write(v1.AppendFrame(nil, v1.CID(key), key, v1.Msg{UID: l.uid, Channel: l.channel}))
	return nil, err
}

func (v1Wire) frame(dst []byte, l *link, m []byte) ([]byte, int) {
	dst = v1.AppendFrame(dst, v1.CID(l.key), l.key, v1.Msg{UID: l.uid, Channel: l.channel, Message: m})
	return dst, len(dst) - len(m)
}

func (v1Wire) scan(buf []byte, in *inbox) (int, error) {
	off := 0
	for len(buf)-off >= v1.HeaderLen {
		head := binary.BigEndian.Uint32(buf[off:])
		if head>>24 != 'M' {
			return off, errNoFrame
		}
		end := off + v1.HeaderLen + int(head&v1.MaxBody)
		if end > len(buf) {
			break
		}
		if m := end - in.size; m < off+v1.HeaderLen || !in.quick(buf[m:end]) {
			in.takeBody(buf[off+v1.HeaderLen : end])
		}
		off = end
	}
	return off, nil
}

func (v1Wire) weight(uid, channel string, size int) int {
	return v1.HeaderLen + bodySize(uid, channel, size)
}

func bodySize(uid, channel string, size int) int {
	return v1.Msg{UID: uid, Channel: channel, Message: make([]byte, size)}.Size()
}

// takeBody takes a v1 body, whose message is the last thing in it.
func (in *inbox) takeBody(body []byte) {
	if len(body) < in.size || !in.take(body[len(body)-in.size:]) {
		return
	}
	var v v1.View
	if err := v.Decode(body); err != nil {
		in.fail("a body that does not decode: %w", err)
	} else if string(v.Channel) != in.channel || len(v.Message) != in.size {
		in.fail("a body of channel %q with a message of %d bytes", v.Channel, len(v.Message))
	}
}

// v1Key is what authenticates l, by shared key or by address.
func (l *link) v1Key() (uint64, error) {
	t := &l.target
	if t.Key != "" {
		return v1.Key(t.Key, l.uid, l.channel), nil
	}
	local, ok := l.localAddr()
	if !ok {
		return 0, fmt.Errorf("no address key without a TCP address: %v", l.conn.LocalAddr())
	}
	spellings := v1.AddrSpellings(local)
	addr := spellings[0]
	if t.MappedAddr {
		addr = spellings[len(spellings)-1]
	}
	if t.AddrKey != "" {
		return v1.Key(addr, t.AddrKey, l.uid, l.channel), nil
	}
	return v1.Key(addr, l.uid, l.channel), nil
}
