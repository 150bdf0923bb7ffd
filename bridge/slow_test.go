package bridge_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// flood has alice send n messages of 200 KiB, and those who listen read them.
func flood(alice *v1client, n int, listeners ...*v1client) (message string) {
	alice.Helper()
	message = strings.Repeat("m", 200<<10)
	frame := alice.frame(message)
	sent := make(chan error, 1)
	go func() {
		_, err := alice.nc.Write(bytes.Repeat(frame, n))
		sent <- err
	}()
	for range n {
		for _, c := range listeners {
			c.gets(frame)
		}
	}
	if err := <-sent; err != nil {
		alice.Fatal("alice cannot send:", err)
	}
	return message
}

// A member that stops reading costs the others nothing. It is cut when it is
// over 64 MiB behind, for longer than 30 s, with its name and the reason in the
// log: on v1 it keeps its voice, on v2 it is told.
func TestStoppedReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conf := secret
		conf.HistoryLimit = bridge.NoHistory
		h := openPipes(t, conf)
		alice := h.v1Joins("alice", "room", "")
		carol := h.v1Joins("carol", "room", "")
		loud := h.v1Joins("loud", "room", "")
		carol.gets(loud.frame(""))
		mute := h.v1Joins("mute", "room", "")
		carol.gets(mute.frame(""))
		loud.says("I only talk")
		carol.gets(loud.frame("I only talk"))
		erin := h.v2Joins("erin", "room")
		carol.gets(erin.onV1(""))
		go func() { // alice reads; it is the others who do not
			for {
				if _, err := readV1Frame(alice.r); err != nil {
					return
				}
			}
		}()

		start := time.Now()
		flood(alice, 310, carol)
		if took := time.Since(start); took != 0 {
			t.Errorf("carol was kept waiting for %s", took)
		}
		time.Sleep(70 * time.Second) // erin would be pinged out after more
		h.members(5)                 // 62 MiB behind, for however long
		message := flood(alice, 20, carol)
		time.Sleep(2 * time.Second)
		if cuts := h.Stats().Cuts; cuts["too slow"] != 3 || len(cuts) != 1 {
			t.Fatalf("cut are %v, want the three who do not read", cuts)
		}
		for uid, dialect := range map[string]string{"loud": "v1", "mute": "v1", "erin": "v2"} {
			if lines := h.log.lines("level=WARN", "subscription cut", "too slow", "dialect="+dialect, "uid="+uid, "channel=room"); len(lines) != 1 {
				t.Errorf("%d lines about %s in the log", len(lines), uid)
			}
		}
		// erin still gets the frames that were being written, then the reason.
		for f := (wsFrame{}); f.op != opClose; {
			var err error
			if f, err = readWSFrame(erin.r); err != nil || f != blob(message) && f.op != opPing && f != closing(1008, "too slow") {
				t.Fatalf("erin reads %v, %v", f, err)
			}
		}
		loud.says("I talk on")
		carol.gets(loud.frame("I talk on"))
		mute.nc.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := mute.nc.Write(mute.frame("me too")); err == nil {
			t.Error("who never said anything, and does not read, is not closed")
		}
		time.Sleep(3 * time.Second)
		h.members(3)
	})
}

// A burst cuts nobody: who reads again within 30 s has lost nothing.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conf := secret
		conf.HistoryLimit = bridge.NoHistory
		h := openPipes(t, conf)
		alice, bob, carol := h.v1Joins("alice", "room", ""), h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
		go func() {
			for {
				if _, err := readV1Frame(alice.r); err != nil {
					return
				}
			}
		}()
		bob.gets(carol.onV1(""))
		const n = 340 // 68 MiB
		message := flood(alice, n, bob)
		time.Sleep(25 * time.Second)
		carol.gets(blob(message))
		for i := 1; i < n; {
			f, err := readWSFrame(carol.r)
			if err != nil || f != blob(message) && f.op != opPing {
				t.Fatalf("carol reads %v, %v", f, err)
			}
			if f.op == opBinary {
				i++
			}
		}
		alice.says("end")
		carol.gets(blob("end"))
	})
}

// Where nobody reads, the publisher is slowed; after 30 s without a move those
// who stand still are cut, and it goes on.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conf := secret
		conf.HistoryLimit = bridge.NoHistory
		h := openPipes(t, conf)
		alice, bob, carol := h.v1Joins("alice", "room", ""), h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
		alice.gets(bob.frame(""), carol.onV1(""))
		start := time.Now()
		flood(alice, 60) // 12 MiB
		if took := time.Since(start); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("the publisher went on after %s", took)
		}
		synctest.Wait() // it may go on before both have been told
		if cuts := h.Stats().Cuts; cuts["stalled"] != 2 {
			t.Errorf("cut are %v", cuts)
		}
		if lines := h.log.lines("subscription cut", "stalled"); len(lines) != 2 {
			t.Errorf("the log of it: %q", lines)
		}
		time.Sleep(3 * time.Second)
		h.members(1)
	})
}

// Clients that join, send and leave without reading a byte of a big history lose
// nothing of what they sent.
func TestPublishAndGoBesideHistory(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, secret)
			bob := h.v1Joins("bob", "room", "")
			alice := h.v1Joins("alice", "room", "")
			bob.gets(alice.frame(""))
			flood(alice, 80, bob) // 16 MiB
			for i := range 5 {
				one, two := h.v1(), h.v2()
				one.join(fmt.Sprint("one", i), "room", "joined")
				two.join(fmt.Sprint("two", i), "room")
				var last, end []byte
				for n := range 100 {
					last = append(last, one.frame(fmt.Sprint(n))...)
					end = append(end, final(opText, fmt.Sprint(n))...)
				}
				one.sends(last)
				two.sends(end)
				one.nc.Close() // with the history unread, which makes it a reset
				two.nc.Close()
				heard := map[string]int{}
				for len(heard) < 2 || heard["one"] < 101 || heard["two"] < 101 {
					f, err := readV1Frame(bob.r)
					if err != nil {
						t.Fatal(err, heard)
					}
					who := "one"
					want := one.frame(fmt.Sprint(heard["one"] - 1))
					if heard["one"] == 0 {
						want = one.frame("joined")
					}
					if bytes.Contains(f, []byte(two.uid)) {
						who = "two"
						want = two.onV1(fmt.Sprint(heard["two"] - 1))
						if heard["two"] == 0 {
							want = two.onV1("")
						}
					}
					if !bytes.Equal(f, want) {
						t.Fatalf("bob reads %.100q, want %.100q", f, want)
					}
					heard[who]++
				}
			}
		})
	}
}
