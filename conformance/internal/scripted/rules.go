package scripted

import (
	"net/http"
	"net/netip"
	"time"
)

// Rules are all that a server decides by. Hooks that take a Channel or a Member
// are called under the server's lock, so a fault may keep state of its own there;
// the others are called from any connection's goroutine.
type Rules struct {
	// Verdicts says what follows from a remark; what is not in it is ignored.
	Verdicts map[Remark]Verdict

	// Keys of v1. Hash is over parts with their separators, Spellings are those of
	// a client's address that are accepted, the first being that of made headers,
	// KeyFits compares the key of a first frame.
	Hash      func(parts ...string) uint64
	Spellings func(netip.AddrPort) []string
	KeyFits   func(s *Server, from netip.AddrPort, key uint64, uid, channel string) bool

	// Header reads the header of a v1 frame, 16 bytes.
	Header func(h []byte) Header
	// Decode reads a v1 body.
	Decode func(body []byte, maxNesting int) (Msg, []Remark)

	// JoinBy is the frame of a ResyncMsg by which it joins: that whose key is
	// checked. Restore says what is stored of its frames.
	JoinBy  func(outer Frame, contained []Frame) Frame
	Restore func(ch *Channel, events []*Event)

	// Accept are the header lines of a 101.
	Accept func(req *http.Request, sum string) []string

	// HelloText may change a hello before it is read, MemberName a member's name,
	// ReadAuth reads the digits of an auth, Auth is the hash, AuthFits the decision.
	HelloText  func([]byte) []byte
	MemberName func(string) string
	ReadAuth   func(string) (uint64, bool)
	Auth       func(uid, channel, key string) uint64
	AuthFits   func(s *Server, h Hello) bool

	// Unmask takes the mask off a client's payload, Message joins the fragments of
	// one message, Pong answers a ping (nil: not at all), Control is the event
	// that a ping or pong makes (nil: none), CloseReply is the payload of the answer
	// to a close frame (nil: none), Greeting is said after the upgrade.
	Unmask     func(mask [4]byte, b []byte)
	Message    func(fragments [][]byte) [][]byte
	Pong       func(payload []byte) []byte
	Control    func(op byte, payload []byte) *Event
	CloseReply func(payload []byte) []byte
	Greeting   func() [][]byte
	// WSFrame writes a frame of the server.
	WSFrame func(first byte, payload []byte) []byte

	// Name is the channel that a joiner of a channel by this name gets into.
	Name func(d Dialect, channel string) string
	// Taken returns the member that holds the place of m, which is not in yet.
	Taken func(ch *Channel, m *Member) *Member
	// Lives asks a holder whether it lives. It is called without the lock.
	Lives func(holder *Member) bool
	// Yields says who goes when the holder lives.
	Yields func(holder, second *Member) *Member
	// Admit makes m a member: replays the history, adds it, publishes what it
	// came with.
	Admit func(ch *Channel, m *Member, first []*Event)
	// Replay returns the history for a joiner.
	Replay func(ch *Channel, to *Member) []*Event
	// Recipients are those who get an event, Deliver gives it to one of them,
	// Encode writes it in the dialect of a member.
	Recipients func(ch *Channel, from *Member, e *Event) []*Member
	Deliver    func(to *Member, frames [][]byte)
	Encode     func(ch *Channel, e *Event, to *Member, replay bool) [][]byte
	// Notice is a join notice, Made a v1 frame for a v2 member's event.
	Notice func(ch *Channel, e *Event) []byte
	Made   func(ch *Channel, e *Event) []byte
	// Store puts an event into the history.
	Store func(ch *Channel, e *Event)
	// Leave takes a member out.
	Leave func(ch *Channel, m *Member)

	// HistoryLimit counts events, EmptyLimit those of them that are empty
	// arrivals.
	HistoryLimit, EmptyLimit int
	// MaxHello, MaxName in bytes; MaxMessage is what v2 may send, by names.
	MaxHello, MaxName int
	MaxMessage        func(uid, channel string) int
	// MaxBody bounds a v1 body.
	MaxBody int
	// MaxNesting bounds maps, arrays and tags in each other.
	MaxNesting int
	// HelloTime is from accept to the first frame's header or the hello, StallTime
	// is how long 64 KiB of a frame may take.
	HelloTime, StallTime time.Duration
	// PingEvery and PingMisses: that many unanswered, and at the next it is over.
	PingEvery  time.Duration
	PingMisses int
}

// Correct returns the rules as the protocol has them.
func Correct() *Rules {
	return &Rules{
		Verdicts:   verdicts(),
		Hash:       hash,
		Spellings:  spellings,
		KeyFits:    keyFits,
		Header:     readHeader,
		Decode:     decode,
		JoinBy:     func(_ Frame, contained []Frame) Frame { return contained[0] },
		Restore:    restore,
		Accept:     accept,
		HelloText:  func(b []byte) []byte { return b },
		MemberName: func(s string) string { return s },
		ReadAuth:   readAuth,
		Auth:       auth,
		AuthFits:   authFits,
		Unmask:     unmask,
		Message:    joined,
		Pong:       func(payload []byte) []byte { return payload },
		Control:    func(byte, []byte) *Event { return nil },
		CloseReply: func(payload []byte) []byte { return payload[:min(2, len(payload))] },
		Greeting:   func() [][]byte { return nil },
		WSFrame:    wsFrame,
		Name:       func(_ Dialect, channel string) string { return channel },
		Taken:      taken,
		Lives:      lives,
		Yields:     func(_, second *Member) *Member { return second },
		Admit:      admit,
		Replay:     func(ch *Channel, _ *Member) []*Event { return ch.History },
		Recipients: others,
		Deliver:    func(to *Member, frames [][]byte) { to.Send(frames...) },
		Encode:     encode,
		Notice:     notice,
		Made:       made,
		Store:      store,
		Leave:      leave,

		HistoryLimit: 200,
		EmptyLimit:   100,
		MaxHello:     8192,
		MaxName:      1024,
		MaxMessage:   maxMessage,
		MaxBody:      0xffffff,
		MaxNesting:   127,
		HelloTime:    10 * time.Second,
		StallTime:    10 * time.Second,
		PingEvery:    24 * time.Second,
		PingMisses:   3,
	}
}
