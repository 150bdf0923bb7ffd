package scripted

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"time"
	"unicode/utf8"
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
	// FrameRead is called when a frame of either dialect has been read; an error
	// ends the connection before anything of the frame is heeded.
	FrameRead func(c *Conn) error
	// Impatient takes what one read gives for all that there is of a frame or
	// request, HoldsUp keeps the server's lock while a later frame comes, Lingers
	// leaves a connection open when all has been said.
	Impatient, HoldsUp, Lingers bool
	// AtOnce passes each fragment on as it comes, PongsLate answers a ping after
	// the message it came in, GoesOn takes no notice of a close frame once it is
	// answered.
	AtOnce, PongsLate, GoesOn bool
	// AnyByte has any byte start the clock of a frame anew.
	AnyByte bool
	// Hears says what of a v2 member shows that it lives, by opcode.
	Hears func(op byte) bool
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

	// Head sees the head of each frame, Length what it says of the length. Unmask takes the mask off a client's
	// payload, Fragment sees what has come of a message, Size counts it, Message
	// joins the fragments of one, TextFits says whether they are UTF-8, Pong answers a ping (nil: not at all), Control is the event
	// that a ping or pong makes (nil: none), CloseReply is the payload of the answer
	// to a close frame (nil: none), Greeting is said after the upgrade.
	Head       func(first byte, n uint64)
	Length     func(n uint64) uint64
	Unmask     func(mask [4]byte, b []byte)
	Fragment   func(c *Conn, last bool, fragments [][]byte) [][]byte
	Message    func(op byte, fragments [][]byte) (byte, [][]byte)
	Size       func(before, n int) int
	TextFits   func(fragments [][]byte) bool
	Pong       func(op byte, payload []byte) []byte
	Control    func(op byte, payload []byte) *Event
	CloseReply func(payload []byte) []byte
	Greeting   func() [][]byte
	// LastWord is what a close frame becomes.
	LastWord func(frame []byte) []byte
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
	// Notice is a join notice, Made a v1 frame for an event that came as none, Body
	// what v1 WebSocket members get.
	Notice func(ch *Channel, e *Event) []byte
	Made   func(ch *Channel, e *Event) []byte
	Body   func(ch *Channel, e *Event) []byte
	// PlaceOf may say which member of a v1 WebSocket speaks, where it is none of the
	// channel that a body names; latest joined last. nil: it joins.
	PlaceOf func(latest *Member, msg Msg) *Member
	// Store puts an event into the history.
	Store func(ch *Channel, e *Event)
	// Write writes what is queued for a connection.
	Write func(to net.Conn, batch [][]byte) error
	// Ended is called when a connection has, which had joined or not.
	Ended func(c *Conn, joined bool)
	// Leave takes a member out, whose connection ended by cause.
	Leave func(ch *Channel, m *Member, cause error)

	// HistoryLimit counts events, EmptyLimit those of them that are empty
	// arrivals.
	HistoryLimit, EmptyLimit int
	// MaxHello, MaxName in bytes; MaxMessage is what v2 may send, by names.
	MaxHello, MaxName int
	MaxMessage        func(uid, channel string) int
	// MaxBody bounds a v1 body, MaxFirst the first of a v1 WebSocket, MaxChannels
	// how many channels that is in.
	MaxBody, MaxFirst, MaxChannels int
	// MaxNesting bounds maps, arrays and tags in each other.
	MaxNesting int
	// HelloTime is from accept to the first frame's header or the hello, StallTime
	// is how long 64 KiB of a frame may take.
	HelloTime, StallTime time.Duration
	// PingEvery and PingMisses: that many unanswered, and at the next it is over.
	// PingEveryWS is for v1 WebSockets.
	PingEvery, PingEveryWS time.Duration
	PingMisses             int
}

// Correct returns the rules as the protocol has them.
func Correct() *Rules {
	return &Rules{
		Verdicts:   verdicts(),
		Hash:       hash,
		Spellings:  spellings,
		KeyFits:    keyFits,
		Header:     readHeader,
		FrameRead:  func(*Conn) error { return nil },
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
		Head:       func(byte, uint64) {},
		Length:     func(n uint64) uint64 { return n },
		Fragment:   func(_ *Conn, _ bool, fragments [][]byte) [][]byte { return fragments },
		Size:       func(before, n int) int { return before + n },
		Message:    joined,
		TextFits:   func(fragments [][]byte) bool { return utf8.Valid(bytes.Join(fragments, nil)) },
		LastWord:   func(frame []byte) []byte { return frame },
		Pong:       pong,
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
		Body:       bodyOf,
		Store:      store,
		Leave:      leave,
		Write:      write,
		Hears:      func(byte) bool { return true },
		Ended:      func(*Conn, bool) {},

		HistoryLimit: 200,
		EmptyLimit:   100,
		MaxHello:     8192,
		MaxName:      1024,
		MaxMessage:   maxMessage,
		MaxBody:      0xffffff,
		MaxFirst:     0xffffff,
		MaxChannels:  64,
		MaxNesting:   127,
		HelloTime:    10 * time.Second,
		StallTime:    10 * time.Second,
		PingEvery:    24 * time.Second,
		PingEveryWS:  12 * time.Second,
		PingMisses:   3,
	}
}
