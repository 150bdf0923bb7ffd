package bridge_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

func maskLinked() bridge.Config {
	conf := withWS(secret)
	conf.WebproxyMask = bridge.MaskLink
	return conf
}

// With links those on the plain name and those on the masked one read each other,
// each in its own form, nothing twice and nobody itself: live and from history.
func TestMaskLink(t *testing.T) {
	t.Parallel()
	h := open(t, maskLinked())
	d := disguiseOf(t, "room")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "") // behind mles-webproxy
	dora := h.v1Joins("dora", "room", "")             // on the plain channel; nobody has joined it by WebSocket
	early := counter + "early"
	vera.says(d.message(early))
	dora.says(early + " too")

	// wendy's joining links the two: their histories are brought together first.
	wendy := h.v1wsJoins("wendy", "room", "")
	wendy.gets(dora.onWS(""), dora.onWS(early+" too"), body("vera", "room", ""), body("vera", "room", early))
	dora.gets(keyed(v1Key("swordfish", "vera", "room"), msgBody("vera", "room", "")), keyed(v1Key("swordfish", "vera", "room"), msgBody("vera", "room", early)), wendy.onV1(""))
	vera.gets(d.frame("dora", ""), d.frame("dora", early+" too"), d.frame("wendy", ""))

	carol := h.v2Joins("carol", "room")
	carol.gets(notice("dora", "room"), blob(early+" too"), notice("vera", "room"), blob(early), notice("wendy", "room"))
	dora.gets(carol.onV1(""))
	wendy.gets(carol.onWS(""))
	vera.gets(d.frame("carol", ""))
	fromVera := func(s string) []byte { return keyed(v1Key("swordfish", "vera", "room"), msgBody("vera", "room", s)) }
	for i := range 5 {
		n := counter + fmt.Sprint(i)
		wendy.says("w" + n)
		vera.gets(d.frame("wendy", "w"+n))
		dora.gets(wendy.onV1("w" + n))
		carol.gets(blob("w" + n))
		carol.says(text("c" + n))
		vera.gets(d.frame("carol", "c"+n))
		dora.gets(carol.onV1("c" + n))
		wendy.gets(carol.onWS("c" + n))
		dora.says("d" + n)
		vera.gets(d.frame("dora", "d"+n))
		wendy.gets(dora.onWS("d" + n))
		carol.gets(blob("d" + n))
		vera.says(d.message("v" + n))
		dora.gets(fromVera("v" + n))
		wendy.gets(body("vera", "room", "v"+n))
		carol.gets(blob("v" + n))
	}
	large := counter + strings.Repeat("large", 1<<18)
	go wendy.nc.Write(final(opBinary, string(msgBody("wendy", "room", large))))
	vera.gets(d.frame("wendy", large))
	go vera.says(d.message(large + "r"))
	wendy.gets(body("vera", "room", large+"r"))

	// The history of both has it all once, also for who comes to a link that is there.
	vito := h.v1Joins(d.Name("vito"), d.Masked(), "")
	vito.gets(vera.frame(""), vera.frame(d.message(early)), d.frame("dora", ""), d.frame("dora", early+" too"), d.frame("wendy", ""), d.frame("carol", ""))
	walter := h.v1wsJoins("walter", "room", "")
	walter.gets(dora.onWS(""), dora.onWS(early+" too"), body("vera", "room", ""), body("vera", "room", early), body("wendy", "room", ""), carol.onWS(""))
	for i := range 5 {
		n := counter + fmt.Sprint(i)
		vito.gets(d.frame("wendy", "w"+n), d.frame("carol", "c"+n), d.frame("dora", "d"+n), vera.frame(d.message("v"+n)))
		walter.gets(body("wendy", "room", "w"+n), carol.onWS("c"+n), dora.onWS("d"+n), body("vera", "room", "v"+n))
	}
	if st := h.Stats(); st.Unmaskable != 0 || st.Members != 6 {
		t.Errorf("%+v", st)
	}
}

// The link stays when those on WebSocket have left, so that nothing is said twice to
// who comes back, nor missing.
func TestMaskLinkStays(t *testing.T) {
	t.Parallel()
	h := open(t, maskLinked())
	d := disguiseOf(t, "room")
	wendy := h.v1wsJoins("wendy", "room", "")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	vera.gets(d.frame("wendy", ""))
	wendy.gets(body("vera", "room", ""))
	wendy.leaves()
	for range 3 { // the same thing over and over
		vera.says(d.message(counter + "on"))
	}
	h.until("the plain channel has it", func() bool { return remembered(h, "room") == 5 })
	wendy = h.v1wsJoins("wendy", "room", "")
	wendy.gets(body("wendy", "room", ""), body("vera", "room", ""), body("vera", "room", counter+"on"), body("vera", "room", counter+"on"), body("vera", "room", counter+"on"))
	vera.gets(d.frame("wendy", ""))
	vera.says(d.message(counter + "end"))
	wendy.gets(body("vera", "room", counter+"end"))
}

// remembered is how many events a channel remembers.
func remembered(h *house, channel string) int64 {
	for c := range h.Channels() {
		if c.Name == channel {
			return c.History.Messages
		}
	}
	return 0
}

// What has no mask, or is not masked, stays where it is, and is counted.
func TestMaskLinkUnmaskable(t *testing.T) {
	t.Parallel()
	h := open(t, maskLinked())
	d := disguiseOf(t, "room")
	wendy := h.v1wsJoins("wendy", "room", "short") // her arrival crosses, what she says does not
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	vera.gets(d.frame("wendy", ""))
	wendy.gets(body("vera", "room", ""))
	wendy.says(strings.Repeat("s", 16))
	vera.says("plain and short")
	vera.sends(keyed(1, []byte("no body")))
	vera.sends(keyed(1, msgBody(d.Name("vera"), "astray", counter+"x")))
	vera.sends(keyed(1, msgBody("no mask", d.Masked(), d.message(counter+"x"))))
	vera.says(d.message(counter + "end"))
	wendy.gets(body("vera", "room", counter+"end"))
	wendy.says(counter + "end")
	vera.gets(d.frame("wendy", counter+"end"))
	if n := h.Stats().Unmaskable; n != 6 {
		t.Errorf("%d counted, want 6", n)
	}
}

// Somebody who joins the masked name by WebSocket is on that; it has no twin of its
// own where it is one.
func TestMaskLinkMaskedByWebSocket(t *testing.T) {
	t.Parallel()
	h := open(t, maskLinked())
	d := disguiseOf(t, "room")
	carol := h.v2Joins("carol", "room")
	wanda := h.v2Joins(d.Name("wanda"), d.Masked())
	wanda.gets(notice(d.Name("carol"), d.Masked()))
	carol.says(blob(counter + "hello"))
	wanda.gets(blob(d.message(counter + "hello")))
	wanda.says(blob(d.message(counter + "hi")))
	carol.gets(blob(counter + "hi"))
	if n := h.Stats().Channels; n != 2 {
		t.Errorf("%d channels", n)
	}
}

// A link is counted among those who read only if somebody hears what it passes on:
// a publisher waits for its reader as on any channel, and for one on the twin.
func TestMaskLinkBackpressure(t *testing.T) {
	t.Parallel()
	for _, masked := range []bool{false, true} {
		t.Run(fmt.Sprint("reader masked ", masked), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conf := maskLinked()
				conf.HistoryLimit = bridge.NoHistory
				h := openPipes(t, conf)
				d := disguiseOf(t, "room")
				wendy := h.v1wsJoins("wendy", "room", "")
				synctest.Wait() // her arrival has reached the twin, where nobody is yet
				var bob *v1client
				if masked {
					bob = h.v1Joins(d.Name("bob"), d.Masked(), "")
				} else {
					bob = h.v1Joins("bob", "room", "")
				}
				wendy.gets(body("bob", "room", ""))
				go wendy.answers(true)
				message := counter + strings.Repeat("m", 1<<18)
				const many = 120 // 30 MiB
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					for range many {
						wendy.nc.Write(final(opBinary, string(msgBody("wendy", "room", message))))
					}
				}()
				time.Sleep(time.Second)
				select {
				case <-sent:
					t.Fatal("the publisher was not slowed")
				default:
				}
				for range many {
					if masked {
						bob.gets(d.frame("wendy", message))
					} else {
						bob.gets(wendy.onV1(message))
					}
				}
				<-sent
			})
		})
	}
}

// Where nothing is remembered, channels end with their last member, and so does the
// link between them; the next one makes another.
func TestMaskLinkEndsWithItsChannels(t *testing.T) {
	t.Parallel()
	conf := maskLinked()
	conf.HistoryLimit = bridge.NoHistory
	h := open(t, conf)
	d := disguiseOf(t, "room")
	empty := h.Stats().Memory
	for range 3 {
		wendy := h.v1wsJoins("wendy", "room", "")
		vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
		wendy.gets(body("vera", "room", ""))
		wendy.leaves()
		h.until("wendy has left", func() bool { return h.Stats().V1WSMembers == 0 })
		walter := h.v1wsJoins("walter", "room", "")
		vera.gets(d.frame("walter", ""))
		walter.says(counter + "one")
		vera.gets(d.frame("walter", counter+"one"))
		vera.says(d.message(counter + "two"))
		walter.gets(body("vera", "room", counter+"two"))
		vera.leaves()
		walter.leaves()
		h.until("both channels have gone", func() bool { return h.Stats().Channels == 0 })
	}
	h.until("so has what they took", func() bool { return h.Stats().Memory == empty })
}

// Who joins while the last one leaves is linked, too.
func TestMaskLinkHandedOver(t *testing.T) {
	t.Parallel()
	conf := maskLinked()
	conf.HistoryLimit = bridge.NoHistory
	h := open(t, conf)
	for i := range 100 {
		room := fmt.Sprint("room", i)
		d := disguiseOf(t, room)
		wendy := h.v1wsJoins("wendy", room, "")
		h.until("wendy is alone", func() bool { return h.Stats().V1WSMembers == 1 })
		walter := h.v1ws()
		go walter.nc.Write(final(opBinary, string(msgBody("walter", room, ""))))
		wendy.nc.Close()
		h.until("wendy has left, walter is there", func() bool {
			st := h.Stats()
			return st.V1WSMembers == 1 && st.Joins["v1ws"] == int64(2*i+2)
		})
		vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
		walter.gets(body("vera", room, ""))
		vera.leaves()
		walter.leaves()
		h.until("all have left", func() bool { return h.Stats().Channels == 0 })
	}
}

// Who stays on the plain name hears everybody who comes to the masked one, however
// often that has been left, and whether or not it is remembered.
func TestMaskLinkStaysForWhoIsThere(t *testing.T) {
	t.Parallel()
	conf := maskLinked()
	conf.HistoryLimit = bridge.NoHistory
	h := open(t, conf)
	d := disguiseOf(t, "room")
	wendy := h.v1wsJoins("wendy", "room", "")
	for range 3 {
		vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
		wendy.gets(body("vera", "room", ""))
		vera.says(d.message(counter + "one"))
		wendy.gets(body("vera", "room", counter+"one"))
		wendy.says(counter + "two")
		vera.gets(d.frame("wendy", counter+"two"))
		vera.leaves()
		h.until("vera has left", func() bool { return h.Stats().V1Members == 0 })
	}
	wendy.leaves()
	h.until("both channels have gone", func() bool { return h.Stats().Channels == 0 })
}

// A link that lags too far behind a reader of the masked channel is cut like anybody,
// but comes back by itself: what the channel remembers is made up for, in order and
// once, and the log tells of what it does not.
func TestMaskLinkIsMended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, maskLinked())
		d := disguiseOf(t, "room")
		vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
		wendy := h.v1wsJoins("wendy", "room", "")
		dora := h.v1Joins("dora", "room", "")
		dora.gets(keyed(v1Key("swordfish", "vera", "room"), msgBody("vera", "room", "")), wendy.onV1(""))
		go wendy.answers(true)
		vera.gets(d.frame("wendy", ""), d.frame("dora", ""))

		const many = 90 // 97 MiB
		padding := counter + strings.Repeat("m", 1100<<10)
		numbered := func(i int) string { return padding + fmt.Sprintf("%04d", i) }
		go func() { // dora reads all of it at once, so that nobody is slowed
			for {
				if _, err := readV1Frame(dora.r); err != nil {
					return
				}
			}
		}()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range many {
				wendy.nc.Write(final(opBinary, string(msgBody("wendy", "room", numbered(i)))))
			}
		}()
		next, gaps := 0, 0
		for next < many {
			f, err := readV1Frame(vera.r)
			if err != nil {
				t.Fatal(err)
			}
			var at int
			for at = next; at < many && string(f) != string(d.frame("wendy", numbered(at))); at++ {
			}
			if at == many {
				t.Fatalf("vera reads something twice, or out of order, after %d", next)
			}
			if at > next {
				gaps++
			}
			next = at + 1
			if h.Stats().Cuts["too slow"] == 0 {
				time.Sleep(5 * time.Second) // slow, but moving
			}
		}
		<-sent
		if cuts := h.Stats().Cuts; cuts["too slow"] != 1 || len(cuts) != 1 || gaps != 1 {
			t.Errorf("%d gaps, cuts %v", gaps, cuts)
		}
		if lines := h.log.lines("level=WARN", "link", "made anew", "channel=room"); len(lines) != 1 {
			t.Errorf("in the log: %q", lines)
		}
		vera.says(d.message(counter + "still there"))
		h.until("it has crossed", func() bool { return remembered(h, "room") > 0 })
		wendy.says(counter + "end")
		vera.gets(d.frame("wendy", counter+"end"))
	})
}

// The root that the gateway is a peer of hears those on the plain channel under their
// masked names, and they hear who is there, everything once.
func TestMaskLinkWithUpstream(t *testing.T) {
	t.Parallel()
	root := newHouse(t, secret)
	root.patience, root.wait = 20*time.Second, func() { time.Sleep(200 * time.Microsecond) }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	root.callV1 = func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	root.serve(func() error { return root.ServeV1(l) })
	conf := maskLinked()
	conf.Upstreams = []bridge.Upstream{{URL: "v1://" + l.Addr().String()}}
	h := open(t, conf)
	d := disguiseOf(t, "room")

	vera := root.v1Joins(d.Name("vera"), d.Masked(), "") // behind a mles-webproxy at the root
	vera.says(d.message(counter + "before"))
	wendy := h.v1wsJoins("wendy", "room", "")
	vera.gets(d.frame("wendy", ""))
	wendy.gets(body("vera", "room", ""), body("vera", "room", counter+"before"))
	walter := h.v1wsJoins("walter", "room", "")
	vera.gets(d.frame("walter", ""))
	wendy.gets(body("walter", "room", ""))
	walter.gets(body("wendy", "room", ""), body("vera", "room", ""), body("vera", "room", counter+"before"))
	for i := range 5 {
		n := counter + fmt.Sprint(i)
		wendy.says("w" + n)
		vera.gets(d.frame("wendy", "w"+n))
		walter.gets(body("wendy", "room", "w"+n))
		vera.says(d.message("v" + n))
		wendy.gets(body("vera", "room", "v"+n))
		walter.gets(body("vera", "room", "v"+n))
	}
	// Who was first leaves: the others stay connected.
	wendy.leaves()
	walter.says(counter + "still here")
	vera.gets(d.frame("walter", counter+"still here"))
	vera.says(d.message(counter + "end"))
	walter.gets(body("vera", "room", counter+"end"))
}

// Many talk at once on both sides while others come: everybody hears each of the
// others in order and once, from history or live, whichever side either is on.
func TestMaskLinkCrowd(t *testing.T) {
	t.Parallel()
	const each = 150
	conf := maskLinked()
	conf.HistoryLimit = 20 * each
	h := open(t, conf)
	d := disguiseOf(t, "room")
	wendy, carol, dora := h.v1wsJoins("wendy", "room", ""), h.v2Joins("carol", "room"), h.v1Joins("dora", "room", "")
	vera, vito := h.v1Joins(d.Name("vera"), d.Masked(), ""), h.v1Joins(d.Name("vito"), d.Masked(), "")
	message := func(who string, i int) string { return counter + who + " " + fmt.Sprint(i) }
	var talking sync.WaitGroup
	talk := func(who string, say func(message string) error) {
		talking.Go(func() {
			for i := range each {
				if err := say(message(who, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	write := func(nc net.Conn, b []byte) error { _, err := nc.Write(b); return err }
	talk("wendy", func(m string) error { return write(wendy.nc, final(opBinary, string(msgBody("wendy", "room", m)))) })
	talk("carol", func(m string) error { return write(carol.nc, final(opBinary, m)) })
	talk("dora", func(m string) error { return write(dora.nc, dora.frame(m)) })
	talk("vera", func(m string) error { return write(vera.nc, vera.frame(d.message(m))) })
	talk("vito", func(m string) error { return write(vito.nc, vito.frame(d.message(m))) })

	// hears checks what comes until all of the others have said all.
	var hearing sync.WaitGroup
	hears := func(who string, next func() (string, error)) {
		hearing.Go(func() {
			heard := map[string]int{"wendy": 0, "carol": 0, "dora": 0, "vera": 0, "vito": 0}
			delete(heard, who)
			for left := each * len(heard); left > 0; {
				m, err := next()
				if err != nil {
					t.Errorf("%s: %v, having heard %v", who, err, heard)
					return
				}
				at := strings.LastIndex(m, counter)
				if at < 0 {
					continue // an arrival
				}
				speaker, _, _ := strings.Cut(m[at+len(counter):], " ")
				if want := message(speaker, heard[speaker]); m[at:] != want {
					t.Errorf("%s hears %q, want %q", who, m[at:], want)
					return
				}
				heard[speaker]++
				left--
			}
		})
	}
	ws := func(c *v2client) func() (string, error) {
		return func() (string, error) { f, err := readWSFrame(c.r); return f.data, err }
	}
	masked := func(c *v1client) func() (string, error) {
		return func() (string, error) {
			f, err := readV1Frame(c.r)
			if err != nil || len(f) < 17+len(d.body("vera", "")) {
				return "", err
			}
			at := strings.Index(string(f), counter)
			if at < 0 {
				return "", nil
			}
			return d.message(string(f[at:])), nil
		}
	}
	hears("wendy", ws(wendy.v2client))
	hears("carol", ws(carol))
	hears("dora", func() (string, error) { f, err := readV1Frame(dora.r); return string(f), err })
	hears("vera", masked(vera))
	hears("vito", masked(vito))
	for i := range 3 {
		hears("late", ws(h.v1wsJoins(fmt.Sprint("late", i), "room", "").v2client))
		hears("late", ws(h.v2Joins(fmt.Sprint("later", i), "room")))
		hears("late", masked(h.v1Joins(d.Name(fmt.Sprint("latest", i)), d.Masked(), "")))
	}
	talking.Wait()
	hearing.Wait()
	if n := h.Stats().Unmaskable; n != 0 {
		t.Errorf("%d messages counted", n)
	}
}
