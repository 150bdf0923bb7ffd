package bridge_test

import (
	"fmt"
	"testing"

	"mles/bridge"
)

// Every row of protocol.md, "Between the dialects", with v1 over WebSocket: what
// happens reaches bob (v1), carol (v2) and wendy (v1 over WebSocket), who are
// there, and the same three dialects from the history.
func TestV1WSTable(t *testing.T) {
	t.Parallel()
	for mode, sees := range map[bridge.JoinMode]struct{ live, history bool }{
		bridge.JoinsHistory: {false, true},
		bridge.JoinsLive:    {true, true},
		bridge.JoinsOff:     {false, false},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			conf := withWS(secret)
			conf.V2Joins = mode
			h := open(t, conf)
			var onV1 [][]byte
			var onV2, onWS []wsFrame
			bob := h.v1Joins("bob", "room", "")
			carol := h.v2Joins("carol", "room")
			wendy := h.v1wsJoins("wendy", "room", "")
			if sees.history {
				carol.gets(notice("bob", "room"))
				onV2 = append(onV2, notice("bob", "room"), notice("carol", "room"), notice("wendy", "room"))
			}
			if sees.live {
				carol.gets(notice("wendy", "room"))
			}
			bob.gets(carol.onV1(""), wendy.onV1(""))
			wendy.gets(bob.onWS(""), carol.onWS(""))
			onV1 = append(onV1, bob.frame(""), carol.onV1(""), wendy.onV1(""))
			onWS = append(onWS, bob.onWS(""), carol.onWS(""), wendy.onWS(""))

			// happens notes an event, and has all three read it: frame on v1, ws on v1
			// over WebSocket, unless that is empty, and on v2 what was said.
			happens := func(frame []byte, ws wsFrame, arrived string, said ...wsFrame) {
				t.Helper()
				bob.gets(frame)
				onV1 = append(onV1, frame)
				if ws.op != 0 {
					wendy.gets(ws)
					onWS = append(onWS, ws)
				}
				if arrived != "" && sees.history {
					onV2 = append(onV2, notice(arrived, "room"))
				}
				onV2 = append(onV2, said...)
				if arrived != "" && sees.live {
					carol.gets(notice(arrived, "room"))
				}
				carol.gets(said...)
			}
			nothing := wsFrame{}

			// From v1 over TCP.
			alice := h.v1Joins("alice", "room", "")
			happens(alice.frame(""), alice.onWS(""), "alice")
			dan := h.v1Joins("dän", "room", "I am \x00\xff\n")
			happens(dan.frame("I am \x00\xff\n"), dan.onWS("I am \x00\xff\n"), "dän", blob("I am \x00\xff\n"))
			happens(alice.says("one"), alice.onWS("one"), "", blob("one"))
			happens(alice.sends(keyed(77, msgBody("behind", "room", ""))), body("behind", "room", ""), "behind")
			happens(alice.sends(v1Frame(1, 2, msgBody("behind", "room", "hi"))), body("behind", "room", "hi"), "", blob("hi"))
			happens(alice.sends(v1Frame(3, 4, msgBody("lost", "elsewhere", ""))), nothing, "lost")
			happens(alice.sends(v1Frame(5, 6, msgBody("lost", "elsewhere", "where?"))), nothing, "", blob("where?"))
			happens(alice.sends(v1Frame(7, 8, []byte("not a body"))), nothing, "")
			odd := "\x83\x61u\x64room\x63hi!" // an array, and a message as text
			happens(alice.sends(keyed(9, []byte(odd))), blob(odd), "", blob("hi!"))

			// From v2.
			erin := h.v2Joins("ërin", "room")
			happens(erin.onV1(""), erin.onWS(""), "ërin")
			for _, f := range []wsFrame{text("täxt"), blob("bin\x00\xff"), text(""), blob("")} {
				erin.says(f)
				happens(erin.onV1(f.data), erin.onWS(f.data), "", f)
			}

			// From v1 over WebSocket.
			wanda := h.v1wsJoins("wanda", "room", "")
			happens(wanda.onV1(""), body("wanda", "room", ""), "wanda")
			walter := h.v1wsJoins("wälter", "room", "hello")
			happens(walter.onV1("hello"), body("wälter", "room", "hello"), "wälter", blob("hello"))
			happens(walter.onV1("two\x00\xff"), walter.says("two\x00\xff"), "", blob("two\x00\xff"))
			happens(walter.onV1(""), walter.says(""), "wälter")
			other := msgBody("another", "room", "as another") // each frame has a uid of its own
			wanda.sends(final(opBinary, string(other)))
			happens(wanda.headed("another", "room", other), blob(string(other)), "", blob("as another"))
			wanda.sends(final(opBinary, odd))
			happens(wanda.headed("u", "room", []byte(odd)), blob(odd), "", blob("hi!"))
			wanda.sends(final(opBinary, string(msgBody("third", "room", ""))))
			happens(wanda.headed("third", "room", msgBody("third", "room", "")), body("third", "room", ""), "third")

			late := h.v1Joins("late", "room", "")
			late.gets(onV1...)
			wilma := h.v1wsJoins("wilma", "room", "")
			wilma.gets(onWS...)
			wilma.gets(late.onWS(""))
			later := h.v2Joins("later", "room")
			later.gets(onV2...)
			if sees.history {
				later.gets(notice("late", "room"), notice("wilma", "room"))
			}

			// Nobody was sent more than that.
			if sees.live {
				carol.gets(notice("late", "room"), notice("wilma", "room"), notice("later", "room"))
			}
			wendy.gets(late.onWS(""), body("wilma", "room", ""), later.onWS(""))
			bob.says("end")
			carol.gets(blob("end"))
			later.gets(blob("end"))
			wendy.gets(bob.onWS("end"))
			wilma.gets(later.onWS(""), bob.onWS("end"))
			late.gets(wilma.onV1(""), later.onV1(""), bob.frame("end"))
			if st := h.Stats(); st.Untranslatable != 1 || st.Astray != 2 || st.V1WSMembers != 4 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// Never back to the sender, live: wendy and wanda hear each other only, although
// both call themselves the same. From the history they get their own too.
func TestV1WSNoEcho(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	wendy, wanda := h.v1wsJoins("w", "room", ""), h.v1wsJoins("w", "room", "hi")
	wanda.gets(body("w", "room", ""))
	wendy.gets(body("w", "room", "hi"))
	for i := range 5 {
		wanda.gets(wendy.says(fmt.Sprint("a", i)))
		wendy.gets(wanda.says(fmt.Sprint("b", i)))
	}
	wendy.leaves()
	wendy = h.v1wsJoins("w", "room", "")
	wendy.gets(body("w", "room", ""), body("w", "room", "hi"), body("w", "room", "a0"), body("w", "room", "b0"))
	wanda.gets(body("w", "room", ""))
}

// One connection is on several channels, and on each of them a member like any
// other, with the history first. Frames tell channels apart by what they name.
func TestV1WSChannels(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	bobs := make([]*v1client, 64)
	for i := range bobs {
		bobs[i] = h.v1Joins("bob", fmt.Sprint("room", i), "")
		bobs[i].says("before")
	}
	h.until("all have spoken", func() bool { return h.Stats().MessagesIn["v1"] == 64 })
	wendy := h.v1wsJoins("wendy", "room0", "")
	for i, bob := range bobs {
		if i > 0 {
			wendy.enters(bob.channel, fmt.Sprint("here I am ", i))
			bob.gets(wendy.headed("wendy", bob.channel, msgBody("wendy", bob.channel, fmt.Sprint("here I am ", i))))
		} else {
			bob.gets(wendy.onV1(""))
		}
		wendy.gets(bob.onWS(""), bob.onWS("before"))
	}
	h.members(128)
	for i, bob := range bobs { // each hears its own channel only
		wendy.saysOn(bob.channel, fmt.Sprint("to ", i))
		bob.gets(wendy.headed("wendy", bob.channel, msgBody("wendy", bob.channel, fmt.Sprint("to ", i))))
		bob.says("live")
		wendy.gets(bob.onWS("live"))
	}
	if n := h.Stats().V1WSMembers; n != 64 {
		t.Errorf("%d members", n)
	}

	// One channel more ends it; what was said before is heard, and it leaves all.
	wendy.saysOn("room7", "last words")
	wendy.saysOn("one more", "")
	wendy.closed(1008, "too many channels")
	bobs[7].gets(wendy.headed("wendy", "room7", msgBody("wendy", "room7", "last words")))
	h.members(64)
	h.until("wendy is counted out", func() bool { return h.Stats().V1WSMembers == 0 })
	if st := h.Stats(); st.Channels != 64 || st.V1WSMembers != 0 {
		t.Errorf("%+v", st)
	}
	if !h.hasLogged(1, "level=WARN", "too many channels", "dialect=v1ws", "uid=wendy") {
		t.Error("more than one line of it in the log")
	}
}

// What one sender says on one channel arrives in that order, whatever else it says
// in between, and so does what it reads.
func TestV1WSOrder(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	const rooms, each = 8, 400
	wendy := h.v1wsJoins("wendy", "room0", "")
	readers := make([]*v1wsclient, rooms)
	for i := range readers {
		if i > 0 {
			wendy.enters(fmt.Sprint("room", i), "")
		}
		readers[i] = h.v1wsJoins("reader", fmt.Sprint("room", i), "")
		readers[i].gets(body("wendy", readers[i].channel, ""))
		wendy.gets(readers[i].onWS(""))
	}
	go func() {
		for n := range each {
			for i := range rooms {
				wendy.nc.Write(final(opBinary, string(msgBody("wendy", fmt.Sprint("room", i), fmt.Sprint(n)))))
			}
		}
	}()
	done := make(chan struct{})
	for _, r := range readers {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := range each {
				if f, err := readWSFrame(r.r); err != nil || f != body("wendy", r.channel, fmt.Sprint(n)) {
					t.Errorf("%s reads %v, %v, want %d", r.channel, f, err, n)
					return
				}
			}
		}()
	}
	for range readers {
		<-done
	}
}

// Names may be empty, as v1 lets them.
func TestV1WSEmptyNames(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	wendy := h.v1wsJoins("", "", "")
	bob := h.v1Joins("bob", "", "hi")
	wendy.gets(bob.onWS("hi"))
	bob.gets(wendy.onV1(""))
	wendy.enters("room", "")
	carol := h.v2Joins("carol", "room")
	carol.gets(notice("", "room"))
	wendy.gets(carol.onWS(""))
	wendy.saysOn("room", "boo")
	carol.gets(blob("boo"))
}

// Without a shared key the header has that of the client's address, and with
// several the first one's.
func TestV1WSHeaders(t *testing.T) {
	t.Parallel()
	for name, conf := range map[string]bridge.Config{
		"address": {},
		"shared":  {V1Keys: []string{"one", "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, withWS(conf))
			bob, wendy := h.v1Joins("bob", "room", ""), h.v1wsJoins("wendy", "room", "")
			bob.gets(wendy.onV1(""))
			wendy.says("x")
			bob.gets(wendy.onV1("x"))
		})
	}
}

// A peer's memory of the channel reaches v1 over WebSocket, but for what does not
// decode or names another channel.
func TestV1WSResync(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	wendy := h.v1wsJoins("wendy", "room", "")
	key := v1Key(secret.V1Keys[0], "peer", "room")
	peer := h.v1()
	h.joins("v1", func() {
		peer.sends(keyed(0, resyncBody(keyed(key, msgBody("peer", "room", "")), keyed(1, msgBody("a", "room", "one")),
			keyed(2, []byte("nonsense")), keyed(3, msgBody("a", "hall", "astray")), keyed(4, msgBody("b", "room", "two")))))
	})
	want := []wsFrame{body("peer", "room", ""), body("a", "room", "one"), body("b", "room", "two")}
	wendy.gets(want...)
	late := h.v1wsJoins("late", "room", "")
	late.gets(want...)
	late.gets(body("wendy", "room", ""))
	if st := h.Stats(); st.Untranslatable != 1 || st.Astray != 1 {
		t.Errorf("%+v", st)
	}
}
