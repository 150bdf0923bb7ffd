package bus

// A Dialect numbers one way of writing events down. The bus keeps one log for
// each dialect that has members on a channel, and knows nothing else of it.
type Dialect uint8

// MaxDialects is how many dialects a bus can tell apart.
const MaxDialects = 5

// An Event is one thing that happened on a channel: somebody arrived, or said
// something, or both at once.
//
// The slices of an event that is given to [Bus.Join] or [Member.Publish]
// belong to the caller again when the call returns: what is stored is copied. The
// events themselves are changed: they are given their Ordinal.
type Event struct {
	// From is the dialect the event came in.
	From Dialect
	// Join says that the event announces UID on the channel. A join without
	// a message is the only kind that a later one replaces in the history.
	Join bool
	// Opaque marks data that could not be understood and so goes to members of
	// its own dialect only.
	Opaque bool
	// Ordinal is the event's number on its channel, given by the bus: later ones
	// have larger ones, but for 2^32 events after which they begin again.
	Ordinal uint32
	// Op is a small number of the dialect's own, such as an opcode.
	Op byte
	// Key is a larger number of the dialect's own, such as a header's key.
	Key uint64
	// UID names the sender where some dialect needs it: always in joins.
	UID string
	// Data is the event as it came, where its dialect passes that on.
	Data []byte
	// Message is what all dialects share. It may be a part of Data.
	Message []byte
}

// emptyJoin says whether the event announces somebody and says nothing else.
func (e *Event) emptyJoin() bool { return e.Join && len(e.Message) == 0 }

// clone returns the event with slices of its own, the first of them in buf if it
// fits: one allocation at most where Message is a part of Data.
func (e *Event) clone(buf []byte) Event {
	c := *e
	if at, ok := offset(e.Data, e.Message); ok {
		c.Data = append(buf, e.Data...)
		c.Message = c.Data[at : at+len(e.Message)]
		return c
	}
	c.Data, c.Message = nil, nil // even if empty: they may be cut from a large buffer
	if len(e.Data) > 0 {
		c.Data = append(buf, e.Data...)
		buf = nil
	}
	if len(e.Message) > 0 {
		c.Message = append(buf, e.Message...)
	}
	return c
}

// Inside tells where in Data the message stands, if it was cut from it.
func (e *Event) Inside() (at int, ok bool) { return offset(e.Data, e.Message) }

// offset tells where part lies in whole, if it was cut from it.
func offset(whole, part []byte) (int, bool) {
	at := cap(whole) - cap(part)
	if len(part) == 0 || at < 0 || at+len(part) > len(whole) || &whole[at] != &part[0] {
		return 0, false
	}
	return at, true
}

// A Codec writes events down in every dialect. Its methods are called with a
// channel locked, so they must not call the bus, and from many goroutines.
type Codec interface {
	// Size returns the length of what Append adds; 0 means that members of
	// dialect d do not get the event.
	Size(d Dialect, channel string, e *Event, replay bool) int
	// Append writes the event for members of dialect d, as one or more whole
	// frames: as it happens, or (replay) for a member that joins later. Where
	// Size is 0 it adds nothing.
	Append(dst []byte, d Dialect, channel string, e *Event, replay bool) []byte
}

// A Sink is the connection behind one or more members. Its methods are called
// from other members' goroutines and must not block.
type Sink interface {
	// Wake says that m has something to write: call [Member.Next] until it
	// has no more. It may be called again while that is going on.
	Wake(m *Member)
	// Cut says that m has lost its subscription, and why. It may still publish.
	Cut(m *Member, why Reason)
}

// A Reason says why a member lost its subscription.
type Reason string

// The reasons, which serve as labels in logs and counters.
const (
	// TooSlow: more than 64 MiB behind for more than 30 s.
	TooSlow Reason = "too slow"
	// Stalled: a publisher waited 30 s for members none of which moved.
	Stalled Reason = "stalled"
	// OverMemory: the furthest behind when the memory budget was used up.
	OverMemory Reason = "over memory"
	// Forgotten: only relays were left on the channel, and it was forgotten.
	Forgotten Reason = "forgotten"
	// Replaced: another connection took over its identity.
	Replaced Reason = "replaced"
)
