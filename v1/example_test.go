package v1_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"

	"mles/v1"
)

// A client joins a channel, says something and prints what it hears. The server of this example is one
// that sends everything back.
func ExampleDialer() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go echo(l)

	d := v1.Dialer{Key: "swordfish"}
	c, err := d.Dial(context.Background(), l.Addr().String(), "alice", "lobby", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if err := c.Send([]byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		m, err := c.Recv()
		if err != nil {
			fmt.Println(err)
			return
		}
		if len(m.Message) == 0 {
			fmt.Println(m.UID, "joined")
			continue
		}
		fmt.Printf("%s: %s\n", m.UID, m.Message)
	}
	// Output:
	// alice joined
	// alice: hello
}

func echo(l net.Listener) {
	nc, err := l.Accept()
	if err != nil {
		return
	}
	c := v1.NewConn(nc)
	defer c.Close()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return
		}
		if err := c.WriteFrame(f.Raw); err != nil {
			return
		}
	}
}

// The same frame that the reference client sends when alice joins.
func ExampleAppendFrame() {
	m := v1.Msg{UID: "alice", Channel: "chan"}
	key := v1.Key("swordfish", m.UID, m.Channel)
	frame := v1.AppendFrame(nil, v1.CID(key), key, m)
	fmt.Print(hex.Dump(frame))
	// Output:
	// 00000000  4d 00 00 21 c2 f5 8a 72  b7 4f 5b be c2 f5 8a 72  |M..!...r.O[....r|
	// 00000010  a3 63 75 69 64 65 61 6c  69 63 65 67 63 68 61 6e  |.cuidealicegchan|
	// 00000020  6e 65 6c 64 63 68 61 6e  67 6d 65 73 73 61 67 65  |neldchangmessage|
	// 00000030  40                                                |@|
}

// Without a shared key a client is known by its address, which is spelled in two ways for IPv4.
func ExampleAddrSpellings() {
	client := netip.MustParseAddrPort("192.0.2.10:49878")
	for _, spelling := range v1.AddrSpellings(client) {
		fmt.Printf("%s → %016x\n", spelling, v1.Key(spelling, "alice", "lobby"))
	}
	// Output:
	// 192.0.2.10:49878 → 577ff93a6e05f822
	// [0:0:0:0:0:ffff:c000:20a]:49878 → 4e205da0d6d0a805
}

// A Reader returns all frames that have come, however they were cut on their way.
func ExampleReader() {
	client, server := net.Pipe()
	go func() {
		defer client.Close()
		out := v1.AppendFrame(nil, 1, 1, v1.Msg{UID: "alice", Channel: "lobby"})
		out = v1.AppendFrame(out, 1, 1, v1.Msg{UID: "alice", Channel: "lobby", Message: []byte("hello")})
		client.Write(out[:10])
		client.Write(out[10:])
	}()

	r := v1.NewReader(server)
	for {
		frames, err := r.Frames()
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, f := range frames {
			var v v1.View
			if err := v.Decode(f.Body()); err != nil {
				fmt.Println(err)
				continue
			}
			fmt.Printf("%s in %s: %q\n", v.UID, v.Channel, v.Message)
		}
	}
	// Output:
	// alice in lobby: ""
	// alice in lobby: "hello"
	// EOF
}

// What a browser behind mles-webproxy says is masked on the v1 server.
func ExampleMask() {
	mask := v1.NewMask("room")
	message, err := mask.AppendMessage(nil, []byte("16 random bytes.hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plain, _ := mask.AppendMessage(nil, message)
	uid, _ := mask.Unname("9Jnbz6UPQXBxtZgeHSzEWA==")
	fmt.Printf("%s\n%s: %s\n", mask.Masked(), uid, plain)
	// Output:
	// WzWzBzjy0V/enbj6J5H1EA==
	// web1: 16 random bytes.hello
}
