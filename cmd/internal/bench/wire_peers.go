package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// natsWire is enough of NATS to publish and to subscribe.
type natsWire struct{}

func (natsWire) join(l *link) ([]byte, error) {
	hello := "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n"
	if !l.publishes {
		hello += "SUB " + l.channel + " 1\r\n"
	}
	_, err := l.conn.Write([]byte(hello + "PING\r\n"))
	return nil, err
}

func (natsWire) frame(dst []byte, l *link, m []byte) ([]byte, int) {
	dst = append(dst, "PUB "+l.channel+" "...)
	dst = append(strconv.AppendInt(dst, int64(len(m)), 10), "\r\n"...)
	at := len(dst)
	return append(append(dst, m...), "\r\n"...), at
}

func (natsWire) scan(buf []byte, in *inbox) (int, error) {
	off := 0
	for off < len(buf) {
		if m := off + len(in.line); len(in.line) > 0 && m+in.size+2 <= len(buf) && string(buf[off:m]) == string(in.line) {
			if !in.quick(buf[m : m+in.size]) {
				in.take(buf[m : m+in.size])
			}
			off = m + in.size + 2
			continue
		}
		n := bytes.IndexByte(buf[off:], '\n')
		if n < 1 {
			break
		}
		line := buf[off : off+n-1]
		next := off + n + 1
		switch {
		case bytes.HasPrefix(line, []byte("MSG ")):
			size, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1:]))
			if err != nil {
				return off, fmt.Errorf("%w: %.60q", errNoFrame, line)
			}
			if next+size+2 > len(buf) {
				return off, nil
			}
			if size == in.size {
				in.line = append(in.line[:0], buf[off:next]...)
				in.take(buf[next : next+size])
			}
			next += size + 2
		case bytes.Equal(line, []byte("PING")):
			in.replies = append(in.replies, "PONG\r\n"...)
		case line[0] == '-':
			return off, fmt.Errorf("the server says %q", line)
		}
		off = next
	}
	return off, nil
}

func (natsWire) weight(_, channel string, size int) int {
	return len("MSG "+channel+" 1 "+strconv.Itoa(size)+"\r\n") + size + 2
}

// mqttWire is enough of MQTT 3.1.1, at most once, to publish and to subscribe.
type mqttWire struct{}

func (mqttWire) join(l *link) ([]byte, error) {
	// The server makes up a name: one that the last run used may not be free yet.
	connect := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0}, mqttString("")...)
	if _, err := l.conn.Write(mqttPacket(0x10, connect)); err != nil {
		return nil, err
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(l.conn, answer); err != nil {
		return nil, err
	}
	if answer[0] != 0x20 || answer[3] != 0 {
		return nil, fmt.Errorf("the server answers % x", answer)
	}
	if l.publishes {
		return nil, nil
	}
	subscribe := append(append([]byte{0, 1}, mqttString(l.channel)...), 0)
	_, err := l.conn.Write(mqttPacket(0x82, subscribe))
	return nil, err
}

func mqttString(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func mqttPacket(first byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{first}, uint64(len(body))), body...)
}

func (mqttWire) frame(dst []byte, l *link, m []byte) ([]byte, int) {
	dst = append(dst, mqttPacket(0x30, append(mqttString(l.channel), m...))...)
	return dst, len(dst) - len(m)
}

func (mqttWire) scan(buf []byte, in *inbox) (int, error) {
	off := 0
	for len(buf)-off >= 2 {
		n, size := binary.Uvarint(buf[off+1 : min(off+5, len(buf))])
		if size <= 0 {
			break
		}
		start := off + 1 + size
		end := start + int(n)
		if end > len(buf) {
			break
		}
		if m := buf[max(end-in.size, start):end]; buf[off]>>4 == 3 && len(m) == in.size && !in.quick(m) {
			in.take(m)
		}
		off = end
	}
	return off, nil
}

func (mqttWire) weight(_, channel string, size int) int {
	return len(mqttPacket(0x30, make([]byte, 2+len(channel)+size)))
}
