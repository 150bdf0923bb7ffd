package conformance

// A V2Conn is a raw v2 client after its upgrade.
type V2Conn struct {
	*WSConn
	// UID and Channel are those of the hello that Hello sent.
	UID, Channel string
}

// DialV2 connects and upgrades in the usual way, and sends no hello.
func (t *T) DialV2() *V2Conn {
	c := t.DialV2Deaf()
	c.Listen()
	return c
}

// DialV2Deaf is DialV2 for a client that reads nothing until Listen, and answers
// no pings.
func (t *T) DialV2Deaf() *V2Conn {
	h := t.DialHTTP()
	h.Send(h.Request(""))
	return h.ExpectUpgrade()
}

// meaningV2 tells what a frame says, in one line.
func meaningV2(a arrival) string { return meaningWS(a.first, a.payload) }

// Hello sends the hello of uid in channel, with the auth that the target wants,
// and returns its text.
func (c *V2Conn) Hello(uid, channel string) string {
	c.UID, c.Channel = uid, channel
	c.name.set("%s/v2", uid)
	hello := HelloText(uid, channel, c.t.Auth(uid, channel))
	c.SendText(hello)
	return hello
}
