package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"mles/bridge"
)

// The history is one for all dialects, oldest first, and has one's own earlier
// frames too.
func TestHistory(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice := h.v1Joins("alice", "room", "hi")
	erin := h.v2Joins("erin", "room")
	sequence := alice.sends(v1Frame(1, 0xfedcba9876543210, msgBody("alice", "room", "numbered")))
	erin.gets(notice("alice", "room"), blob("hi"), blob("numbered"))
	alice.gets(erin.onV1(""))
	erin.says(text("täxt"))
	alice.gets(erin.onV1("täxt"))
	alice.leaves()
	erin.leaves()

	alice = h.v1Joins("alice", "room", "again")
	alice.gets(alice.frame("hi"), erin.onV1(""), sequence, erin.onV1("täxt"))
	erin = h.v2Joins("erin", "room")
	erin.gets(notice("alice", "room"), blob("hi"), notice("erin", "room"), blob("numbered"), text("täxt"), notice("alice", "room"), blob("again"))
}

// Channels are apart, whatever their names look like.
func TestChannelsApart(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	names := []string{"room", "Room", "room ", "roo", "röom", "ro\u0308om", ""}
	var there []*v1client
	for _, name := range names {
		there = append(there, h.v1Joins("bob", name, ""))
	}
	for i, name := range names {
		alice := h.v1Joins("alice", name, "to "+name)
		alice.gets(there[i].frame(""))
		there[i].gets(alice.frame("to " + name))
	}
	for i, bob := range there {
		end := h.v1Joins("end", names[i], "")
		bob.gets(end.frame(""))
	}
}

// The limit counts events in all dialects together; a join with a message is one.
func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.HistoryLimit = 4
	h := open(t, conf)
	alice := h.v1Joins("alice", "room", "joined")
	erin := h.v2Joins("erin", "room")
	alice.gets(erin.onV1(""))
	alice.says("one")
	erin.gets(notice("alice", "room"), blob("joined"), blob("one"))
	erin.says(blob("two"))
	alice.gets(erin.onV1("two"))

	bob := h.v1Joins("bob", "room", "")
	bob.gets(alice.frame("joined"), erin.onV1(""), alice.frame("one"), erin.onV1("two"))
	carol := h.v2Joins("carol", "room")
	carol.gets(notice("erin", "room"), blob("one"), blob("two"), notice("bob", "room"))
	bob.gets(carol.onV1(""), alice.says("three"))
	dora := h.v1Joins("dora", "room", "")
	dora.gets(erin.onV1("two"), bob.frame(""), carol.onV1(""), alice.frame("three"))
}

// 200 events unless told otherwise.
func TestDefaultHistoryLimit(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice, bob := h.v1Joins("alice", "room", "0"), h.v2Joins("bob", "room")
	bob.gets(notice("alice", "room"), blob("0"))
	for i := range 250 {
		alice.says(fmt.Sprint(i))
		bob.gets(blob(fmt.Sprint(i)))
	}
	carol, dora := h.v1Joins("carol", "room", "first"), h.v2Joins("dora", "room")
	for i := 50; i < 250; i++ {
		carol.gets(alice.frame(fmt.Sprint(i)))
		if i > 50 {
			dora.gets(blob(fmt.Sprint(i)))
		}
	}
	dora.gets(notice("carol", "room"), blob("first"))
	carol.gets(dora.onV1(""))
}

// With no history nothing is stored, and all the same heard.
func TestNoHistory(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.HistoryLimit = bridge.NoHistory
	conf.V2Joins = bridge.JoinsLive
	h := open(t, conf)
	alice := h.v1Joins("alice", "room", "hi")
	erin := h.v2Joins("erin", "room")
	alice.gets(erin.onV1(""))
	alice.says("one")
	erin.gets(blob("one"))
	bob := h.v1Joins("bob", "room", "")
	erin.gets(notice("bob", "room"))
	erin.says(text("two"))
	bob.gets(erin.onV1("two"))
}

// An empty join takes the place of the same one before: of the same uid and in
// the same dialect, and only of an empty one.
func TestEmptyJoinsReplace(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob := h.v1Joins("bob", "room", "")
	flap := func(message string) []byte {
		c := h.v1Joins("phone", "room", message)
		bob.gets(c.frame(message))
		c.leaves()
		return c.frame(message)
	}
	flap("")
	said := flap("here")
	phone := h.v2Joins("phone", "room")
	bob.gets(phone.onV1(""))
	for range 3 {
		flap("")
	}
	phone.leaves()
	phone = h.v2Joins("phone", "room")
	bob.gets(phone.onV1(""))
	phone.says(text("")) // no join, although it looks like one on v1
	bob.gets(phone.onV1(""))
	phone.says(blob("x"))
	bob.gets(phone.onV1("x"))
	last := flap("")

	carol := h.v1Joins("carol", "room", "")
	carol.gets(bob.frame(""), said, phone.onV1(""), phone.onV1(""), phone.onV1("x"), last)
	dora := h.v2Joins("dora", "room")
	dora.gets(notice("bob", "room"), notice("phone", "room"), blob("here"), notice("phone", "room"), text(""), blob("x"),
		notice("phone", "room"), notice("carol", "room"))
}

// Empty joins fill at most half of the limit: those who come and go do not push
// out what was said.
func TestEmptyJoinsBounded(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"even": 10, "odd": 7, "two": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := secret
			conf.HistoryLimit = limit
			h := open(t, conf)
			alice := h.v1Joins("alice", "room", "m0")
			said := [][]byte{alice.frame("m0")}
			bob := h.v2Joins("bob", "room")
			bob.gets(notice("alice", "room"), blob("m0"))
			for i := 1; i < limit-limit/2; i++ {
				m := fmt.Sprint("m", i)
				said = append(said, alice.says(m))
				bob.gets(blob(m))
			}
			var joins [][]byte
			for i := range 3 * limit {
				c := h.v1Joins(fmt.Sprint("device", i), "room", "")
				c.leaves()
				joins = append(joins, c.frame(""))
			}
			carol := h.v1Joins("carol", "room", "last")
			carol.gets(said...)
			carol.gets(joins[len(joins)-limit/2:]...)
			h.v2Joins("end", "room")
			end := keyed(v1Key("swordfish", "end", "room"), msgBody("end", "room", ""))
			carol.gets(end)
		})
	}
}

// The history is bounded in bytes as well, 32 MiB; the newest messages are kept.
func TestHistoryBytes(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice, bob := h.v1Joins("alice", "room", "small"), h.v2Joins("bob", "room")
	bob.gets(notice("alice", "room"), blob("small"))
	var big [][]byte
	for i := range 4 {
		m := strings.Repeat(fmt.Sprint(i), 10<<20)
		big = append(big, alice.says(m))
		bob.gets(blob(m))
	}
	carol := h.v1Joins("carol", "room", "")
	carol.gets(big[1:]...)
	dora := h.v1Joins("dora", "room", "")
	carol.gets(dora.frame(""))
}
