package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// fakeServer is a dialect whose connections the test plays. Each dial takes the
// next of its turns.
type fakeServer struct {
	mu    sync.Mutex
	turns []turn
	dials []time.Time
	got   []string // what was sent, over all connections
}

// turn is what becomes of one attempt to connect.
type turn struct {
	fails  error         // of dial; then nothing else counts
	shows  []event       // at once after the join
	lasts  time.Duration // then the connection ends; 0: when the client leaves or closes
	ends   ending        // as this
	deaf   bool          // send fails
	settle time.Duration // how long a refusal may take
}

func (f *fakeServer) name() string    { return "fake" }
func (f *fakeServer) maxMessage() int { return 100 }

func (f *fakeServer) sent(message []byte) event { return event{uid: "alice", data: message} }

func (f *fakeServer) dial(_ context.Context, first ...[]byte) (link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials = append(f.dials, time.Now())
	if len(f.turns) == 0 {
		return nil, errors.New("nobody there")
	}
	t := f.turns[0]
	f.turns = f.turns[1:]
	if t.fails != nil {
		return nil, t.fails
	}
	for _, message := range first {
		f.got = append(f.got, string(message))
	}
	l := &fakeLink{server: f, turn: t, over: make(chan struct{})}
	if t.lasts > 0 {
		time.AfterFunc(t.lasts, func() { l.end(t.ends) })
	}
	return l, nil
}

func (f *fakeServer) received() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// pauses is the time between dials, in seconds.
func (f *fakeServer) pauses() (seconds []float64) {
	for i := 1; i < len(f.dials); i++ {
		seconds = append(seconds, f.dials[i].Sub(f.dials[i-1]).Seconds())
	}
	return seconds
}

type fakeLink struct {
	server *fakeServer
	turn   turn
	once   sync.Once
	how    ending        // set before over is closed
	over   chan struct{} // closed at the end
}

func (l *fakeLink) end(how ending) {
	l.once.Do(func() {
		l.how = how
		close(l.over)
	})
}

func (l *fakeLink) send(message []byte) error {
	if l.turn.deaf {
		return io.ErrClosedPipe
	}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.got = append(l.server.got, string(message))
	return nil
}

func (l *fakeLink) recv() (event, error) {
	if len(l.turn.shows) > 0 {
		e := l.turn.shows[0]
		l.turn.shows = l.turn.shows[1:]
		return e, nil
	}
	<-l.over
	return event{}, io.EOF
}

func (l *fakeLink) ended(error) ending     { return l.how }
func (l *fakeLink) settles() time.Duration { return l.turn.settle }
func (l *fakeLink) close()                 { l.end(ending{broken, "closed here"}) }

func (l *fakeLink) leave() error {
	if l.turn.lasts == 0 {
		l.end(l.turn.ends)
	}
	return nil
}
