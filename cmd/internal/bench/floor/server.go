package floor

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// Roles of a connection.
const (
	Publisher  byte = 'p' // what it sends is copied to the channel's subscribers
	Subscriber byte = 's'
)

// HeaderLen is the size of what each connection sends first.
const HeaderLen = 16

// Header says who a connection is: role, Size in three bytes, Keep in four, Channel
// in eight, big endian.
type Header struct {
	Role    byte
	Size    uint32 // publisher: all its messages have so many bytes
	Keep    uint32 // publisher: how many bytes the channel keeps at most for those who come later
	Channel uint64
}

// Append adds the 16 bytes of h to dst.
func (h Header) Append(dst []byte) []byte {
	dst = append(dst, h.Role, byte(h.Size>>16), byte(h.Size>>8), byte(h.Size))
	dst = binary.BigEndian.AppendUint32(dst, h.Keep)
	return binary.BigEndian.AppendUint64(dst, h.Channel)
}

// readSize is what is read, and so written to each subscriber, at most at once.
const readSize = 32 << 10

type server struct {
	mu       sync.Mutex
	channels map[uint64]*channel
	conns    map[net.Conn]struct{}
}

type channel struct {
	mu   sync.Mutex
	subs []net.Conn
	kept []byte
}

// Serve accepts from all listeners until they are closed, and then drops its
// connections.
func Serve(listeners ...net.Listener) error {
	s := &server{channels: make(map[uint64]*channel), conns: make(map[net.Conn]struct{})}
	var conns sync.WaitGroup
	errs := make(chan error)
	for _, l := range listeners {
		go func() { errs <- s.accept(l, &conns) }()
	}
	var err error
	for range listeners {
		if e := <-errs; !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	conns.Wait()
	return err
}

func (s *server) accept(l net.Listener, conns *sync.WaitGroup) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		conns.Go(func() {
			s.serve(c)
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

func (s *server) serve(c net.Conn) {
	var b [HeaderLen]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return
	}
	ch := s.channel(binary.BigEndian.Uint64(b[8:]))
	if b[0] == Publisher {
		ch.publish(c, int(binary.BigEndian.Uint32(b[:])&0xffffff), int(binary.BigEndian.Uint32(b[4:])))
		return
	}
	ch.mu.Lock()
	ch.subs = append(ch.subs, c)
	c.Write(ch.kept)
	ch.mu.Unlock()
	c.Read(b[:1]) // until it ends
	ch.leave(c)
}

func (s *server) channel(name uint64) *channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		ch = new(channel)
		s.channels[name] = ch
	}
	return ch
}

// publish copies whole messages, as there may be other publishers.
func (ch *channel) publish(c net.Conn, size, keep int) {
	if size == 0 {
		return
	}
	buf := make([]byte, max(readSize, size))
	have := 0
	for {
		n, err := c.Read(buf[have:])
		have += n
		if whole := have - have%size; whole > 0 {
			ch.copy(buf[:whole], keep)
			have = copy(buf, buf[whole:have])
		}
		if err != nil {
			return
		}
	}
}

func (ch *channel) copy(b []byte, keep int) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, s := range ch.subs {
		s.Write(b)
	}
	if room := keep - len(ch.kept); room > 0 {
		ch.kept = append(ch.kept, b[:min(room, len(b))]...)
	}
}

func (ch *channel) leave(c net.Conn) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for i, s := range ch.subs {
		if s == c {
			ch.subs = append(ch.subs[:i], ch.subs[i+1:]...)
			return
		}
	}
}
