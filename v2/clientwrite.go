package v2

import (
	"crypto/rand"
	"encoding/binary"
	"net"
	"sync"
)

// masked is the bit of a frame that has a masking key.
const masked = 0x80

// keepScratch is the largest write buffer a connection keeps between frames.
const keepScratch = 4096

// writeFrame writes one masked frame with one Write. The caller holds writeMu.
//
// gorilla would split a client's message into fragments of its write buffer's
// size, which every receiver must join again.
func (c *ClientConn) writeFrame(op byte, payload []byte) error {
	if c.closeSent {
		return net.ErrClosed
	}
	c.closeSent = op == OpClose
	var key [4]byte
	rand.Read(key[:]) // never fails, as of Go 1.24
	frame := AppendMasked(c.scratch[:0], op, payload, key)
	if cap(frame) <= keepScratch {
		c.scratch = frame
	}
	_, err := c.nc.Write(frame)
	if err != nil {
		// Part of the frame may be out: whatever follows would be read as
		// its rest.
		c.closeSent = true
	}
	return err
}

// AppendMasked appends one frame as a client sends it, final and masked with key,
// which must be unpredictable (RFC 6455 section 5.3). Control frames carry at most
// 125 bytes; that is the caller's to hold.
func AppendMasked(dst []byte, op byte, payload []byte, key [4]byte) []byte {
	dst = AppendMaskedHeader(dst, op, len(payload), key)
	start := len(dst)
	dst = append(dst, payload...)
	Mask(dst[start:], key)
	return dst
}

// AppendMaskedHeader appends what stands before a payload of n bytes in the frame
// that AppendMasked makes, for whoever masks and writes the payload behind it.
func AppendMaskedHeader(dst []byte, op byte, n int, key [4]byte) []byte {
	dst = appendFrameHeader(dst, op, n, masked)
	return append(dst, key[:]...)
}

// Mask applies a masking key to b, in place: b is a payload, or a piece of one
// that begins at a multiple of four bytes.
func Mask(b []byte, key [4]byte) {
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// answer is the control frame that is owed to the server: the latest ping's
// pong (RFC 6455 section 5.5.3 lets the others go), or the close frame, which
// ends all.
type answer struct {
	mu      sync.Mutex
	op      byte // guarded by mu; 0: nothing owed
	payload []byte
	writers sync.WaitGroup // at most one at a time waits for writeMu
}

// reply owes the server a control frame. A goroutine of its own writes it, as
// Recv must go on while Send waits for a server that does not read: the server
// may be waiting for us to read.
func (c *ClientConn) reply(op byte, payload []byte) {
	a := &c.answer
	a.mu.Lock()
	defer a.mu.Unlock()
	owed := a.op
	if owed == OpClose {
		return
	}
	a.op, a.payload = op, payload
	if owed == 0 {
		a.writers.Go(c.writeReply)
	}
}

func (c *ClientConn) writeReply() {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	a := &c.answer
	a.mu.Lock()
	op, payload := a.op, a.payload
	a.op, a.payload = 0, nil
	a.mu.Unlock()
	// An error shows where the caller looks: in Send, or in Recv when the
	// server gives up on us.
	_ = c.writeFrame(op, payload)
}
