package bus

import "testing"

// A hook is a sink that does something when it is woken.
type hook struct {
	hand
	do func(m *Member)
}

func (h *hook) Wake(m *Member) {
	h.hand.Wake(m)
	if h.do != nil {
		do := h.do
		h.do = nil
		do(m)
	}
}

// TestWakeAgainWhileWaking: while alice's publish is still waking her readers,
// those it has yet to come to have already read everything (they were busy
// anyway), all but one, and are woken by bob's. Nobody's wake-up may get lost
// over it, least of all that of the one.
func TestWakeAgainWhileWaking(t *testing.T) {
	for one := range 4 {
		b := New(Config{Codec: testCodec{}})
		defer b.Close()
		join := func(s Sink) *Member { return mustJoin(t, b, Join{Channel: "c", Sink: s}) }
		alice, bob := join(&honest{}), join(&honest{})
		defer alice.Leave()
		defer bob.Leave()
		var sinks [4]*hook
		var readers [4]*Member
		for i := range sinks {
			sinks[i] = &hook{}
			readers[i] = join(sinks[i])
			defer readers[i].Leave()
		}
		for i, r := range readers {
			read(r, 1<<20) // the others' arrivals
			sinks[i].wakes = 0
		}
		for i := range sinks {
			sinks[i].do = func(*Member) {
				for j, r := range readers {
					sinks[j].do = nil
					if j != one {
						read(r, 1<<20)
					}
				}
				bob.Publish([]Event{{Message: []byte("and this")}})
			}
		}
		alice.Publish([]Event{{Message: []byte("this")}})
		for i, s := range sinks {
			if s.wakes == 0 {
				t.Errorf("reader %d was never woken", i)
			}
		}
		for i, r := range readers {
			if r.wakeNext != nil {
				t.Errorf("reader %d is still chained to another", i)
			}
		}
	}
}
