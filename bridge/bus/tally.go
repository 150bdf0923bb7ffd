package bus

import "time"

// Traffic is what went one way between a member and its channel.
type Traffic struct {
	Messages int64 // events
	Bytes    int64 // of these, as the member's dialect has them on the wire or as the event's Data or Message
}

// Usage is what a member has done until a moment, and what it has yet to do.
type Usage struct {
	// In is what it published. Bytes are those of Event.Data, or of Message
	// where there is no Data. A first event that says something counts; a
	// Resync does not.
	In Traffic
	// Out is what it was given to write, history included. Bytes are exact.
	// Messages are as of the last time it had been given all there was, so
	// that one who lags has a few more.
	Out Traffic
	// Last is when it last published something; zero: never.
	Last time.Time
	// Lag is how many bytes it has yet to take, those given out last and the
	// log's index included; see the package's doc. Of a member without
	// subscription it is what that was when it ended.
	Lag int64
	// Subscribed says whether there is a subscription, which a member may lose before it leaves.
	Subscribed bool
}

// A tally is a member's part of that. The channel's lock guards it, which whoever
// publishes or is given something holds anyway.
type tally struct {
	in, out Traffic
	last    int64 // Unix ns of the last event published; 0: none
	// While subscribed, excluded counts events of the log that were not for it: earlier ones and its own, less those
	// of its replay. Then it is the lag that was left: a member is one of many, and there is no room for both.
	excluded int64
}

// published counts events of the member.
func (t *tally) published(events []Event, now time.Time) {
	if len(events) == 0 {
		return
	}
	t.in.Messages += int64(len(events))
	for i := range events {
		if e := &events[i]; e.Data != nil {
			t.in.Bytes += int64(len(e.Data))
		} else {
			t.in.Bytes += int64(len(e.Message))
		}
	}
	t.last = now.UnixNano()
}

// Usage returns what m has done until now, and whether it is still a member.
func (m *Member) Usage() (u Usage, present bool) {
	m.ch.mu.Lock()
	defer m.ch.mu.Unlock()
	return m.usage()
}

// usage is Usage for those who hold the channel's lock.
func (m *Member) usage() (u Usage, present bool) {
	u = Usage{In: m.tally.in, Out: m.tally.out}
	if m.tally.last != 0 {
		u.Last = time.Unix(0, m.tally.last)
	}
	if u.Lag = m.tally.excluded; m.log != nil {
		u.Lag, u.Subscribed = m.lag(), true
	}
	return u, !m.left
}
