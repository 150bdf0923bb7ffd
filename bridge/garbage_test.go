package bridge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Random, truncated and spoilt bytes come on every listener, before and after
// joining, while alice and bob talk: they notice nothing, and of what was no
// message nothing is heard.
func TestGarbage(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	safe := openTLS(t, secret)
	alice, bob := h.v1Joins("alice", "room", ""), h.v2Joins("bob", "room")
	bob.gets(notice("alice", "room"))
	alice.gets(bob.onV1(""))
	stop := make(chan struct{})
	var talk sync.WaitGroup
	talk.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			said := fmt.Sprint(n)
			if _, err := alice.nc.Write(alice.frame(said)); err != nil {
				t.Error("alice:", err)
				return
			}
			if f, err := readWSFrame(bob.r); err != nil || f != blob(said) {
				t.Errorf("bob reads %v, %v, want %s", f, err, said)
				return
			}
			if _, err := bob.nc.Write(final(opText, said)); err != nil {
				t.Error("bob:", err)
				return
			}
			if f, err := readV1Frame(alice.r); err != nil || !bytes.Equal(f, bob.onV1(said)) {
				t.Errorf("alice reads %q, %v, want %s", f, err, said)
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	var noise sync.WaitGroup
	for i := range 4 {
		random := rand.New(rand.NewPCG(uint64(i), 7))
		noise.Go(func() {
			for range 60 {
				call := []func() net.Conn{h.callV1, h.callV2, safe.tcpV1, safe.tcpV2}[i]
				shout(call(), spoilt(random, i))
			}
		})
	}
	noise.Wait()
	close(stop)
	talk.Wait()
	h.until("the noise has gone", func() bool { return h.Stats().Connections == 2 })
	safe.until("the noise has gone", func() bool { return safe.Stats().Connections == 0 })
	if st := h.Stats(); st.Members != 2 || st.Joins["v1"]+st.Joins["v2"] > 80 {
		t.Errorf("%+v", st)
	}
	if strings.Contains(h.log.String()+safe.log.String(), "panic") {
		t.Error("the log tells of a panic")
	}
}

// shout writes b and goes.
func shout(nc net.Conn, b []byte) {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	nc.Write(b)
	nc.(*net.TCPConn).CloseWrite()
	for buf := make([]byte, 4096); ; { // until the gateway is done, too
		if _, err := nc.Read(buf); err != nil {
			return
		}
	}
}

// spoilt returns bytes for a listener: 0 and 2 speak v1, 1 and 3 v2, the latter
// of both over TLS.
func spoilt(random *rand.Rand, listener int) []byte {
	var good []byte
	uid := fmt.Sprint("noise", random.Uint32())
	switch {
	case listener == 0:
		key := v1Key("swordfish", uid, "noise")
		good = keyed(key, msgBody(uid, "noise", "x"))
		if random.IntN(2) == 0 {
			good = keyed(key, resyncBody(good, keyed(key, msgBody(uid, "noise", "y"))))
		}
		good = append(good, keyed(key, msgBody(uid, "noise", "z"))...)
	case listener == 1:
		good = []byte(upgradeRequest("/", subprotocol))
		// A client waits for the answer; one that does not is refused, so both
		// the request and what follows are tried.
		if random.IntN(2) == 0 {
			good = append(good, final(opText, `{"uid":"`+uid+`","channel":"noise","auth":"`+v2Auth(uid, "noise", "swordfish")+`"}`)...)
		}
	default:
		good = []byte{22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3}
		good = append(good, make([]byte, 196)...)
	}
	switch random.IntN(4) {
	case 0:
		good = good[:random.IntN(len(good))]
	case 1:
		for range 1 + random.IntN(5) {
			good[random.IntN(len(good))] ^= 1 << random.IntN(8)
		}
	case 2:
		at := random.IntN(len(good))
		good = append(good[:at:at], append(noise(random, random.IntN(50)), good[at:]...)...)
	case 3:
		good = noise(random, random.IntN(5000))
	}
	return good
}

func noise(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// The same after the upgrade and after joining.
func TestGarbageAfterwards(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	carol := h.v1Joins("carol", "room", "")
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		b := noise(random, 1+random.IntN(300))
		nc := h.callV2()
		r := bufio.NewReader(nc)
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		if err := upgrade(nc, r, upgradeRequest("/", subprotocol)); err != nil {
			t.Fatal(err)
		}
		uid := fmt.Sprint("noise", i)
		if i%2 == 0 {
			nc.Write(final(opText, `{"uid":"`+uid+`","channel":"hall","auth":"`+v2Auth(uid, "hall", "swordfish")+`"}`))
		}
		shout(nc, b)
		nc = h.callV1()
		nc.Write(keyed(v1Key("swordfish", uid, "hall"), msgBody(uid, "hall", "")))
		shout(nc, b)
	}
	h.until("the noise has gone", func() bool { return h.Stats().Connections == 1 })
	dora := h.v1Joins("dora", "room", "")
	carol.gets(dora.frame(""))
	dora.gets(carol.frame(""))
}
