package v1

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Conn is one v1 connection, of a client or of a server, over any net.Conn. One goroutine at a time may
// read, any number may write beside it: each WriteFrame is a whole frame on the wire.
type Conn struct {
	nc net.Conn

	// Of the reading goroutine.
	r     *Reader
	batch []Frame // what ReadFrame has still to return of the last batch

	// Guarded by wmu.
	wmu  sync.Mutex
	werr error // after a frame that went out in part nothing can follow
}

// NewConn returns a Conn that reads and writes nc and closes it with Close. Nothing is sent: a client's
// first frame is up to the caller (or see Dialer), a server has none.
func NewConn(nc net.Conn) *Conn { return &Conn{nc: nc, r: NewReader(nc)} }

// NetConn returns the connection beneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// ReadFrame waits for the next whole frame. Its bytes are valid until the next call. It fails as
// Reader.Frames does: io.EOF says that the other side has ended after a whole frame; after a deadline
// has passed reading can go on once it is moved.
func (c *Conn) ReadFrame() (Frame, error) {
	if len(c.batch) == 0 {
		var err error
		if c.batch, err = c.r.Frames(); err != nil {
			return Frame{}, err
		}
	}
	f := c.batch[0]
	c.batch = c.batch[1:]
	return f, nil
}

// WriteFrame sends raw, one or more whole frames with their headers, as it is. An error is final for
// writing, as the other side may have half a frame; reading can go on.
func (c *Conn) WriteFrame(raw []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.writeLocked(raw)
}

func (c *Conn) writeLocked(raw []byte) error {
	if c.werr == nil {
		_, c.werr = c.nc.Write(raw)
	}
	return c.werr
}

// CloseWrite ends sending; the other side reads io.EOF. The reference server then closes altogether. It
// fails with errors.ErrUnsupported if the connection beneath has no such half.
func (c *Conn) CloseWrite() error {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection beneath, also while others read or write it.
func (c *Conn) Close() error { return c.nc.Close() }

// SetDeadline does as for net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// SetReadDeadline does as for net.Conn. No bytes are lost to a deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline does as for net.Conn. A frame that it cuts in two ends writing.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }
