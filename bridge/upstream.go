package bridge

import (
	"context"
	"crypto/tls"
	"net"

	"mles/bridge/bus"
)

// An Upstream is a server that the gateway is a client of, for every channel that
// has members here: what they say goes there, what comes from there they get.
type Upstream struct {
	// URL says where it is and what it speaks: v1://HOST[:PORT] (8077 unless
	// said otherwise), v1s:// for v1 over TLS, ws://HOST[:PORT][/PATH] and
	// wss:// for v2.
	URL string
	// UID is who the gateway is there when it does not arrive under the name of
	// one of its own members; "": mlesd- and eight random hex digits.
	UID string
	// Key is the shared key of that server; "": the gateway's own first key of
	// that dialect. With neither, v1 is joined by the address of the connection,
	// v2 without auth.
	Key string
	// TLS is used for v1s and wss; nil: the system's roots. An empty ServerName
	// is taken from the URL.
	TLS *tls.Config
	// Dial connects to HOST:PORT; nil: a [net.Dialer] does, which looks the name
	// up each time and tries all its addresses.
	Dial func(ctx context.Context, network, hostport string) (net.Conn, error)
	// Hold names channels that are connected without members, too.
	Hold []string
}

// A transport is how the servers of one dialect are reached. It is used by the
// peerings of all channels with one upstream, at the same time.
type transport interface {
	// dialect is that of the bus members whose bytes its uplinks write.
	dialect() bus.Dialect
	// borrows says whether an uplink arrives with the first frame of a member
	// here, where there is one.
	borrows() bool
	// reminds says whether an arrival can carry a history.
	reminds() bool
	// dial connects for a channel: the name is resolved anew and each of its
	// addresses tried. Nothing is sent to the server but what comes before its
	// dialect begins. ctx ends the attempt, not the uplink. The error may be an
	// *[unjoinable].
	dial(ctx context.Context, channel string) (uplink, error)
	// inspect looks at the first frame in p, which holds whole frames as a
	// member of that dialect is given them: how long it is, its digest, whose it
	// is, where that can be told, and whether it says nothing but that they arrive.
	inspect(p []byte) (size int, d digest, who string, arrives bool)
	// digest is the same hash of an event that an uplink has read.
	digest(e *bus.Event) digest
}

// An uplink is a connection to an upstream for one channel. One goroutine calls
// arrive and then read and rest, another write; any may close it.
type uplink interface {
	// arrive joins the channel there. Before anything is sent it says, by
	// a.announce, how others there will see that.
	arrive(a arrival) error
	// read waits for what the server sends and returns it as events in the
	// order in which they came, ready to be published here. They are valid until
	// the next call of read or rest. Memory and time of a frame half received
	// are bounded as a member's are; a silent server is waited for.
	read() ([]bus.Event, error)
	// rest gives back the memory behind what read returned, because it is not
	// going to be called for a while.
	rest()
	// write sends whole frames, as a member of the transport's dialect is given
	// them, and returns when the system has taken them.
	write(frames []byte) error
	// close ends the connection and makes read and write return; reason is for
	// a server whose dialect has a place for it. It may be called more than once.
	close(reason string)
}

// An arrival is how an uplink joins a channel.
type arrival struct {
	channel string
	// uid is who arrives where first is nil.
	uid string
	// first is the whole v1 frame that a member here, guest, has joined with, or
	// that is made for it.
	first    []byte
	guest    *guest
	announce func(mark)
	// respelled asks for the other form of the same arrival; see [respeller].
	respelled bool
	// history is what the server is to be reminded of: frames of the
	// transport's dialect, one slice for each event, oldest first; nil unless
	// the connection had been lost. They are valid during arrive.
	history [][]byte
}

// A respeller is an uplink whose arrival can be written in another form, worth
// trying when the server has refused the first.
type respeller interface {
	// respellable says so, after arrive.
	respellable() bool
	// accepted says that the server has taken the form that was sent.
	accepted()
}

// A prober is an uplink that can announce the gateway after it has arrived as
// somebody else.
type prober interface {
	// probe makes such an arrival: the frame to be written is in the mark.
	probe(uid, channel string) mark
}

// A settler is an uplink that reads what is replayed otherwise than what is said.
type settler interface {
	// settled says that what comes from now on is no replay. Any goroutine may
	// call it.
	settled()
}

// A mark is what an arrival looks like to those who are told of it: by it a
// gateway knows its own when that comes round to it; see mapping.md, "Loops".
type mark struct {
	frame []byte // the v1 frame, where it goes as one; its bytes never change
	sent  []byte // as the transport's inspect takes it: what the server will have in its history
	uid   string
	own   bool // nobody else arrives so: uid is the gateway's
	fresh bool // uid is of this process alone: no history has it from an earlier one
	mute  bool // whoever is there is not told, only who comes later
}

// An unjoinable error says that a channel cannot be joined at an upstream, now or
// later: trying again every minute is soon enough.
type unjoinable struct{ reason string }

func (e *unjoinable) Error() string { return e.reason }
