package scripted

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/dchest/siphash"
)

const headerLen = 16

// A Header is that of a v1 frame. Remarks are about it.
type Header struct {
	Len     int
	CID     uint32
	Key     uint64
	Remarks []Remark
}

// A Frame is one of v1: its header and all of its bytes.
type Frame struct {
	Header
	Raw []byte
}

// Body is what follows the header.
func (f Frame) Body() []byte { return f.Raw[min(headerLen, len(f.Raw)):] }

func readHeader(h []byte) Header {
	head := Header{
		Len: int(h[1])<<16 | int(h[2])<<8 | int(h[3]),
		CID: binary.BigEndian.Uint32(h[4:]),
		Key: binary.BigEndian.Uint64(h[8:]),
	}
	if h[0] != 'M' {
		head.Remarks = append(head.Remarks, "frame not M")
	}
	if head.Len == 0 {
		head.Remarks = append(head.Remarks, "frame of length 0")
	}
	return head
}

// errVerdict ends a connection: how, and what for.
type errVerdict struct {
	verdict Verdict
	remark  Remark
	payload []byte // of the close frame, instead of verdict and remark
}

func (e *errVerdict) Error() string { return fmt.Sprintf("%s: verdict %d", e.remark, e.verdict) }

// readV1 reads one frame. An errVerdict says that there was one that is none.
func (s *Server) readV1(c *Conn, first bool) (Frame, error) {
	c.readWithin(0)
	if first {
		c.readWithin(s.Rules.HelloTime)
	} else if _, err := c.r.Peek(1); err != nil {
		return Frame{}, err
	} else if s.Rules.HoldsUp {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	var b bytes.Buffer
	err := s.paced(c, &b, headerLen, first)
	if err != nil {
		return s.torn(c, &b, err, first)
	}
	f := Frame{Header: s.Rules.Header(b.Bytes())}
	if f.Len > s.Rules.MaxBody {
		f.Remarks = append(f.Remarks, "frame too long")
	}
	if v, about := s.Rules.judge(f.Remarks...); v != Ignore {
		return Frame{}, &errVerdict{verdict: v, remark: about}
	}
	if err := s.paced(c, &b, headerLen+f.Len, false); err != nil {
		return s.torn(c, &b, err, first)
	}
	f.Raw = b.Bytes()
	return f, s.Rules.FrameRead(c)
}

// paced reads until b holds n bytes, 64 KiB of them at a time. A first header has
// the time that is already set.
func (s *Server) paced(c *Conn, b *bytes.Buffer, n int, first bool) error {
	for b.Len() < n {
		atOnce := 64 << 10
		switch {
		case s.Rules.AnyByte:
			atOnce = 1
			c.readWithin(s.Rules.StallTime)
		case !first:
			c.readWithin(s.Rules.StallTime)
		}
		if s.Rules.Impatient && b.Len() > 0 && b.Len()+c.r.Buffered() < n {
			return io.ErrUnexpectedEOF
		}
		if _, err := io.CopyN(b, c.r, int64(min(atOnce, n-b.Len()))); err != nil {
			return err
		}
	}
	return nil
}

// torn is what a frame is that did not come to its end.
func (s *Server) torn(c *Conn, b *bytes.Buffer, err error, first bool) (Frame, error) {
	remark := Remark("frame torn")
	if isTimeout(err) {
		remark = "frame stalled"
		if first && b.Len() < headerLen {
			remark = "first frame late"
		}
	}
	if b.Len() == 0 && remark == "frame torn" {
		return Frame{}, io.EOF
	}
	v := s.Rules.Verdicts[remark]
	if v != Ignore {
		return Frame{}, &errVerdict{verdict: v, remark: remark}
	}
	if remark == "frame torn" && b.Len() > 0 { // a fault: passed on as it is
		return Frame{Raw: b.Bytes()}, nil
	}
	c.readWithin(time.Hour)
	return Frame{}, errors.Join(err, io.EOF)
}

// hash is the v1 key over parts, each with a byte 0xff behind it.
func hash(parts ...string) uint64 {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0xff)
	}
	return siphash.Hash(0, 0, b)
}

// spellings are those of an address, the usual one first.
func spellings(a netip.AddrPort) []string {
	ip := a.Addr().Unmap().WithZone("")
	g := ip.As16()
	groups := "["
	for i := 0; i < 16; i += 2 {
		if i > 0 {
			groups += ":"
		}
		groups += fmt.Sprintf("%x", uint16(g[i])<<8|uint16(g[i+1]))
	}
	groups += fmt.Sprintf("]:%d", a.Port())
	if ip.Is4() {
		return []string{fmt.Sprintf("%v:%d", ip, a.Port()), groups}
	}
	return []string{groups}
}

func keyFits(s *Server, from netip.AddrPort, key uint64, uid, channel string) bool {
	for _, k := range s.keys(from, uid, channel) {
		if k == key {
			return true
		}
	}
	return false
}

// keys are those that open for a client, the usual one first.
func (s *Server) keys(from netip.AddrPort, uid, channel string) []uint64 {
	if s.Key != "" {
		return []uint64{s.Rules.Hash(s.Key, uid, channel)}
	}
	var keys []uint64
	for _, address := range s.Rules.Spellings(from) {
		if s.AddrKey != "" {
			keys = append(keys, s.Rules.Hash(address, s.AddrKey, uid, channel))
		} else {
			keys = append(keys, s.Rules.Hash(address, uid, channel))
		}
	}
	return keys
}

// body3 is a body as every sender writes it.
func body3(uid, channel string, message []byte) []byte {
	b := []byte("\xa3\x63uid")
	b = append(cborHead(b, 0x60, len(uid)), uid...)
	b = append(cborHead(append(b, "\x67channel"...), 0x60, len(channel)), channel...)
	return append(cborHead(append(b, "\x67message"...), 0x40, len(message)), message...)
}

func cborHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return append(b, major|25, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
}

// frameOf is a v1 frame.
func frameOf(cid uint32, key uint64, body []byte) []byte {
	n := len(body)
	b := binary.BigEndian.AppendUint32([]byte{'M', byte(n >> 16), byte(n >> 8), byte(n)}, cid)
	return append(binary.BigEndian.AppendUint64(b, key), body...)
}

// maxMessage is what fits a v1 frame with these names.
func maxMessage(uid, channel string) int {
	return 0xffffff - len(body3(uid, channel, nil)) - 4 // the length of a long message takes 4 bytes more
}
