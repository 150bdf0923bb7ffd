package bridge_test

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
		for i := range 9 {
			silent := s.keep(s.v1.dialFrom(fmt.Sprintf("198.51.100.1:%d", i)))
			if i%3 == 0 {
				trickling.Go(func() { trickle(silent, keyed(0, msgBody("mallory", "street", "")), 1, 200*time.Millisecond) })
			}
			if i%3 == 1 {
				silent.Write(append([]byte("M\x00\x10\x00"), make([]byte, 12)...)) // the time for joining is over, but nobody has joined
			}
			go io.Copy(io.Discard, silent)
		}
		synctest.Wait()
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
