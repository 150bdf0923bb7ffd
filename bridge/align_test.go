package bridge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// say makes traces of words: one that begins with + is an arrival.
func say(words string) (traces []trace) {
	for _, w := range strings.Fields(words) {
		traces = append(traces, trace{digestOf([]byte(w)), w[0] == '+'})
	}
	return traces
}

// A storyteller tells a ledger what happens on a link, in words.
type storyteller struct {
	t *testing.T
	l ledger
}

func (s *storyteller) hears(words string) {
	s.t.Helper()
	for _, w := range strings.Fields(words) {
		if !s.l.heard(say(w)[0]) {
			s.t.Errorf("%s is not new", w)
		}
	}
}

func (s *storyteller) hearsAgain(words string) {
	s.t.Helper()
	for _, w := range strings.Fields(words) {
		if s.l.heard(say(w)[0]) {
			s.t.Errorf("%s is new", w)
		}
	}
}

func (s *storyteller) sends(words string) {
	for _, t := range say(words) {
		s.l.wrote(t)
	}
}

// replays has the server replay a whole history, in which what is in brackets is
// new.
func (s *storyteller) replays(words string) { s.t.Helper(); s.replay(words, true) }

// begins has it replay what may be only the beginning.
func (s *storyteller) begins(words string) { s.t.Helper(); s.replay(words, false) }

func (s *storyteller) replay(words string, complete bool) {
	s.t.Helper()
	plain := strings.NewReplacer("[", "", "]", "").Replace(words)
	var got, want []string
	for _, w := range strings.Fields(words) {
		if strings.HasPrefix(w, "[") {
			want = append(want, strings.Trim(w, "[]"))
		}
	}
	names := strings.Fields(plain)
	for i, isNew := range s.l.align(say(plain), complete) {
		if isNew {
			got = append(got, names[i])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("of %.300q is new (-want +got):\n%s", plain, diff[:min(len(diff), 2000)])
	}
}

// first makes the link's first connection, on which the server replays words.
func (s *storyteller) first(words string) {
	s.l.connected()
	for i, isNew := range s.l.align(say(words), true) {
		if !isNew {
			s.t.Errorf("the first replay's frame %d is not new", i)
		}
	}
}

func many(format string, from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, format+" ", i)
	}
	return b.String()
}

func TestReplayStories(t *testing.T) {
	for name, tell := range map[string]func(s *storyteller){
		"nothing happened": func(s *storyteller) {
			s.first("a b")
			s.hears("c")
			s.l.connected()
			s.replays("a b c")
			s.hears("d")
		},
		"somebody went on while we were away": func(s *storyteller) {
			s.first("a b")
			s.sends("s1 s2")
			s.hears("c")
			s.l.connected()
			s.replays("a b s1 c s2 [d] [e]")
		},
		"the server took ours later than we sent it": func(s *storyteller) {
			s.first("")
			s.sends("s1 s2 s3")
			s.hears("a b")
			s.l.connected()
			s.replays("a b s1 [c] s2 [d] s3")
		},
		"the server never got the last of ours": func(s *storyteller) {
			s.first("a")
			s.sends("s1 s2 s3")
			s.l.connected()
			s.replays("a s1 [b]")
			s.sends("s4")
			s.l.connected()
			s.replays("a s1 b s4")
		},
		"it remembers less than we know": func(s *storyteller) {
			s.first("a b c d")
			s.sends("s1")
			s.hears("e f g h")
			s.l.connected()
			s.replays("f g h [i] [j]")
		},
		"all that we know has scrolled away": func(s *storyteller) {
			s.first("a b c")
			s.l.connected()
			s.replays("[d] [e] [f]")
			s.l.connected()
			s.replays("e f [g]")
		},
		"only ours is left of what we know": func(s *storyteller) {
			s.first("a b c")
			s.sends("s1 s2")
			s.l.connected()
			s.replays("[d] s2 [e]")
		},
		"identical payloads": func(s *storyteller) {
			s.first("on on")
			s.hears("on")
			s.l.connected()
			s.replays("on on on [on] [on]")
		},
		"identical payloads in both directions": func(s *storyteller) {
			s.first("on")
			s.sends("on off")
			s.hears("off on")
			s.l.connected()
			s.replays("on on off on off [on] [on]")
		},
		"identical payloads, arrivals between": func(s *storyteller) {
			s.sends("+us")
			s.first("+carl on on")
			s.sends("+us")
			s.sends("on off")
			s.hears("on")
			s.l.connected()
			s.sends("+us")
			s.replays("+carl on on +us on off on [on] [news]")
		},
		"a reply between identical payloads": func(s *storyteller) {
			s.first("")
			s.sends("ping")
			s.hears("pong")
			s.sends("ping")
			s.hears("pong")
			s.l.connected()
			s.replays("ping pong ping pong [ping] [pong]")
		},
		"the server was restarted without history": func(s *storyteller) {
			s.first("a b c d")
			s.hears("on")
			s.l.connected()
			s.replays("")
			s.hears("on")
			s.l.connected()
			s.replays("on [on]")
		},
		"it was restarted, and what is new looks like what was": func(s *storyteller) {
			s.first("a b c on")
			s.l.connected()
			s.replays("[on]")
			s.l.connected()
			s.replays("on [on]")
		},
		"it was restarted with all of its history": func(s *storyteller) {
			s.first(many("a%d", 1, 100))
			s.l.connected()
			s.replays(many("a%d", 1, 100) + "[b]")
		},
		"it was restarted with an older state of its history": func(s *storyteller) {
			s.first(many("a%d", 1, 100))
			s.l.connected()
			s.replays(many("a%d", 1, 90) + "[b] [a95]")
		},
		"it was restarted and took our ResyncMsg for its history": func(s *storyteller) {
			s.first("a b")
			s.sends("s1")
			s.hears("c")
			s.l.connected()
			s.l.offers(say("s0 a b c s1"))
			s.replays("")
			s.hears("d")
			s.sends("s2")
			s.l.connected()
			s.replays("s0 a b c s1 d s2 [e]")
		},
		"it took it, and the connection was cut before we knew": func(s *storyteller) {
			s.first("a b")
			s.sends("s1")
			s.hears("c")
			s.l.connected()
			s.l.offers(say("s0 x a b c s1"))
			s.l.connected()
			s.l.offers(say("s0 x a b c s1 s2"))
			s.replays("s0 x a b c s1 [d]")
			s.hears("e")
			s.l.connected()
			s.replays("s0 x a b c s1 d e [f]")
		},
		"it did not take it": func(s *storyteller) {
			s.first("a b")
			s.l.connected()
			s.l.offers(say("s0 a b"))
			s.replays("a b [c]")
			s.l.connected()
			s.replays("a b c [d]")
		},
		"another gateway has given it a history in an order of its own": func(s *storyteller) {
			s.first(many("a%d", 1, 60))
			s.l.connected()
			s.replays("[x] " + many("a%d", 2, 30) + "a1 " + many("a%d", 31, 60) + "[y]")
		},
		"more was sent than is remembered": func(s *storyteller) {
			s.first(many("a%d", 1, 20))
			s.sends(many("s%d", 1, 3000))
			s.hears(many("b%d", 1, 20))
			s.l.connected()
			s.replays(many("a%d", 1, 20) + many("s%d", 1, 3000) + many("b%d", 1, 20) + "[c]")
		},
		"it remembers more than we do": func(s *storyteller) {
			s.first(many("a%d", 1, 4000))
			s.l.connected()
			s.replays(many("a%d", 1, 4000) + "[b]")
			s.hears(many("c%d", 1, 4000))
			s.l.connected()
			s.replays(many("a%d", 1, 4000) + "b " + many("c%d", 1, 4000) + "[d]")
		},
		"the replay takes longer than we wait": func(s *storyteller) {
			s.first("a b c d e f")
			s.sends("s1")
			s.l.connected()
			s.begins("a b c")
			s.hearsAgain("d e")
			s.hearsAgain("f")
			s.hears("f")
		},
		"the replay takes longer than we wait, ours behind it": func(s *storyteller) {
			s.first("a b c d")
			s.sends("s1")
			s.l.connected()
			s.begins("a b")
			s.hearsAgain("c s1 d")
			s.hears("e")
			s.l.connected()
			s.replays("a b c s1 d e [f]")
		},
		"the connection is cut in the middle of the replay": func(s *storyteller) {
			s.first("a b c d")
			s.sends("s1")
			s.l.connected()
			s.begins("a b")
			s.l.connected()
			s.replays("a b c s1 d [e]")
		},
		"arrivals are told live": func(s *storyteller) {
			s.first("+anna a")
			s.sends("+carl s1")
			s.hears("+berta +anna")
			s.l.connected()
			s.sends("+us")
			s.replays("+anna a +carl s1 +berta +anna [+anna] [b]")
		},
		"arrivals are told in the history only": func(s *storyteller) {
			s.first("+anna a")
			s.sends("+us s1")
			s.hears("b c")
			s.l.connected()
			s.replays("+anna a +us [+berta] b s1 [+anna] c [+dora]")
			s.l.connected()
			s.replays("+anna a +us +berta b s1 +anna c +dora [+dora] [d]")
		},
		"arrivals move": func(s *storyteller) {
			s.first("+anna a +berta +carl")
			s.l.connected()
			s.replays("a +carl [+berta] [+anna]")
		},
		"nothing but arrivals": func(s *storyteller) {
			s.first("+anna +berta")
			s.l.connected()
			s.replays("+anna +berta [+anna] [+berta]")
		},
	} {
		t.Run(name, func(t *testing.T) { tell(&storyteller{t: t}) })
	}
}

// explanations lists, for every way in which a replay may be what mapping.md
// says, how much of it is known and which messages are new.
func explanations(told, sent, replay string) map[string]int {
	found := make(map[string]int)
	note := func(known int, fresh string) { found[fresh] = max(found[fresh], known) }
	// behind goes on where everything told has come.
	var behind func(k, j, known int, fresh string)
	behind = func(k, j, known int, fresh string) {
		if k == len(replay) {
			note(known, fresh)
			return
		}
		behind(k+1, j, known, fresh+replay[k:k+1])
		if j < len(sent) && sent[j] == replay[k] {
			behind(k+1, j+1, known+1, fresh)
		}
	}
	var within func(k, i, j int)
	within = func(k, i, j int) {
		if i == len(told) {
			behind(k, j, k, "")
			return
		}
		if k == len(replay) {
			return
		}
		if told[i] == replay[k] {
			within(k+1, i+1, j)
		}
		if j < len(sent) && sent[j] == replay[k] {
			within(k+1, i, j+1)
		}
	}
	for j := range len(sent) + 1 {
		for i := range len(told) + 1 {
			within(0, i, j)
		}
	}
	return found
}

func letters(s string) (traces []trace) {
	for i := range len(s) {
		traces = append(traces, trace{digest: digestOf([]byte{s[i]})})
	}
	return traces
}

// TestLongestOverlap: what align finds is an explanation of the replay with the
// longest overlap, among all that there are.
func TestLongestOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := func(name string, most int) string {
			return rapid.StringMatching(fmt.Sprintf("[ab]{0,%d}|[abc]{0,%d}|[a-f]{0,%d}", most, most, most)).Draw(t, name)
		}
		told, sent := word("told", 5), word("sent", 4)
		replay := word("replay", 9)
		if rapid.Bool().Draw(t, "likely") {
			replay = told[rapid.IntRange(0, len(told)).Draw(t, "from"):] + replay
		}
		l := ledger{told: letters(told), sent: letters(sent)}
		l.connected()
		isNew := l.align(letters(replay), true)
		fresh := ""
		for i := range isNew {
			if isNew[i] {
				fresh += replay[i : i+1]
			}
		}
		found := explanations(told, sent, replay)
		most := 0
		for _, known := range found {
			most = max(most, known)
		}
		if known, ok := found[fresh]; !ok || known < most {
			t.Fatalf("told %q, sent %q, replayed %q: new is %q (explains %v, %d), but up to %d can be explained: %v",
				told, sent, replay, fresh, ok, known, most, found)
		}
	})
}

// A modelServer has a history and passes on what one link does not know yet.
type modelServer struct {
	limit   int
	history []string
	inbox   []string // sent by the link, not yet taken
	outbox  []string // for the link, not yet delivered
	online  bool
}

func (s *modelServer) store(word string, mine bool) {
	s.history = append(s.history, word)
	if len(s.history) > s.limit {
		s.history = s.history[1:]
	}
	if s.online && !mine {
		s.outbox = append(s.outbox, word)
	}
}

// TestReplaysOfAServer: others speak on a server and so does a link, whose
// connection is cut at random points, with what was under way in either direction.
// Everything the others said that the server still remembers reaches the link,
// once and in their order, where all frames differ.
func TestReplaysOfAServer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &modelServer{limit: rapid.SampledFrom([]int{3, 10, 200, 3000}).Draw(t, "limit")}
		var l ledger
		var published, said []string
		lost := map[string]bool{}
		n := 0
		word := func(by string) string { n++; return fmt.Sprintf("%s%d", by, n) }
		publish := func(w string) { published = append(published, w) }
		deliver := func(k int) {
			for _, w := range s.outbox[:k] {
				if !l.heard(say(w)[0]) {
					t.Fatalf("%s is not new", w)
				}
				publish(w)
			}
			s.outbox = s.outbox[k:]
		}
		connect := func() {
			l.connected()
			s.online, s.inbox, s.outbox = true, nil, nil
			for k := rapid.IntRange(0, 2).Draw(t, "said meanwhile"); k > 0; k-- {
				w := word("o")
				said = append(said, w)
				s.store(w, false)
			}
			replay := append([]string(nil), s.history...)
			s.outbox = nil
			for i, isNew := range l.align(say(strings.Join(replay, " ")), true) {
				if isNew {
					publish(replay[i])
				}
			}
		}
		connect()
		for range rapid.IntRange(0, 150).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3:
				w := word("o")
				said = append(said, w)
				s.store(w, false)
			case 4, 5:
				if s.online {
					w := word("s")
					l.wrote(say(w)[0])
					s.inbox = append(s.inbox, w)
				}
			case 6:
				if len(s.inbox) > 0 {
					s.store(s.inbox[0], true)
					s.inbox = s.inbox[1:]
				}
			case 7:
				deliver(rapid.IntRange(0, len(s.outbox)).Draw(t, "delivered"))
			case 8:
				s.online = false
			case 9:
				if !s.online {
					if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
						for _, w := range s.history {
							lost[w] = true
						}
						s.history = nil
					}
					connect()
				}
			}
		}
		if !s.online {
			connect()
		}
		deliver(len(s.outbox))
		at := 0
		for _, w := range said {
			if at < len(published) && published[at] == w {
				at++
			}
		}
		if at < len(published) {
			t.Fatalf("doubled, out of order, or our own: %v of\n%v, said was\n%v", published[at], published, said)
		}
		if s.limit > len(said)+n {
			got := make(map[string]bool)
			for _, w := range published {
				got[w] = true
			}
			for _, w := range said {
				if !got[w] && !lost[w] {
					t.Fatalf("%s never came: %v", w, published)
				}
			}
		}
	})
}

// TestHostileReplay: whatever a server replays, aligning it ends and what is
// remembered stays bounded.
func TestHostileReplay(t *testing.T) {
	same := letters(strings.Repeat("a", 50_000))
	var l ledger
	for _, t := range same[:5000] {
		l.wrote(t)
		l.heard(t)
	}
	l.offers(same)
	l.connected()
	l.align(same, true)
	for _, t := range same {
		l.heard(t)
		l.wrote(t)
	}
	if n := max(len(l.told), len(l.sent)); n > 2*maxTraces {
		t.Errorf("%d traces are kept", n)
	}
}

func BenchmarkAlign(b *testing.B) {
	for name, format := range map[string]string{"different": "%d", "identical": "on"} {
		words := strings.Fields(strings.Repeat(format+" ", 1024))
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "%d", fmt.Sprint(i))
		}
		traces := say(strings.Join(words, " "))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l := ledger{told: latest(traces), sent: latest(traces)}
				l.connected()
				l.align(traces, true)
			}
		})
	}
}
