package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"mles/bridge"
	"mles/v1"
)

// counter is what a message that can be masked begins with.
var counter = strings.Repeat("\x07", 16)

// A disguise makes what others see of a channel behind mles-webproxy.
type disguise struct {
	t testing.TB
	*v1.Mask
}

func disguiseOf(t testing.TB, channel string) disguise { return disguise{t, v1.NewMask(channel)} }

func (d disguise) message(s string) string {
	d.t.Helper()
	if s == "" {
		return ""
	}
	b, err := d.AppendMessage(nil, []byte(s))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// body is the masked body of what uid says.
func (d disguise) body(uid, message string) []byte {
	d.t.Helper()
	return msgBody(d.Name(uid), d.Masked(), d.message(message))
}

// frame is that with the header made with a shared key.
func (d disguise) frame(uid, message string) []byte {
	d.t.Helper()
	return keyed(v1Key(secret.V1Keys[0], d.Name(uid), d.Masked()), d.body(uid, message))
}

func maskOnly() bridge.Config {
	conf := withWS(secret)
	conf.WebproxyMask = bridge.MaskOnly
	return conf
}

// With the mask only, v1 WebSocket members are on the masked channel, as behind
// mles-webproxy: they and who is there read each other, live and from history;
// the plain name is another channel.
func TestMaskOnly(t *testing.T) {
	t.Parallel()
	h := open(t, maskOnly())
	d := disguiseOf(t, "room")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	carol := h.v2Joins(d.Name("carol"), d.Masked())
	dora := h.v1Joins("dora", "room", "")
	vera.gets(carol.onV1(""))
	carol.gets(notice(vera.uid, d.Masked()))

	hi := counter + "hi"
	wendy := h.v1wsJoins("wendy", "room", hi)
	vera.gets(d.frame("wendy", hi))
	carol.gets(blob(d.message(hi)))
	wendy.gets(body("vera", "room", ""), body("carol", "room", ""))
	walter := h.v1wsJoins("walter", "room", "")
	vera.gets(d.frame("walter", ""))
	walter.gets(body("vera", "room", ""), body("carol", "room", ""), body("wendy", "room", hi))
	wendy.gets(body("walter", "room", ""))

	for i := range 3 {
		message := counter + fmt.Sprint("message ", i)
		walter.gets(wendy.says(message))
		vera.gets(d.frame("wendy", message))
		carol.gets(blob(d.message(message)))

		vera.says(d.message(message))
		wendy.gets(body("vera", "room", message))
		walter.gets(body("vera", "room", message))
		carol.gets(blob(d.message(message)))
		carol.says(blob(d.message(message)))
		wendy.gets(body("carol", "room", message))
		walter.gets(body("carol", "room", message))
		vera.gets(carol.onV1(d.message(message)))
	}
	large := counter + strings.Repeat("large", 1<<18)
	go wendy.nc.Write(final(opBinary, string(msgBody("wendy", "room", large))))
	walter.gets(body("wendy", "room", large))
	vera.gets(d.frame("wendy", large))
	carol.gets(blob(d.message(large)))

	late := h.v1Joins("late", "room", "") // where only dora is
	late.gets(dora.frame(""))
	dora.gets(late.frame(""))
	if n := h.Stats().Unmaskable; n != 0 {
		t.Errorf("%d messages counted that have no mask", n)
	}
}

// What has no mask goes no further, and is counted; who says it stays.
func TestMaskOnlyShort(t *testing.T) {
	t.Parallel()
	h := open(t, maskOnly())
	d := disguiseOf(t, "room")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	wendy := h.v1wsJoins("wendy", "room", "short") // joins, but without that
	vera.gets(d.frame("wendy", ""))
	wendy.gets(body("vera", "room", ""))
	wendy.says(strings.Repeat("s", 16))
	wendy.says(strings.Repeat("s", 17))
	vera.gets(d.frame("wendy", strings.Repeat("s", 17)))
	wendy.says("")
	vera.gets(d.frame("wendy", ""))

	vera.says("plain and short")
	stranger := h.v1Joins("a plain name", d.Masked(), counter+"x")
	vera.gets(stranger.frame(counter + "x"))
	vera.sends(keyed(1, []byte("no body")))
	vera.sends(keyed(1, msgBody(d.Name("vera"), "astray", counter+"x")))
	vera.says(d.message(counter + "end"))
	wendy.gets(body("vera", "room", counter+"end"))
	if st := h.Stats(); st.Unmaskable != 4 || st.Untranslatable != 1 || st.Astray != 1 {
		t.Errorf("%+v", st)
	}
}

// Each channel of a connection has its own mask, also where the other was joined
// before: mles-webproxy breaks the first channel with the second.
func TestMaskOnlyChannels(t *testing.T) {
	t.Parallel()
	h := open(t, maskOnly())
	one, two := disguiseOf(t, "one"), disguiseOf(t, "two")
	vera, vito := h.v1Joins(one.Name("vera"), one.Masked(), ""), h.v1Joins(two.Name("vito"), two.Masked(), "")
	wendy := h.v1wsJoins("wendy", "one", "")
	vera.gets(one.frame("wendy", ""))
	wendy.gets(body("vera", "one", ""))
	wendy.enters("two", "")
	vito.gets(two.frame("wendy", ""))
	wendy.gets(body("vito", "two", ""))
	for range 2 {
		wendy.saysOn("one", counter+"to one")
		vera.gets(one.frame("wendy", counter+"to one"))
		wendy.saysOn("two", counter+"to two")
		vito.gets(two.frame("wendy", counter+"to two"))
		vera.says(one.message(counter + "from one"))
		wendy.gets(body("vera", "one", counter+"from one"))
		vito.says(two.message(counter + "from two"))
		wendy.gets(body("vito", "two", counter+"from two"))
	}
}

// Names must leave room for what the mask adds.
func TestMaskOnlyLongNames(t *testing.T) {
	t.Parallel()
	h := open(t, maskOnly())
	fits, long := longName(v1.MaxMaskedName), longName(v1.MaxMaskedName+1)
	d := disguiseOf(t, fits)
	wendy := h.v1wsJoins(fits, fits, counter+"x")
	vera := h.v1Joins(d.Name("vera"), d.Masked(), "")
	vera.gets(d.frame(fits, counter+"x"))
	wendy.gets(body("vera", fits, ""))
	for _, names := range [][2]string{{long, fits}, {fits, long}} {
		eve := h.v1ws()
		eve.sends(final(opBinary, string(msgBody(names[0], names[1], ""))))
		eve.closed(1008, "name too long")
	}
	wendy.sends(final(opBinary, string(msgBody(long, fits, counter+"x"))))
	wendy.closed(1007, "body does not decode")
}

// A mask that nothing would use is a mistake.
func TestMaskOnlyNeedsWebSocket(t *testing.T) {
	t.Parallel()
	if _, err := bridge.New(bridge.Config{WebproxyMask: bridge.MaskOnly}); err == nil {
		t.Error("a gateway was made")
	}
}
