// Package v2 is the WebSocket dialect of Mles, both sides of it: the hello that
// joins a channel, its auth, the frames a server sends, the codes and reasons
// it closes with. What goes over the wire, and where every rule here comes
// from, is in spec.md.
//
// # A client
//
// A [Dialer] connects, offers the subprotocol and sends the hello; the
// [ClientConn] it returns sends and receives messages:
//
//	d := v2.Dialer{Key: key}
//	conn, err := d.Dial(ctx, "wss://mles.example", "alice", "lobby")
//	…
//	defer conn.Close(v2.CloseNormal, "")
//	err = conn.Send(v2.OpBinary, []byte("hello"))
//	op, data, err := conn.Recv()
//
// A client may send, receive and close from different goroutines. One that only
// sends calls [ClientConn.Recv] all the same: pings are answered there. A text
// message may be the notice that somebody joined: [ParseNotice].
//
// # A server
//
// [Upgrade] turns a request into a WebSocket, or answers it in words. The first
// frame must be text, and [ParseHello] reads it. Then the auth is compared:
//
//	hello, err := v2.ParseHello(frame)
//	…
//	auth, err := v2.ParseAuth(hello.Auth)
//	ok := err == nil && auth == v2.Auth(hello.UID, hello.Channel, key)
//
// With a key, a hello without auth is refused; without one, an auth that is
// there must still be right, the key being "".
//
// A server that encodes once and sends to many needs no WebSocket library to
// write: [AppendFrame] makes a frame to be written below it, [AppendNotice] the
// text of a join notice, [AppendClose] the end. [CloseFor] gives the code and
// reason for an error of this package; the other ends have constants of their
// own, such as [ReasonTooSlow].
//
// # Limits
//
// A hello has at most [MaxHello] bytes, a name [MaxName], a message
// [MaxMessage], which is what fits into a v1 frame too. Nothing here takes
// memory for bytes that have not come.
package v2
