package main

import (
	"net"
	"sync/atomic"
	"time"
)

// A door is a listener that knows whether somebody stands at it to let connections in.
type door struct {
	net.Listener
	away atomic.Int64 // since when nobody does, Unix ns; 0: somebody does
}

// Accept waits for a connection.
func (d *door) Accept() (net.Conn, error) {
	d.away.Store(0)
	nc, err := d.Listener.Accept()
	d.away.Store(time.Now().UnixNano())
	return nc, err
}

// unattended is for how long nobody has come back for the next connection.
func (d *door) unattended(now time.Time) time.Duration {
	if since := d.away.Load(); since != 0 {
		return now.Sub(time.Unix(0, since))
	}
	return 0
}
