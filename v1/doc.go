// Package v1 speaks Mles protocol version 1, both ends of it: channels over TCP in which everybody
// receives what the others send. What goes over the wire is written down in spec.md beside this file;
// the names of its sections appear in the comments here.
//
// # A client
//
// A client joins one channel per connection. [Dialer.Dial] connects, authenticates and joins in one
// frame; the [ClientConn] it returns sends messages with Send and receives those of the others with
// Recv, first the channel's history, then what happens:
//
//	d := v1.Dialer{Key: os.Getenv("MLES_KEY")}
//	c, err := d.Dial(ctx, "mles.example.org", "alice", "lobby", nil)
//	...
//	c.Send([]byte("hello"))
//	m, err := c.Recv()
//
// A server answers nothing: a client that is refused finds its connection closed.
//
// # A server
//
// A server wraps what it accepts with [NewConn] and reads the first frame. [Frame.Body] is a [Msg] or,
// from a server that uses this one as its root, a resync message ([DecodeResync]). The frame's key must
// be one that [Key] computes from what both sides know: a shared key, or one of the [AddrSpellings] of
// the client's address. Later frames need not even decode: they are passed on byte for byte.
//
// A server with many connections reads them by [Reader], which Conn is built on. It returns frames in
// batches and holds no buffer for a connection that is silent, if its source is [Lazy]; its [Hooks] say
// what half a frame costs and how long it has been coming.
//
// # Bodies
//
// [Msg.Append] and [AppendFrame] write the one canonical encoding, byte for byte that of the reference
// programs. [DecodeMsg] takes every form that the reference takes, which are many. [View.Decode] does
// the same without allocating when the body is canonical, as nearly all are; it reads such a body by
// itself, and github.com/fxamacker/cbor checks the grammar of all others. That library is not asked for
// the values, as it differs from the reference in what it lets pass: it takes null for a number, counts
// not every tag as nesting, and refuses a character that is split between two chunks.
//
// # The mask of mles-webproxy
//
// Browsers behind mles-webproxy appear on its v1 server under other names, with other messages: [NewMask]
// makes them from the name of a channel, and the names and messages that they stand for.
//
// # Memory
//
// Nothing here allocates by a length that the other side announces. A frame half received takes at most
// twice what came of it (and 64 bytes), a decoded body a small multiple of its size.
package v1
