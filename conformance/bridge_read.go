package conformance

import (
	"fmt"
	"slices"
)

// saidUntil returns the messages that come before last, arrivals left out.
func (c *V1Conn) saidUntil(last string) []string {
	var got []string
	for {
		f := c.Next()
		b, ok := ReadBody(f[16:])
		switch {
		case !ok:
			c.t.Fatalf("%s got %s", c.name.String(), meaningV1(f))
		case b.Message == last:
			return got
		case b.Message != "":
			got = append(got, b.Message)
		}
	}
}

func (c *V2Conn) saidUntil(last string) []string {
	var got []string
	for {
		a := c.next(last)
		switch {
		case string(a.payload) == last:
			return got
		case !c.isNotice(a):
			got = append(got, string(a.payload))
		}
	}
}

// nextFrame and nextMessage return what comes next, for interleaved; the latter
// passes over join notices.
func (c *V1Conn) nextFrame() string { return string(c.Next()) }

func (c *V2Conn) nextMessage() string {
	a := c.next("a message")
	for c.isNotice(a) {
		a = c.next("a message")
	}
	return string(a.first) + string(a.payload)
}

// interleaved wants all of several sequences, each in its order, one between the
// other in any way.
func interleaved(t *T, who string, next func() string, sequences ...[]string) {
	left := 0
	for _, s := range sequences {
		left += len(s)
	}
	for ; left > 0; left-- {
		got := next()
		at := slices.IndexFunc(sequences, func(s []string) bool { return len(s) > 0 && s[0] == got })
		if at < 0 {
			t.Fatalf("%s got %s, which is next of no sender; %d are to come", who, short(got), left)
		}
		sequences[at] = sequences[at][1:]
	}
}

// frames and messages are what was told, for interleaved.
func (a told) frames() []string {
	var s []string
	for _, f := range a.v1 {
		s = append(s, string(f))
	}
	return s
}

func (a told) messages() []string {
	var s []string
	for _, h := range a.v2 {
		if !h.notice {
			s = append(s, string(h.first)+h.payload)
		}
	}
	return s
}

// newest are the last n events of a history in which each is one frame to v1
// members and one to v2 members.
func (a told) newest(n int) told {
	return told{a.v1[len(a.v1)-n:], a.v2[len(a.v2)-n:]}
}

// inTurn returns n messages that tell whose they are and their place.
func inTurn(who string, n int) []string {
	var messages []string
	for i := range n {
		messages = append(messages, fmt.Sprintf("%s %d", who, i))
	}
	return messages
}

// bothKinds are the messages as text and binary by turns.
func bothKinds(messages []string) []heard {
	var all []heard
	for i, m := range messages {
		if i%2 == 0 {
			all = append(all, heardText(m))
		} else {
			all = append(all, heardBinary(m))
		}
	}
	return all
}
