package scripted

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A Server is one that listens.
type Server struct {
	Rules *Rules
	// Key is the shared key of both dialects, AddrKey stands behind addresses.
	Key, AddrKey string

	v1, v2, v1ws net.Listener
	wg           sync.WaitGroup
	done         chan struct{} // closed by Close

	mu       sync.Mutex
	closed   bool
	conns    map[*Conn]bool
	channels map[string]*Channel
}

// Start listens on three ports of loopback. Rules must not change any more.
func Start(rules *Rules, key string) (*Server, error) {
	s := &Server{Rules: rules, Key: key, done: make(chan struct{}), conns: make(map[*Conn]bool), channels: make(map[string]*Channel)}
	for _, l := range []*net.Listener{&s.v1, &s.v2, &s.v1ws} {
		var err error
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			s.Close()
			return nil, err
		}
	}
	s.wg.Go(func() { s.accept(s.v1, s.serveV1) })
	s.wg.Go(func() { s.accept(s.v2, s.serveV2) })
	s.wg.Go(func() { s.accept(s.v1ws, s.serveV1WS) })
	return s, nil
}

// V1 is the address for v1 over TCP, V2 the URL for v2, V1WS that for v1 over
// WebSocket.
func (s *Server) V1() string   { return s.v1.Addr().String() }
func (s *Server) V2() string   { return "ws://" + s.v2.Addr().String() + "/" }
func (s *Server) V1WS() string { return "ws://" + s.v1ws.Addr().String() + "/" }

// ErrCrash ends the whole server if a hook panics with it.
var ErrCrash = errors.New("the server ends as a whole")

// Crash does that.
func (s *Server) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.v1.Close()
	s.v2.Close()
	s.v1ws.Close()
	for c := range s.conns {
		c.nc.Close()
	}
}

// Lock and Unlock are for hooks that are called without the lock.
func (s *Server) Lock()   { s.mu.Lock() }
func (s *Server) Unlock() { s.mu.Unlock() }

// Close closes everything and waits for its goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		close(s.done)
	}
	s.closed = true
	for c := range s.conns {
		c.nc.Close()
	}
	s.mu.Unlock()
	for _, l := range []net.Listener{s.v1, s.v2, s.v1ws} {
		if l != nil {
			l.Close()
		}
	}
	s.wg.Wait()
}

func (s *Server) accept(l net.Listener, serve func(*Conn)) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		c := newConn(nc)
		s.mu.Lock()
		closed := s.closed
		s.conns[c] = true
		s.mu.Unlock()
		if closed {
			nc.Close()
			return
		}
		s.wg.Go(func() { c.writeOut(s.Rules.Write) })
		s.wg.Go(func() {
			defer s.forget(c)
			defer func() {
				if p := recover(); p == ErrCrash {
					s.Crash()
				} else if p != nil {
					panic(p)
				}
			}()
			serve(c)
			s.Rules.Ended(c, c.joined.Load())
		})
	}
}

func (s *Server) forget(c *Conn) {
	c.out.end()
	c.nc.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// A Conn is a connection with what waits to be written to it.
type Conn struct {
	nc   *net.TCPConn
	r    *bufio.Reader
	from netip.AddrPort
	out  *outbox
	dead chan struct{} // closed when no more is written

	joined atomic.Bool
	mu     sync.Mutex
	kicked *errVerdict // somebody else ended it
	heard  chan struct{}
}

func newConn(nc net.Conn) *Conn {
	return &Conn{
		nc: nc.(*net.TCPConn), r: bufio.NewReader(nc), from: nc.RemoteAddr().(*net.TCPAddr).AddrPort(),
		out: newOutbox(), dead: make(chan struct{}), heard: make(chan struct{}, 1),
	}
}

// Reader and Net are what the connection is read from and written to.
func (c *Conn) Reader() *bufio.Reader { return c.r }
func (c *Conn) Net() *net.TCPConn     { return c.nc }

// readWithin bounds the next reads; 0: they may take for ever.
func (c *Conn) readWithin(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.kicked != nil:
	case d == 0:
		c.nc.SetReadDeadline(time.Time{})
	default:
		c.nc.SetReadDeadline(time.Now().Add(d))
	}
}

// kick has the connection's reader end it.
func (c *Conn) kick(why *errVerdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kicked == nil {
		c.kicked = why
		c.nc.SetReadDeadline(time.Now().Add(-time.Second))
	}
}

// why returns what ended the connection: somebody else's verdict, or err.
func (c *Conn) why(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kicked != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.kicked
	}
	return err
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// finish ends a connection as the rules have it, with a last word or none.
func (s *Server) finish(c *Conn, last []byte) {
	if last != nil {
		last = s.Rules.LastWord(last)
	}
	if s.Rules.Lingers {
		c.out.put(last)
		c.hang()
		<-s.done
		return
	}
	c.finish(last)
}

// finish writes what is queued and a last word, ends the sending side, and
// discards what still comes for two seconds, so that no reset overtakes it.
func (c *Conn) finish(last []byte) {
	if last != nil {
		c.out.put(last)
	}
	c.out.end()
	c.nc.SetWriteDeadline(time.Now().Add(2 * time.Second))
	<-c.dead
	c.nc.CloseWrite()
	c.nc.SetReadDeadline(time.Now().Add(2 * time.Second))
	io.Copy(io.Discard, c.r)
}

// hang discards all that comes, and says nothing.
func (c *Conn) hang() {
	c.readWithin(0)
	io.Copy(io.Discard, c.r)
}

// writeOut writes what is queued until the end of the queue, in order.
func (c *Conn) writeOut(write func(net.Conn, [][]byte) error) {
	defer close(c.dead)
	for {
		batch, ok := c.out.take()
		if !ok {
			return
		}
		if err := write(c.nc, batch); err != nil {
			c.out.discard()
			return
		}
	}
}

func write(to net.Conn, batch [][]byte) error {
	buffers := net.Buffers(batch)
	_, err := buffers.WriteTo(to)
	return err
}

// An outbox queues what is to be written, without bound.
type outbox struct {
	mu    sync.Mutex
	more  sync.Cond
	queue [][]byte
	ended bool
}

func newOutbox() *outbox {
	o := &outbox{}
	o.more.L = &o.mu
	return o
}

// put queues pieces, unless the end has been queued.
func (o *outbox) put(pieces ...[]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.queue = append(o.queue, pieces...)
		o.more.Signal()
	}
}

func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.more.Signal()
}

func (o *outbox) discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue, o.ended = nil, true
}

// take waits for pieces; not ok is the end.
func (o *outbox) take() ([][]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.ended {
		o.more.Wait()
	}
	batch := o.queue
	o.queue = nil
	return batch, len(batch) > 0
}
