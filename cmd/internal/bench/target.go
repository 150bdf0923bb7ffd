package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
)

// Dialect is what is spoken over a connection.
type Dialect string

const (
	V1          Dialect = "v1"
	V1WebSocket Dialect = "v1ws"
	V2          Dialect = "v2"
	NATS        Dialect = "nats"
	MQTT        Dialect = "mqtt"
	// Raw is what the floor takes: bytes.
	Raw Dialect = "raw"
)

// Target is where connections go and what they say there.
type Target struct {
	Dialect Dialect
	Addr    string      // host:port
	Host    string      // for the upgrade request; WebSockets only
	Path    string      // likewise, beginning with "/"
	TLS     *tls.Config // nil: none
	Key     string      // shared key; "": none
	AddrKey string      // v1 without Key: follows the address in the hash
	// MappedAddr spells IPv4 addresses in v1 keys as mles 1.1.7 sees them.
	MappedAddr bool
}

func (t Target) String() string {
	if t.TLS != nil {
		return string(t.Dialect) + "+tls"
	}
	return string(t.Dialect)
}

// A Contestant is a server that is measured.
type Contestant struct {
	Name     string
	Pub, Sub Target
	PIDs     []int // its processes on this machine; none: CPU and memory are not told
	// Messages replaces Load.Messages in a flood, and Load.Members in a storm, for
	// servers that are much slower; 0: as for the others.
	Messages int
	// Collect has its garbage collected before memory is read; nil: nothing is done.
	Collect func(context.Context) error
}

// wireOf returns how a dialect looks on the wire.
func wireOf(d Dialect) (wire, error) {
	switch d {
	case V1:
		return v1Wire{}, nil
	case V1WebSocket:
		return wsWire{bodies: true}, nil
	case V2:
		return wsWire{}, nil
	case NATS:
		return natsWire{}, nil
	case MQTT:
		return mqttWire{}, nil
	case Raw:
		return rawWire{}, nil
	}
	return nil, fmt.Errorf("bench: nothing speaks %q", d)
}

// onLoopback says whether addr is this machine's IPv4 loopback, where sources can
// be spread over many addresses so that ports do not run out.
func onLoopback(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	return err == nil && ap.Addr().Is4() && ap.Addr().IsLoopback()
}
