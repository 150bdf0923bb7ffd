package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	wellEnded = ending{allDone, "taken"}
	cutOff    = ending{broken, "cut"}
	saidNo    = ending{denied, "no"}
	unlimited = retryFlags{Retries: -1}
)

// runSession runs a session against turns of a server until they are used up
// and all attempts after that have failed.
func runSession(retry retryFlags, turns ...turn) (server *fakeServer, delivered []event, err error) {
	server = &fakeServer{turns: turns}
	s := newSession(server, "fake", retry)
	s.deliver = func(e event) error {
		delivered = append(delivered, e)
		return nil
	}
	return server, delivered, s.run(context.Background())
}

func TestReplayIsNotDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, delivered, _ := runSession(retryFlags{Retries: 0},
			turn{shows: channel("+bob bob:1 bob:2"), lasts: time.Minute, ends: cutOff})
		if got := written(delivered); got != "+bob bob:1 bob:2" {
			t.Fatalf("without reconnect: %q", got)
		}
		_, delivered, _ = runSession(retryFlags{Retries: 1},
			turn{shows: channel("+bob bob:1 bob:2"), lasts: time.Minute, ends: cutOff},
			turn{shows: channel("bob:1 bob:2 +carol carol:3"), lasts: time.Minute, ends: cutOff},
			turn{shows: channel("carol:3 bob:4"), lasts: time.Minute, ends: cutOff})
		if got, want := written(delivered), "+bob bob:1 bob:2 +carol carol:3 bob:4"; got != want {
			t.Errorf("over three connections: %q, want %q", got, want)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, err := runSession(retryFlags{Retries: 16}, turn{shows: channel("bob:1"), lasts: time.Second, ends: cutOff})
		if status(err) != exitUnsatisfied || !strings.Contains(err.Error(), "giving up") {
			t.Errorf("ended with %v", err)
		}
		pauses := server.pauses()
		pauses[0]-- // the connection's own second
		want := []float64{0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8, 16, 30, 30}
		if len(pauses) != len(want) {
			t.Fatalf("pauses are %v, want about %v", pauses, want)
		}
		for i := range want {
			if i == 0 && pauses[i] >= 0 && pauses[i] <= 1 {
				continue
			}
			if pauses[i] < 0.69*want[i] || pauses[i] > 1.31*want[i] {
				t.Errorf("pause %d is %v s, want about %v", i, pauses[i], want[i])
			}
		}
	})
}

func TestALastingConnectionShortensThePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		short := turn{shows: channel("bob:1"), lasts: time.Second, ends: cutOff}
		long := turn{shows: channel("bob:1"), lasts: time.Hour, ends: cutOff}
		server, _, _ := runSession(retryFlags{Retries: 1}, short, short, short, long)
		pauses := server.pauses()
		if last := pauses[3] - 3600; last > 1.31 {
			t.Errorf("after an hour the pause is %v s", last)
		}
	})
}

func TestHowASessionEnds(t *testing.T) {
	in := turn{shows: channel("bob:1"), lasts: time.Minute, ends: cutOff}
	no := turn{lasts: time.Millisecond, ends: saidNo}
	for _, c := range []struct {
		name   string
		retry  retryFlags
		turns  []turn
		status int
		dials  int
	}{
		{"nobody there at first", unlimited, nil, exitUnreachable, 1},
		{"nobody there, three attempts", retryFlags{Retry: true, Retries: 3}, nil, exitUnreachable, 3},
		{"refused at first", unlimited, []turn{no}, exitRefused, 1},
		{"refused at first, two attempts", retryFlags{Retry: true, Retries: 2}, []turn{no, no, no}, exitRefused, 2},
		{"refused as long as can be borne", unlimited, append([]turn{in}, slices.Repeat([]turn{no}, 20)...), exitRefused, 1 + refusalsMax},
		{"lost, and no attempt", retryFlags{NoReconnect: true, Retries: -1}, []turn{in}, exitUnsatisfied, 1},
		{"lost, and two attempts", retryFlags{Retries: 2}, []turn{in}, exitUnsatisfied, 3},
		{"attempts count in a row", retryFlags{Retries: 2}, []turn{in, {fails: errors.New("down")}, in, {fails: errors.New("down")}}, exitUnsatisfied, 5},
		{"no Mles server", unlimited, []turn{{lasts: time.Millisecond, ends: cutOff}}, exitUnreachable, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, _, err := runSession(c.retry, c.turns...)
				if status(err) != c.status || len(server.dials) != c.dials {
					t.Errorf("status %d (%v) after %d attempts, want %d after %d",
						status(err), err, len(server.dials), c.status, c.dials)
				}
			})
		})
	}
}

// publishAll sends messages over turns of a server, the first with the join,
// and finishes.
func publishAll(t *testing.T, turns []turn, messages ...string) (got []string, err error) {
	server := &fakeServer{turns: turns}
	s := newSession(server, "fake", unlimited, []byte(messages[0]))
	result := make(chan error, 1)
	go func() { result <- s.run(t.Context()) }()
	if err := s.joined(t.Context()); err != nil {
		return nil, <-result
	}
	for _, m := range messages[1:] {
		if err := s.send(t.Context(), []byte(m)); err != nil {
			break
		}
	}
	s.finish(time.Minute)
	return server.received(), <-result
}

func TestSendTakesTheNextConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := publishAll(t, []turn{
			{shows: channel("bob:1"), deaf: true, lasts: time.Second, ends: cutOff},
			{shows: channel("bob:1"), ends: wellEnded},
		}, "one", "two")
		if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
			t.Error(diff)
		}
		// The one that went out before the loss may be missing.
		if status(err) != exitUnsatisfied || !strings.Contains(err.Error(), "up to 1 messages") {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestWhatWasSentToARefusedConnectionIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{turns: []turn{
			{shows: channel("bob:1"), lasts: time.Minute, ends: cutOff},
			{lasts: time.Second, ends: saidNo}, // the place is held for a dead twin
			{lasts: time.Second, ends: saidNo},
			{shows: channel("bob:1"), ends: wellEnded},
		}}
		s := newSession(server, "fake", unlimited)
		result := make(chan error, 1)
		go func() { result <- s.run(t.Context()) }()
		time.Sleep(time.Minute + 100*time.Millisecond)
		for _, m := range []string{"one", "two"} {
			if err := s.send(t.Context(), []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		s.finish(time.Minute)
		if err := <-result; err != nil {
			t.Errorf("ended with %v", err)
		}
		// Of these, the server published the last two.
		if diff := cmp.Diff([]string{"one", "two", "one", "two", "one", "two"}, server.received()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFinishWaitsForTheServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		turn   turn
		status int
		takes  time.Duration
	}{
		{"it has everything", turn{ends: wellEnded}, exitOK, 0},
		{"it might still refuse", turn{ends: wellEnded, settle: 300 * time.Millisecond}, exitOK, 300 * time.Millisecond},
		{"it refuses meanwhile", turn{lasts: 200 * time.Millisecond, ends: saidNo, settle: time.Second}, exitRefused, 200 * time.Millisecond},
		{"it breaks", turn{ends: cutOff}, exitUnsatisfied, 0},
		{"it says nothing", turn{lasts: time.Hour, ends: wellEnded}, exitUnsatisfied, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := publishAll(t, []turn{c.turn}, "one", "two")
				if status(err) != c.status || time.Since(began) != c.takes {
					t.Errorf("status %d (%v) after %v, want %d after %v", status(err), err, time.Since(began), c.status, c.takes)
				}
			})
		})
	}
}

func TestFinishWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{turns: []turn{{shows: channel("bob:1"), lasts: time.Second, ends: cutOff}}}
		s := newSession(server, "fake", unlimited)
		result := make(chan error, 1)
		go func() { result <- s.run(t.Context()) }()
		time.Sleep(10 * time.Second)
		s.finish(time.Minute)
		if err := <-result; err != nil {
			t.Errorf("nothing was sent, but it ended with %v", err)
		}
	})
}

func TestMessageTooLarge(t *testing.T) {
	s := newSession(&fakeServer{}, "fake", unlimited)
	err := s.send(t.Context(), make([]byte, 101))
	if large, ok := errors.AsType[*tooLarge](err); !ok || large.most != 100 {
		t.Errorf("got %v", err)
	}
}
