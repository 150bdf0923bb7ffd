package main

import (
	"context"
	"sync/atomic"
	"time"
)

// event is one thing that a channel showed: a message, or that somebody joined.
type event struct {
	join    bool   // uid joined; data is empty
	uid     string // who; "" for a message of v2, which does not say
	channel string // as the frame names it; in v2 the one joined
	op      byte   // v2: the opcode it came with; v1: 0
	data    []byte // the message
}

// dialect is how to join one channel of one server as one member, in v1 or v2.
type dialect interface {
	// name is "v1" or "v2".
	name() string
	// maxMessage is the size in bytes of the largest message that can be sent.
	maxMessage() int
	// sent is how message, sent by this member, appears to others of the same
	// dialect, and to this member itself when history is replayed.
	sent(message []byte) event
	// dial connects and joins. First messages, if there are any, go with the
	// join or right after it. Success says nothing about being let in: a
	// refusal shows in recv.
	dial(ctx context.Context, first ...[]byte) (link, error)
}

// link is one connection of a member. recv and ended belong to one goroutine;
// the rest may be called beside it.
type link interface {
	// send writes one message. That it returned does not mean that the server
	// has it; leave and ended tell that.
	send(message []byte) error
	// recv waits for the next event. Its error says how the connection ended.
	recv() (event, error)
	// ended sorts the error of recv.
	ended(err error) ending
	// settles is how long to wait before leave, so that a server that refuses
	// has had the time to. It shrinks to 0.
	settles() time.Duration
	// leave announces that nothing more will be sent. recv goes on until the
	// server, having taken all that was sent, ends the connection.
	leave() error
	// close drops the connection and ends recv. It may take a few seconds.
	close()
}

// ending is how a connection came to its end.
type ending struct {
	how outcome
	why string // in words for people
}

type outcome int

const (
	broken  outcome = iota // by the network, or by a server in trouble
	denied                 // the server does not want this member
	allDone                // the server has seen us leave, and all we sent before
)

// membership is what a link remembers in order to sort how it ends. A server
// that refuses says little or nothing; one that has let somebody in shows it by
// the history it sends, unless there is none.
type membership struct {
	joined time.Time
	heard  atomic.Bool // anything came from the server
	left   atomic.Bool // leave was called
}

// refusedWithin tells whether an end that came now, after a server that was
// silent so far, can be a refusal.
func (m *membership) refusedWithin(d time.Duration) bool {
	return !m.heard.Load() && time.Since(m.joined) < d
}

// sendAll sends what goes with the join.
func sendAll(l link, messages [][]byte) error {
	for _, message := range messages {
		if err := l.send(message); err != nil {
			l.close()
			return err
		}
	}
	return nil
}
