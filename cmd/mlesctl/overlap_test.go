package main

import (
	"strings"
	"testing"
)

// channel writes a run of events: "b:hi" is bob's message, "+b" that he joined.
func channel(text string) []event {
	var events []event
	for _, word := range strings.Fields(text) {
		if uid, ok := strings.CutPrefix(word, "+"); ok {
			events = append(events, event{join: true, uid: uid})
			continue
		}
		uid, message, _ := strings.Cut(word, ":")
		events = append(events, event{uid: uid, data: []byte(message)})
	}
	return events
}

func written(events []event) string {
	var words []string
	for _, e := range events {
		if e.join {
			words = append(words, "+"+e.uid)
		} else {
			words = append(words, e.uid+":"+string(e.data))
		}
	}
	return strings.Join(words, " ")
}

func TestNewsOfAReplay(t *testing.T) {
	for _, c := range []struct{ name, seen, sent, replay, news string }{
		{"nothing seen", "", "", "b:1 b:2", "b:1 b:2"},
		{"nothing new", "b:1 b:2", "", "b:1 b:2", ""},
		{"nothing kept", "b:1 b:2", "", "", ""},
		{"one new", "b:1 b:2", "", "b:1 b:2 b:3", "b:3"},
		{"a history shorter than the memory", "b:1 b:2 b:3 b:4", "", "b:3 b:4 b:5", "b:5"},
		{"all kept is new", "b:1 b:2", "", "b:7 b:8", "b:7 b:8"},
		{"a server that restarted", "b:1 b:2", "", "c:hi", "c:hi"},
		{"the same words by another", "b:1 b:2", "", "c:1 c:2", "c:1 c:2"},
		{"a pattern that repeats", "b:1 b:2 b:1 b:2 b:3", "", "b:3 b:1 b:2", "b:1 b:2"},
		{"the last one again", "b:1 b:2", "", "b:1 b:2 b:2", "b:2"},
		{"one word said over and over", "b:1", "", "b:1 b:1", "b:1"},
		{"joins are replaced and left out", "+b b:1 +c b:2", "", "b:1 b:2 +c +b +d b:3", "+c +b +d b:3"},
		{"joins only", "b:1", "", "b:1 +c", "+c"},
		{"own messages between", "b:1 b:2", "a:x a:y", "b:1 a:x b:2 a:y b:3", "b:3"},
		{"own messages at the beginning", "b:1 b:2", "a:x", "a:x b:2 b:3", "b:3"},
		{"own messages that never arrived", "b:1 b:2", "a:x a:y", "b:1 a:x b:2", ""},
		{"own messages only", "", "a:x a:y", "a:x a:y", ""},
		{"own and another's alike", "a:x b:1", "a:x", "a:x a:x b:1 b:2", "b:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := newTail()
			for _, e := range channel(c.seen) {
				memory.saw(e)
			}
			for _, e := range channel(c.sent) {
				memory.said(e)
			}
			if got := written(memory.news(channel(c.replay))); got != c.news {
				t.Errorf("new is %q, want %q", got, c.news)
			}
		})
	}
}

func TestTailForgetsTheOldest(t *testing.T) {
	memory := newTail()
	var all []event
	for i := range 3 * keptSeen {
		e := event{uid: "b", data: []byte{byte(i), byte(i >> 8)}}
		all = append(all, e)
		memory.saw(e)
	}
	if len(memory.seen) > 2*keptSeen {
		t.Fatalf("remembers %d messages", len(memory.seen))
	}
	replay := append(all, channel("b:new")...)
	if got := written(memory.news(replay)); got != "b:new" {
		t.Errorf("of a history longer than the memory %d events are new, want one", len(memory.news(replay)))
	}
}
