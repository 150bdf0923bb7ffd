package v2_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"mles/v2"
)

// A server that greets whoever joins, and needs the key "swordfish".
func greet(w http.ResponseWriter, r *http.Request) {
	conn, err := v2.Upgrade(w, r)
	if err != nil {
		return // answered
	}
	defer conn.Close()
	conn.SetReadLimit(v2.MaxHello)
	op, frame, err := conn.ReadMessage()
	if err != nil || op != v2.OpText {
		return
	}
	hello, err := v2.ParseHello(frame)
	if err == nil {
		var auth uint64
		auth, err = v2.ParseAuth(hello.Auth)
		if err == nil && auth != v2.Auth(hello.UID, hello.Channel, "swordfish") {
			err = v2.ErrAuth
		}
	}
	if err != nil {
		code, reason := v2.CloseFor(err)
		conn.NetConn().Write(v2.AppendClose(nil, code, reason))
		conn.ReadMessage()
		return
	}
	out := v2.AppendFrame(nil, v2.OpText, v2.AppendNotice(nil, "greeter", hello.Channel))
	out = v2.AppendFrame(out, v2.OpBinary, []byte("welcome, "+hello.UID))
	conn.NetConn().Write(out)
	conn.ReadMessage()
}

func ExampleDialer() {
	server := httptest.NewServer(http.HandlerFunc(greet))
	defer server.Close()
	url := strings.Replace(server.URL, "http", "ws", 1)

	d := v2.Dialer{Key: "swordfish"}
	conn, err := d.Dial(context.Background(), url, "alice", "lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close(v2.CloseNormal, "")
	for range 2 {
		op, data, err := conn.Recv()
		if err != nil {
			fmt.Println(err)
			return
		}
		if uid, channel, ok := v2.ParseNotice(data); ok && op == v2.OpText {
			fmt.Println(uid, "is on", channel)
			continue
		}
		fmt.Printf("%s\n", data)
	}
	// Output:
	// greeter is on lobby
	// welcome, alice
}

func ExampleClientConn_Recv_refused() {
	server := httptest.NewServer(http.HandlerFunc(greet))
	defer server.Close()
	url := strings.Replace(server.URL, "http", "ws", 1)

	d := v2.Dialer{Key: "not swordfish"}
	conn, err := d.Dial(context.Background(), url, "alice", "lobby")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close(v2.CloseNormal, "")
	_, _, err = conn.Recv()
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code, closed.Text)
	}
	// Output: 1008 wrong auth
}

func ExampleParseHello() {
	for _, frame := range []string{
		`{"uid": "alice", "channel": "lobby"}`,
		`{"Uid": "alice", "channel": "lobby"}`,
		`{"uid": "alice", "uid": "bob", "channel": "lobby"}`,
	} {
		hello, err := v2.ParseHello([]byte(frame))
		if err != nil {
			fmt.Println(v2.CloseFor(err))
			continue
		}
		fmt.Println(hello.UID, "on", hello.Channel)
	}
	// Output:
	// alice on lobby
	// 1008 hello refused: uid is missing
	// 1008 hello refused: uid stands twice
}

func ExampleAuth() {
	fmt.Println(v2.FormatAuth(v2.Auth("alice", "chan", "swordfish")))
	// Output: b678b79a693e130f
}
