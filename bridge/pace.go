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
	mark    int       // bytes of the frame that had come when the clock was last set
	lenient time.Time // a frame may stand still until then: see restart
}

// begun says that have bytes of a frame have come and more are being waited for.
func (p *pace) begun(have int) {
	if p.running && have-p.mark < paceBytes {
		return
	}
	p.running, p.mark = true, have
	p.set(time.Now())
}

func (p *pace) set(now time.Time) {
	by := now.Add(paceTime)
	if by.Before(p.lenient) {
		by = p.lenient
	}
	p.conn.SetReadDeadline(by)
}

// done says that no frame is begun any more.
func (p *pace) done() {
	if p.running {
		p.running = false
		p.conn.SetReadDeadline(time.Time{})
	}
}

// maxLenient is how long at most a frame may stand still after waits.
const maxLenient = time.Minute

// restart sets the clock anew after a time without reading. What the sender's
// system could not get rid of meanwhile it tries again in intervals that double,
// so that it may notice only after as long again that it can go on.
func (p *pace) restart(since time.Time) {
	now := time.Now()
	if p.lenient.Before(now) {
		p.lenient = now
	}
	p.lenient = p.lenient.Add(2 * now.Sub(since))
	if most := now.Add(maxLenient); p.lenient.After(most) {
		p.lenient = most
	}
	if p.running {
		p.set(now)
	}
}
