package bridge

import (
	"bytes"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// sockets returns a socket and its client, with small buffers between them.
func sockets(t *testing.T) (*socket, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	client.(*net.TCPConn).SetReadBuffer(32 << 10)
	tcp := server.(*net.TCPConn)
	tcp.SetWriteBuffer(16 << 10)
	return &socket{Conn: tcp, tcp: tcp, out: outlet{raw: rawWriter(tcp)}}, client.(*net.TCPConn)
}

// A hasty write never waits: what a client that does not read leaves no room for
// is kept, and comes first when writes wait again.
func TestHastyWritesWaitForNobody(t *testing.T) {
	s, client := sockets(t)
	if !s.hasten() {
		t.Skip("no writing without waiting on this system")
	}
	var want bytes.Buffer
	for i := 0; !s.full(); i++ {
		piece := bytes.Repeat([]byte{byte(i)}, 1000)
		want.Write(piece)
		if n, err := s.Write(piece); n != len(piece) || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
	}
	late := []byte("one more, while there is no room")
	want.Write(late)
	s.Write(late)
	got := make(chan []byte, 1)
	go func() {
		all := make([]byte, want.Len())
		io.ReadFull(client, all)
		got <- all
	}()
	if err := s.rest(); err != nil {
		t.Fatal(err)
	}
	if s.full() {
		t.Error("something is left, and nobody will write it")
	}
	if !bytes.Equal(<-got, want.Bytes()) {
		t.Error("the client got other bytes than were written")
	}
}

// Whatever the pace of either side, hasty writes and waiting ones arrive in order,
// also with TLS between.
func TestHastyWritesKeepOrder(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	for name, over := range map[string]func(*socket, *net.TCPConn) (net.Conn, net.Conn){
		"plain": func(s *socket, client *net.TCPConn) (net.Conn, net.Conn) { return s, client },
		"TLS": func(s *socket, client *net.TCPConn) (net.Conn, net.Conn) {
			return tls.Server(s, &tls.Config{Certificates: https.TLS.Certificates}), tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, tcp := sockets(t)
			conn, client := over(s, tcp)
			random := rand.New(rand.NewPCG(1, 2))
			want := make([]byte, 3<<19)
			for i := range want {
				want[i] = byte(random.Uint32())
			}
			got, begin := make(chan []byte, 1), make(chan struct{})
			go func() {
				all := make([]byte, 1, len(want))
				io.ReadFull(client, all)
				<-begin
				for len(all) < len(want) {
					n, err := client.Read(all[len(all):min(len(all)+5000, len(want))])
					if err != nil {
						break
					}
					all = all[:len(all)+n]
				}
				got <- all
			}()
			conn.Write(want[:1]) // the handshake waits
			begun := false
			for at := 1; at < len(want); {
				if s.hasten(); s.full() && !begun {
					begun = true
					close(begin)
				}
				if begun && (random.IntN(4) == 0 || s.full()) {
					if err := s.rest(); err != nil {
						t.Fatal(err)
					}
				}
				end := min(at+1+random.IntN(6000), len(want))
				if _, err := conn.Write(want[at:end]); err != nil {
					t.Fatal(err)
				}
				at = end
			}
			if err := s.rest(); err != nil {
				t.Fatal(err)
			}
			select {
			case all := <-got:
				if !bytes.Equal(all, want) {
					t.Error("the client got other bytes than were written")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("not everything came, or a mebibyte and a half found room at once")
			}
		})
	}
}
