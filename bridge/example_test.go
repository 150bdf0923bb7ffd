package bridge_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"mles/bridge"
	"mles/v1"
	"mles/v2"
)

// A gateway inside another program: alice comes over TCP, bob over a WebSocket.
func Example() {
	gateway, err := bridge.New(bridge.Config{V1Keys: []string{"swordfish"}, V2Keys: []string{"swordfish"}})
	if err != nil {
		log.Fatal(err)
	}
	defer gateway.Close()
	tcp, _ := net.Listen("tcp", "localhost:0")
	web, _ := net.Listen("tcp", "localhost:0")
	go gateway.ServeV1(tcp)
	go gateway.ServeV2(web)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	one := v1.Dialer{Key: "swordfish"}
	alice, err := one.Dial(ctx, tcp.Addr().String(), "alice", "room", []byte("Is anybody there?"))
	if err != nil {
		log.Fatal(err)
	}
	defer alice.Close()
	for gateway.Stats().Members == 0 { // v1 does not say when it has joined
		time.Sleep(time.Millisecond)
	}

	two := v2.Dialer{Key: "swordfish"}
	bob, err := two.Dial(ctx, "ws://"+web.Addr().String(), "bob", "room")
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close(v2.CloseNormal, "")
	for range 2 { // the history: that alice joined, and what she said
		_, data, err := bob.Recv()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("bob reads %s\n", data)
	}
	bob.Send(v2.OpText, []byte("I am."))
	for range 2 { // that bob joined, and what he said
		msg, err := alice.Recv()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("alice reads %q from %s\n", msg.Message, msg.UID)
	}
	// Output:
	// bob reads {"uid":"alice","channel":"room"}
	// bob reads Is anybody there?
	// alice reads "" from bob
	// alice reads "I am." from bob
}
