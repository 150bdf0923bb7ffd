package bridge_test

import (
	"fmt"
	"io"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fill takes n places, in ways of not joining, from the addresses that from gives.
func (s *street) fill(n int, trickling *sync.WaitGroup, from func(i int) string) {
	for i := range n {
		silent := s.keep(s.v1.dialFrom(from(i)))
		if i%3 == 0 {
			trickling.Go(func() { trickle(silent, keyed(0, msgBody("mallory", "street", "")), 1, 200*time.Millisecond) })
		}
		if i%3 == 1 {
			silent.Write(append([]byte("M\x00\x10\x00"), make([]byte, 12)...)) // the time for joining is over, but nobody has joined
		}
		go io.Copy(io.Discard, silent)
	}
	synctest.Wait()
}

// Where all places are taken by those who do not join, who comes gets the place of
// the one waited for longest, after a second; those who have joined stay.
func TestRoomForThoseWhoJoin(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := secret
		conf.MaxConnections = 10
		s := openStreet(t, conf)
		bob := s.mustCome("203.0.113.1:1")
		var trickling sync.WaitGroup
		defer trickling.Wait()
		s.fill(9, &trickling, func(i int) string { return fmt.Sprintf("198.51.100.%d:1", i) })
		if _, ok := s.comes("203.0.113.2:1"); ok {
			t.Error("somebody was closed who had not been given a second")
		}
		time.Sleep(1100 * time.Millisecond)
		for i := range 9 {
			s.mustCome(fmt.Sprintf("203.0.113.2:%d", 10+i))
		}
		s.members(10)
		s.mustNotCome("203.0.113.3:1") // all are members now
		bob.says("still here")
		if n := s.refusals("made room"); n != 9 {
			t.Errorf("%d refusals counted, want 9", n)
		}
		if lines := s.log.lines("level=WARN", "--max-connections", "had not joined"); len(lines) < 1 {
			t.Error("nothing in the log")
		}
	})
}

// Where file descriptors run out before the places do, it is the same: who comes next, and is not known yet, gets one of
// those waited for longest.
func TestRoomInDescriptors(t *testing.T) {
	in(t, func(t *testing.T) {
		s := openStreet(t, secret)
		var trickling sync.WaitGroup
		defer trickling.Wait()
		s.fill(9, &trickling, func(i int) string { return fmt.Sprintf("198.51.100.%d:1", i) })
		time.Sleep(1100 * time.Millisecond)
		l := troubled{newPipeListener(), make(chan error, 9)}
		for range 3 {
			l.errs <- syscall.EMFILE
		}
		s.serve(func() error { return s.ServeV1(l) })
		start := time.Now()
		s.v1On(l.dial()).join("alice", "street", "")
		s.members(1)
		if took := time.Since(start); took > time.Millisecond {
			t.Errorf("alice waits for %s", took)
		}
		if n := s.refusals("made room"); n != 3 {
			t.Errorf("%d made room, want 3", n)
		}
	})
}

// Where they are of one address, or a few, these make room at once for all others, but not for themselves.
func TestRoomAmongCrowds(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := secret
		conf.MaxConnections = 20
		s := openStreet(t, conf)
		var trickling sync.WaitGroup
		defer trickling.Wait()
		s.fill(20, &trickling, func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::%x]:1", i%2, i) })
		s.mustNotCome("[2001:db8:0:1::ffff]:1") // of the same /64 as ten of them
		for i := range 18 {
			s.mustCome(fmt.Sprintf("203.0.113.%d:1", i))
		}
		s.mustNotCome("203.0.113.99:1") // one is left of each, who might be anybody
		s.members(18)
		time.Sleep(1100 * time.Millisecond)
		s.mustCome("203.0.113.99:1")
	})
}

// Behind a proxy the crowds are those of the clients' addresses, once they are known.
func TestRoomBehindProxies(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := behind(secret)
		conf.MaxConnections = 10
		s := openStreet(t, conf)
		for i := range 10 {
			nc := s.keep(s.v1.dialFrom("10.0.0.1:1"))
			fmt.Fprintf(nc, "PROXY TCP4 198.51.100.1 192.0.2.1 %d 8077\r\n", 1+i)
		}
		synctest.Wait()
		for i := range 5 {
			nc := s.v1.dialFrom("10.0.0.1:1")
			synctest.Wait()
			alice := s.v1On(nc)
			fmt.Fprintf(nc, "PROXY TCP4 203.0.113.%d 192.0.2.1 1 8077\r\n", i)
			s.joins("v1", func() { alice.join(fmt.Sprint("alice-", i), "street", "") })
			go io.Copy(io.Discard, nc)
		}
		s.members(5)
	})
}
