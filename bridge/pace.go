package bridge

import (
	"net"
	"time"
)

const (
	// joinTime is from accept to the complete first v1 header or v2 hello.
	joinTime = 10 * time.Second
	// A frame that has been begun must go on at paceBytes in each paceTime.
	paceTime  = 10 * time.Second
	paceBytes = 64 << 10
)

// pace holds a sender to its time while a frame is begun. A connection's reader
// owns it. The clock stands still while the connection is not being read.
type pace struct {
	conn    net.Conn
	running bool
	mark    int // bytes of the frame that had come when the clock was last set
}

// begun says that have bytes of a frame have come and more are being waited for.
func (p *pace) begun(have int) {
	if p.running && have-p.mark < paceBytes {
		return
	}
	p.running, p.mark = true, have
	p.conn.SetReadDeadline(time.Now().Add(paceTime))
}

// done says that no frame is begun any more.
func (p *pace) done() {
	if p.running {
		p.running = false
		p.conn.SetReadDeadline(time.Time{})
	}
}

// restart sets the clock anew after a time without reading.
func (p *pace) restart() {
	if p.running {
		p.conn.SetReadDeadline(time.Now().Add(paceTime))
	}
}
