package conformance

import "encoding/json"

// ExpectText and ExpectBinary want this message next, in one frame. Join notices
// before it are passed over, as servers may send them when they like; ExpectFrame
// passes over nothing.
func (c *V2Conn) ExpectText(s string)   { c.expectBehindNotices(Fin|OpText, s) }
func (c *V2Conn) ExpectBinary(s string) { c.expectBehindNotices(Fin|OpBinary, s) }

// ExpectPong wants the answer to a ping, passing over join notices.
func (c *V2Conn) ExpectPong(payload string) { c.expectBehindNotices(Fin|OpPong, payload) }

func (c *V2Conn) expectBehindNotices(first byte, payload string) {
	want := meaningWS(first, []byte(payload))
	for {
		a := c.next(want)
		if a.first == first && string(a.payload) == payload {
			return
		}
		if !c.isNotice(a) {
			c.t.Fatalf("%s got %s; want %s", c.name.String(), meaningV2(a), want)
		}
	}
}

// A Notice is what a join notice says.
type Notice struct {
	UID     string
	Channel string
	HasAuth bool // which it must not
}

// ReadNotice reads a join notice: a JSON object with text for uid and channel.
func ReadNotice(text string) (Notice, bool) {
	var o map[string]json.RawMessage
	var n Notice
	if json.Unmarshal([]byte(text), &o) != nil || json.Unmarshal(o["uid"], &n.UID) != nil || json.Unmarshal(o["channel"], &n.Channel) != nil {
		return n, false
	}
	_, n.HasAuth = o["auth"]
	return n, true
}

func (c *V2Conn) isNotice(a arrival) bool {
	n, ok := ReadNotice(string(a.payload))
	return ok && a.first == Fin|OpText && n.Channel == c.Channel
}

// ExpectNotice wants a join notice of uid next, in the connection's channel. That
// it holds no auth is checked by one case, so that a server that leaves it in does
// not fail all of them; the notice is returned.
func (c *V2Conn) ExpectNotice(uid string) Notice {
	a := c.next("a join notice of " + uid)
	n, ok := ReadNotice(string(a.payload))
	if a.first != Fin|OpText || !ok || n.UID != uid || n.Channel != c.Channel {
		c.t.Fatalf("%s got %s; want a join notice of %s in %s", c.name.String(), meaningV2(a), uid, c.Channel)
	}
	return n
}
