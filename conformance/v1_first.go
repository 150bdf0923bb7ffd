package conformance

import (
	"bytes"
	"strconv"
)

// JoinWith sends a first frame with a body of the case's own, under the right key
// over uid and channel, and returns the frame.
func (c *V1Conn) JoinWith(uid, channel string, body []byte) []byte {
	key := c.Key(uid, channel)
	return c.joinBy(uid, channel, Frame(uint32(key), key, body))
}

// JoinAs sends a first frame with a CID of the case's own, and returns it.
func (c *V1Conn) JoinAs(cid uint32, uid, channel, message string) []byte {
	return c.joinBy(uid, channel, Frame(cid, c.Key(uid, channel), Map3(uid, channel, message)))
}

// joinBy sends a first frame of any kind, which is expected to join as uid.
func (c *V1Conn) joinBy(uid, channel string, first []byte) []byte {
	c.UID, c.Channel = uid, channel
	c.name.set("%s/v1", uid[:min(len(uid), 32)])
	c.Send(first)
	return first
}

// Until returns the frames that come before last, which comes too.
func (c *V1Conn) Until(last []byte) [][]byte {
	var frames [][]byte
	for {
		f := c.Next()
		if bytes.Equal(f, last) {
			return frames
		}
		frames = append(frames, f)
	}
}

// numbered returns n messages that tell their place: "0 of 3", "1 of 3", …
func numbered(n int, pad string) []string {
	messages := make([]string, n)
	for i := range messages {
		messages[i] = strconv.Itoa(i) + " of " + strconv.Itoa(n) + pad
	}
	return messages
}

// Host joins the first member of the room and makes certain that it is in: it is
// sent the join of somebody who was there before.
func (r *Room) Host(uid string) *V1Conn {
	before := r.VisitV1(r.t.UID("visitor"))
	c := r.V1(uid)
	c.ExpectFrame(before...)
	return c
}

// heardNothing proves that a member of the room has nothing left to read: what
// comes next is the visit of somebody who comes now.
func (r *Room) heardNothing(bob *V1Conn) {
	bob.ExpectFrame(r.VisitV1(r.t.UID("zoe"))...)
}
