package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"mles/bridge"
)

// What members were given counts on when they have left, and in each dialect by itself.
func TestSurvey(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{HistoryLimit: bridge.NoHistory}))
	alice, wendy := h.v1Joins("alice", "hall", ""), h.v1wsJoins("wendy", "hall", "")
	bob := h.v2Joins("bob", "hall")
	const messages = 20
	for i := range messages {
		said := fmt.Sprint("message ", i)
		alice.says(said)
		bob.gets(blob(said))
	}
	out := func() bridge.Survey { return h.Survey() }
	h.until("bob's are counted", func() bool { return out().Out["v2"].Messages >= messages })
	h.until("wendy's are counted", func() bool { return out().Out["v1ws"].Messages >= messages })
	before := out()
	for dialect, members := range map[string]int64{"v1": 1, "v1ws": 1, "v2": 1} {
		lag := before.Lag[dialect]
		if lag.Members != members || lag.Within[len(lag.Within)-1] != members || lag.Most > 1<<10 {
			t.Errorf("%s: %+v", dialect, lag)
		}
	}
	if v2 := before.Out["v2"]; v2.Bytes < messages*int64(len("message 1")) {
		t.Errorf("bob was given %+v", v2)
	}
	bob.leaves()
	wendy.nc.Close()
	h.members(1)
	h.until("they are counted still", func() bool { s := out(); return s.Out["v2"] == before.Out["v2"] && s.Lag["v2"].Members == 0 })
	again := h.v2Joins("bob", "hall")
	alice.says("welcome back")
	again.gets(blob("welcome back"))
	h.until("the new bob's are counted, too", func() bool { return out().Out["v2"].Messages == before.Out["v2"].Messages+1 })
}

// Somebody who does not read is seen to lag, and so does nobody else; histories are summed up.
func TestSurveyOfLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		alice, carol := h.v1Joins("alice", "room", ""), h.v1Joins("carol", "room", "")
		silent := h.v2Joins("erin", "room")
		carol.gets(alice.frame(""), silent.onV1(""))
		go func() { // alice reads what the others say; it is erin who does not
			for {
				if _, err := readV1Frame(alice.r); err != nil {
					return
				}
			}
		}()
		flood(alice, 10, carol)
		s := h.Survey()
		erin, v1 := s.Lag["v2"], s.Lag["v1"]
		if erin.Members != 1 || erin.Most < 1<<20 || erin.Sum != erin.Most || erin.Within[0] != 0 || erin.Within[len(erin.Within)-1] != 1 {
			t.Errorf("erin: %+v", erin)
		}
		if v1.Members != 2 {
			t.Errorf("alice and carol: %+v", v1)
		}
		if s.History.Messages < 10 || s.History.Bytes < 1<<20 {
			t.Errorf("remembered is %+v", s.History)
		}
	})
}

// A count that was shown never goes down, whoever leaves while others look.
func TestSurveyNeverGoesDown(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		last := bridge.Traffic{}
		for {
			select {
			case <-stop:
				return
			default:
			}
			now := h.Survey().Out["v2"]
			if now.Messages < last.Messages || now.Bytes < last.Bytes {
				t.Errorf("first %+v, then %+v", last, now)
			}
			last = now
		}
	}()
	alice := h.v1Joins("alice", "hall", "hello")
	for range 20 {
		bob := h.v2Joins("bob", "hall")
		bob.gets(notice("alice", "hall"), blob("hello"))
		bob.leaves()
	}
	close(stop)
	<-done
	alice.nc.Close()
}

// Each connection that had joined has one line of its own when it ends, with what it did and why it ended, and is
// counted by that.
func TestLineOfALife(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{HistoryLimit: bridge.NoHistory}))
	alice := h.v1Joins("alice", "hall", "")
	bob := h.v2Joins("bob", "hall")
	wendy := h.v1wsJoins("wendy", "hall", "")
	wendy.enters("attic", "")
	alice.says("five!")
	bob.gets(blob("five!"))
	bob.says(text("and\n\"level=ERROR\" eleven"))
	bob.leaves()
	wendy.nc.Close()
	h.members(1)
	alice.sends([]byte("no frame at all, but longer than a header"))
	h.members(0)
	for _, parts := range [][]string{
		{"level=WARN", "dialect=v1 ", "uid=alice", "channel=hall", "seconds=", "messages_in=1 ", "bytes_in=", "messages_out=", `reason="not a frame"`},
		{"level=INFO", "dialect=v2 ", "uid=bob", "channel=hall", "messages_in=1 ", "bytes_in=24 ", "messages_out=", "bytes_out=", "lag_bytes=0", "reason=closed"},
		{"level=INFO", "dialect=v1ws ", "uid=wendy", "channel=hall", "channels=2", "reason=closed"},
	} {
		if !h.hasLogged(1, append(parts, "msg=left")...) {
			t.Errorf("more than one line with %q", parts)
		}
	}
	for dialect, reason := range map[string]string{"v1": "not a frame", "v2": "closed", "v1ws": "closed"} {
		if ends := h.Stats().Disconnects[dialect]; ends[reason] != 1 || len(ends) != 1 {
			t.Errorf("%s: %v, want one that is %s", dialect, ends, reason)
		}
	}
}

// A name that looks like another line of the log, or like another attribute, is part of its own.
func TestNamesForgeNoLines(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	const evil = "eve\nlevel=ERROR msg=\"left\" uid=alice\r\x1b[2J\x00"
	eve := h.v1Joins(evil, evil, "")
	eve.nc.Close()
	h.members(0)
	if !h.hasLogged(1, "msg=left") {
		t.Error("more than one line")
	}
	for _, line := range h.log.lines() {
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\n\x1b\x00") || strings.HasPrefix(line, "level=ERROR") {
			t.Errorf("forged: %q", line)
		}
	}
}

// Whatever clients choose, there are few labels.
func TestFewLabels(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{V1Keys: []string{"swordfish"}, V2Keys: []string{"swordfish"}}))
	for i := range 40 {
		name := fmt.Sprintf("hostile\n{reason=\"%d\"}", i)
		eve := h.v1()
		eve.sends(keyed(uint64(i), msgBody(name, name, name)))
		mallory := h.v2()
		mallory.sends(final(opText, fmt.Sprintf(`{"uid":"u%d","channel":"c","%d":1,"auth":"%d"}`, i, i, i)))
		wendy := h.v1ws()
		wendy.sends(final(opBinary, name))
		wendy.lastFrame()
		wendy.nc.Close()
	}
	h.until("all were refused", func() bool {
		n := int64(0)
		for _, of := range h.Stats().Refusals {
			n += of
		}
		return n >= 120
	})
	st := h.Stats()
	if n := len(st.Refusals) + len(st.Cuts) + len(st.Revoked); n > 6 {
		t.Errorf("%d labels: %v", n, st)
	}
	for reason := range st.Refusals {
		if strings.Contains(reason, "hostile") {
			t.Errorf("label %q", reason)
		}
	}
}
