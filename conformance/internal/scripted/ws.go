package scripted

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"
)

// The first byte of a WebSocket frame: fin and an opcode.
const (
	fin            = 0x80
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// wsFrame is a frame of a server: its payload is not masked.
func wsFrame(first byte, payload []byte) []byte {
	n := len(payload)
	b := []byte{first}
	switch {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = append(b, 126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

func unmask(mask [4]byte, b []byte) {
	for i := range b {
		b[i] ^= mask[i%4]
	}
}

func joined(op byte, fragments [][]byte) (byte, [][]byte) {
	return op, [][]byte{bytes.Join(fragments, nil)}
}

func pong(op byte, payload []byte) []byte {
	if op == opPing {
		return payload
	}
	return nil
}

// A wsReader reads the frames of one client.
type wsReader struct {
	s *Server
	c *Conn
	// limit bounds a message, and tooBig is what one byte more is.
	limit  int
	tooBig Remark
	// control takes a ping, a pong or a close frame.
	control func(op byte, inside bool, payload []byte) error

	op     byte // of the message that has begun; 0: none has
	parts  [][]byte
	size   int
	begun  bool // a frame or message has begun, and has to go on
	partly bool // something of a frame has been read
	joined bool // the hello is behind it
}

// A message is text or binary, after its fragments have been joined.
type message struct {
	op   byte
	data []byte
}

// next reads a message, and what comes between. More than one is a fault's doing.
func (w *wsReader) next() ([]message, error) {
	for {
		if !w.begun && w.op == 0 {
			if _, err := w.c.r.Peek(1); err != nil {
				return nil, err
			}
		}
		first, payload, err := w.frame()
		if err != nil {
			return nil, err
		}
		op := first & 0x0f
		if op >= opClose {
			if err := w.control(op, w.op != 0, payload); err != nil {
				return nil, err
			}
			continue
		}
		if op != opContinuation {
			w.op = op
		}
		last := first&fin != 0
		w.parts = w.s.Rules.Fragment(w.c, last, append(w.parts, payload))
		if !last && w.s.Rules.AtOnce && w.joined {
			w.parts = nil
			return []message{{w.op, payload}}, nil
		}
		if !last {
			continue
		}
		if w.joined && w.op == opText && !w.s.Rules.TextFits(w.parts) {
			if v := w.s.Rules.Verdicts["text not UTF-8"]; v != Ignore {
				return nil, &errVerdict{verdict: v, remark: "text not UTF-8"}
			}
		}
		var done []message
		op, whole := w.s.Rules.Message(w.op, w.parts)
		for _, data := range whole {
			done = append(done, message{op, data})
		}
		w.op, w.parts, w.size = 0, nil, 0
		return done, nil
	}
}

// frame reads one frame, with what forbids it.
func (w *wsReader) frame() (first byte, payload []byte, err error) {
	w.partly = false
	head, err := w.read(2)
	if err != nil {
		return 0, nil, err
	}
	if w.s.Rules.Hears(head[0] & 0x0f) {
		w.c.hear()
	}
	w.partly = true
	if w.s.Rules.HoldsUp && w.joined {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
	}
	first, masked, n := head[0], head[1]&0x80 != 0, uint64(head[1]&0x7f)
	switch n {
	case 126:
		if head, err = w.read(2); err == nil {
			n = uint64(binary.BigEndian.Uint16(head))
		}
	case 127:
		if head, err = w.read(8); err == nil {
			n = binary.BigEndian.Uint64(head)
		}
	}
	if err != nil {
		return 0, nil, err
	}
	n = w.s.Rules.Length(n)
	w.s.Rules.Head(first, n)
	if v, about := w.s.Rules.judge(w.look(first, masked, n)...); v != Ignore {
		return 0, nil, &errVerdict{verdict: v, remark: about}
	}
	var mask [4]byte
	if masked {
		if head, err = w.read(4); err != nil {
			return 0, nil, err
		}
		mask = [4]byte(head)
	}
	if payload, err = w.read(int(n)); err != nil {
		return 0, nil, err
	}
	if masked {
		w.s.Rules.Unmask(mask, payload)
	}
	if first&0x0f < opClose {
		w.size = w.s.Rules.Size(w.size, len(payload))
	}
	if err := w.s.Rules.FrameRead(w.c); err != nil {
		return 0, nil, err
	}
	return first, payload, nil
}

// look remarks what is wrong with a frame's head.
func (w *wsReader) look(first byte, masked bool, n uint64) (remarks []Remark) {
	op := first & 0x0f
	say := func(is bool, r Remark) {
		if is {
			remarks = append(remarks, r)
		}
	}
	say(!masked, "frame not masked")
	say(first&0x70 != 0, "reserved bit")
	say(op > opBinary && op < opClose || op > opPong, "reserved opcode")
	say(op == opContinuation && w.op == 0, "stray continuation")
	say((op == opText || op == opBinary) && w.op != 0, "message inside message")
	say(op >= opClose && first&fin == 0, "control in fragments")
	say(op >= opClose && n > 125, "control over 125")
	say(n > 1<<63-1, "length over 63 bits")
	say(op < opClose && uint64(w.s.Rules.Size(w.size, int(min(n, 1<<40)))) > uint64(w.limit), w.tooBig)
	return remarks
}

// read reads n bytes, 64 KiB of them in the time that a begun frame has.
func (w *wsReader) read(n int) ([]byte, error) {
	var b bytes.Buffer
	for b.Len() < n {
		atOnce := 64 << 10
		switch {
		case w.s.Rules.AnyByte:
			atOnce = 1
			w.c.readWithin(w.s.Rules.StallTime)
		case !w.begun:
			w.c.readWithin(w.s.Rules.StallTime)
		}
		if w.s.Rules.Impatient && b.Len()+w.c.r.Buffered() < n && (b.Len() > 0 || w.partly) {
			return nil, io.ErrUnexpectedEOF
		}
		if _, err := io.CopyN(&b, w.c.r, int64(min(atOnce, n-b.Len()))); err != nil {
			if isTimeout(err) && w.c.why(err) == err {
				return nil, &errVerdict{verdict: w.s.Rules.Verdicts[w.late()], remark: w.late()}
			}
			return nil, err
		}
	}
	if w.op == 0 && !w.begun {
		w.c.readWithin(0)
	}
	return append([]byte{}, b.Bytes()...), nil
}

// late is what a message is that does not come in time.
func (w *wsReader) late() Remark {
	if w.begun {
		return "hello late"
	}
	return "message stalled"
}

// lookAtClose remarks what is wrong with a close frame's payload.
func lookAtClose(payload []byte) (remarks []Remark) {
	if len(payload) == 1 {
		return []Remark{"close code cut"}
	}
	if len(payload) < 2 {
		return nil
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code < 1000, code == 1004, code == 1005, code == 1006, code > 1014 && code < 3000, code > 4999:
		remarks = append(remarks, "close code forbidden")
	}
	if !utf8.Valid(payload[2:]) {
		remarks = append(remarks, "close reason not UTF-8")
	}
	return remarks
}

// closePayload is that of a close frame by a verdict. 1005 stands for none.
func closePayload(v Verdict, about Remark) []byte {
	if v == 1005 {
		return nil
	}
	return append([]byte{byte(v >> 8), byte(v)}, about...)
}
