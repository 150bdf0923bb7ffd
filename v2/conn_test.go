package v2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mles/v2"
)

// serve runs a server whose every connection is handed to script after the
// upgrade, and returns its address as a URL.
func serve(t *testing.T, script func(t *testing.T, conn *websocket.Conn)) string {
	t.Helper()
	var running sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		conn, err := v2.Upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		script(t, conn)
	}))
	t.Cleanup(func() { running.Wait(); srv.Close() })
	return "ws://" + srv.Listener.Addr().String()
}

func dial(t *testing.T, d v2.Dialer, url, uid, channel string) *v2.ClientConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := d.Dial(ctx, url, uid, channel)
	if err != nil {
		t.Fatal(err)
	}
	c.NetConn().SetReadDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close(v2.CloseNormal, "") })
	return c
}

// hello reads the first frame of a connection.
func hello(t *testing.T, conn *websocket.Conn) v2.Hello {
	op, text, err := conn.ReadMessage()
	if err != nil || op != v2.OpText {
		t.Errorf("first frame: %d %q %v", op, text, err)
		return v2.Hello{}
	}
	h, err := v2.ParseHello(text)
	if err != nil {
		t.Errorf("hello %s: %v", text, err)
	}
	return h
}

// echo sends everything back until the client closes.
func echo(t *testing.T, conn *websocket.Conn) {
	hello(t, conn)
	for {
		op, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(op, data); err != nil {
			t.Error(err)
			return
		}
	}
}

func TestAliceJoinsWithAndWithoutKey(t *testing.T) {
	hellos := make(chan v2.Hello, 1)
	url := serve(t, func(t *testing.T, conn *websocket.Conn) { hellos <- hello(t, conn) })

	dial(t, v2.Dialer{}, url+"/any/path", "Ælice", "chan")
	if got := <-hellos; got != (v2.Hello{UID: "Ælice", Channel: "chan"}) {
		t.Errorf("%+v", got)
	}
	dial(t, v2.Dialer{Key: "swordfish"}, url, "alice", "chan")
	if got := <-hellos; got != (v2.Hello{UID: "alice", Channel: "chan", Auth: "b678b79a693e130f", HasAuth: true}) {
		t.Errorf("%+v", got)
	}
}

func TestAliceJoinsOverTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := v2.Upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		echo(t, conn)
	}))
	defer srv.Close()
	conf := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.NextProtos = nil
	alice := dial(t, v2.Dialer{TLS: conf}, "wss://"+srv.Listener.Addr().String(), "alice", "chan")
	if err := alice.Send(v2.OpText, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if op, data, err := alice.Recv(); op != v2.OpText || string(data) != "hi" || err != nil {
		t.Error(op, data, err)
	}
	alice.Close(v2.CloseNormal, "")
	if _, err := (&v2.Dialer{}).Dial(t.Context(), "wss://"+srv.Listener.Addr().String(), "alice", "chan"); err == nil {
		t.Error("joined a server with an unknown certificate")
	}
}

func TestMessagesOfAllSizesComeBack(t *testing.T) {
	alice := dial(t, v2.Dialer{}, serve(t, echo), "alice", "chan")
	random := rand.NewChaCha8([32]byte{})
	for _, n := range []int{0, 1, 7, 8, 9, 125, 126, 4096, 0xffff, 0x10000, v2.MaxMessage} {
		sent := make([]byte, n)
		random.Read(sent)
		before := bytes.Clone(sent)
		if err := alice.Send(v2.OpBinary, sent); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, sent) {
			t.Fatalf("Send changed its %d bytes", n)
		}
		op, got, err := alice.Recv()
		if err != nil || op != v2.OpBinary || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back as %d bytes, opcode %d, %v", n, len(got), op, err)
		}
	}
}

func TestSendRefusesWhatNoServerTakes(t *testing.T) {
	alice := dial(t, v2.Dialer{}, serve(t, echo), "alice", "chan")
	if err := alice.Send(v2.OpText, []byte("\xff")); !errors.Is(err, v2.ErrUTF8) {
		t.Error(err)
	}
	if err := alice.Send(v2.OpBinary, make([]byte, v2.MaxMessage+1)); !errors.Is(err, v2.ErrTooBig) {
		t.Error(err)
	}
	if err := alice.Send(v2.OpPing, nil); err == nil {
		t.Error("Send took a ping")
	}
	for _, names := range [][2]string{{"", "chan"}, {"alice", ""}, {strings.Repeat("a", v2.MaxName+1), "chan"}} {
		if _, err := (&v2.Dialer{}).Dial(t.Context(), "ws://127.0.0.1:1", names[0], names[1]); !errors.Is(err, v2.ErrHello) {
			t.Errorf("joined as %.9q on %.9q: %v", names[0], names[1], err)
		}
	}
	if _, err := (&v2.Dialer{}).Dial(t.Context(), "ws://127.0.0.1:1", "\xff", "chan"); !errors.Is(err, v2.ErrUTF8) {
		t.Error(err)
	}
}

func TestFragmentsAreJoinedAndPingsAnswered(t *testing.T) {
	pong := make(chan string, 1)
	url := serve(t, func(t *testing.T, conn *websocket.Conn) {
		hello(t, conn)
		nc := conn.NetConn()
		// Text in two fragments, a ping between them, split inside a rune.
		io.WriteString(nc, "\x01\x03ab\xc3"+"\x89\x04ping"+"\x80\x01\xa4")
		conn.SetPongHandler(func(payload string) error { pong <- payload; return nil })
		conn.ReadMessage()
	})
	alice := dial(t, v2.Dialer{}, url, "alice", "chan")
	if op, data, err := alice.Recv(); op != v2.OpText || string(data) != "abä" || err != nil {
		t.Error(op, data, err)
	}
	if got := <-pong; got != "ping" {
		t.Errorf("pong %q", got)
	}
}

func TestPongsOvertakeNothingAndBlockNothing(t *testing.T) {
	// The server reads nothing until alice has read all its pings and the
	// message behind them, while alice's Send hangs on a full connection.
	sent := make(chan struct{})
	heard := make(chan struct{})
	url := serve(t, func(t *testing.T, conn *websocket.Conn) {
		hello(t, conn)
		<-sent
		for range 1000 {
			conn.NetConn().Write(v2.AppendFrame(nil, v2.OpPing, []byte("are you there")))
		}
		conn.WriteMessage(v2.OpBinary, []byte("behind"))
		<-heard
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				if !websocket.IsCloseError(err, v2.CloseNormal) {
					t.Error(err)
				}
				return
			}
		}
	})
	alice := dial(t, v2.Dialer{}, url, "alice", "chan")
	var sending sync.WaitGroup
	for range 2 {
		sending.Go(func() {
			if err := alice.Send(v2.OpBinary, make([]byte, v2.MaxMessage)); err != nil {
				t.Error(err)
			}
		})
	}
	close(sent)
	if _, data, err := alice.Recv(); string(data) != "behind" || err != nil {
		t.Error(data, err)
	}
	close(heard)
	sending.Wait()
	if err := alice.Close(v2.CloseNormal, "done"); err != nil {
		t.Error(err)
	}
}

func TestCloseOfTheServerIsReportedAndAnswered(t *testing.T) {
	answer := make(chan error, 1)
	url := serve(t, func(t *testing.T, conn *websocket.Conn) {
		hello(t, conn)
		conn.NetConn().Write(v2.AppendClose(nil, v2.ClosePolicy, v2.ReasonAuth))
		_, _, err := conn.ReadMessage()
		answer <- err
	})
	alice := dial(t, v2.Dialer{}, url, "alice", "chan")
	for range 2 {
		_, _, err := alice.Recv()
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != v2.ClosePolicy || closed.Text != v2.ReasonAuth {
			t.Error(err)
		}
	}
	if err := alice.Send(v2.OpText, nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := <-answer; !websocket.IsCloseError(err, v2.ClosePolicy) {
		t.Error("the server got", err)
	}
}

func TestRefusalsWithoutACode(t *testing.T) {
	for name, c := range map[string]struct {
		last []byte
		code int
	}{"empty close frame": {[]byte("\x88\x00"), v2.CloseNoStatus}, "no close frame": {nil, websocket.CloseAbnormalClosure}} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(t *testing.T, conn *websocket.Conn) {
				hello(t, conn)
				conn.NetConn().Write(c.last)
			})
			alice := dial(t, v2.Dialer{}, url, "alice", "chan")
			if _, _, err := alice.Recv(); !websocket.IsCloseError(err, c.code) {
				t.Error(err)
			}
		})
	}
}

func TestFaultyServersAreToldWhy(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		limit int64
		code  int
		err   error
	}{
		"not UTF-8":         {"\x81\x01\xff", 0, v2.CloseUTF8, v2.ErrUTF8},
		"too big":           {"\x82\x7f\x00\x00\x00\x00\x01\x00\x00\x00", 0, v2.CloseTooBig, v2.ErrTooBig},
		"too big, by limit": {"\x82\x05", 4, v2.CloseTooBig, v2.ErrTooBig},
		"masked":            {"\x82\x80\x00\x00\x00\x00", 0, v2.CloseProtocol, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := make(chan error, 1)
			url := serve(t, func(t *testing.T, conn *websocket.Conn) {
				hello(t, conn)
				io.WriteString(conn.NetConn(), c.bytes)
				_, _, err := conn.ReadMessage()
				answer <- err
			})
			alice := dial(t, v2.Dialer{ReadLimit: c.limit}, url, "alice", "chan")
			if _, _, err := alice.Recv(); err == nil || c.err != nil && !errors.Is(err, c.err) {
				t.Error(err)
			}
			if err := <-answer; !websocket.IsCloseError(err, c.code) {
				t.Error("the server got", err)
			}
			if err := alice.Send(v2.OpText, nil); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
	}
}

func TestAliceCloses(t *testing.T) {
	seen := make(chan error, 1)
	url := serve(t, func(t *testing.T, conn *websocket.Conn) {
		hello(t, conn)
		_, _, err := conn.ReadMessage()
		seen <- err
	})
	alice := dial(t, v2.Dialer{}, url, "alice", "chan")
	ended := make(chan error, 1)
	go func() {
		_, _, err := alice.Recv()
		ended <- err
	}()
	if err := alice.Close(v2.CloseNormal, "bye"); err != nil {
		t.Error(err)
	}
	var closed *websocket.CloseError
	if err := <-seen; !errors.As(err, &closed) || closed.Code != v2.CloseNormal || closed.Text != "bye" {
		t.Error("the server got", err)
	}
	// Recv under way sees either the server's answer or, if it came too late
	// to be under way, that the connection is closed.
	if err := <-ended; !websocket.IsCloseError(err, v2.CloseNormal) && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := alice.Close(v2.CloseNormal, "again"); err != nil {
		t.Error(err)
	}
	if err := alice.Send(v2.OpText, nil); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestDialSaysWhatAnsweredInstead(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != v2.Subprotocol {
			t.Errorf("offers %q", got)
		}
		io.WriteString(w, "welcome")
	}))
	defer site.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}))
	defer other.Close()
	for url, status := range map[string]int{
		strings.Replace(site.URL, "http", "ws", 1):  200,
		strings.Replace(other.URL, "http", "ws", 1): 101,
		"ws://127.0.0.1:1":                          0,
		"http://127.0.0.1:1":                        0,
	} {
		_, err := (&v2.Dialer{}).Dial(t.Context(), url, "alice", "chan")
		var dialErr *v2.DialError
		if !errors.As(err, &dialErr) || dialErr.Status != status || dialErr.URL != url || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", url, err)
		}
		if status != 0 && !strings.Contains(err.Error(), "no Mles server") {
			t.Error(err)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // connects, and then waits for an answer to the upgrade
		nc, err := silent.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		nc.Read(make([]byte, 1))
		cancel()
		io.Copy(io.Discard, nc)
	}()
	if _, err := (&v2.Dialer{}).Dial(ctx, "ws://"+silent.Addr().String(), "alice", "chan"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAliceLeavesAndReadsWhatIsUnderWay(t *testing.T) {
	// The server has something to say yet when alice's close frame comes.
	url := serve(t, func(t *testing.T, conn *websocket.Conn) {
		hello(t, conn)
		if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, v2.CloseNormal) {
			t.Errorf("server saw %v, want the close frame", err)
		}
	})
	alice := dial(t, v2.Dialer{}, url, "alice", "hall")
	if err := alice.CloseWrite(v2.CloseNormal, "done"); err != nil {
		t.Fatal(err)
	}
	if err := alice.Send(v2.OpBinary, []byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after CloseWrite: %v, want net.ErrClosed", err)
	}
	if _, _, err := alice.Recv(); !websocket.IsCloseError(err, v2.CloseNormal) {
		t.Errorf("Recv ended with %v, want the server's close frame", err)
	}
	if err := alice.Close(v2.CloseNormal, ""); err != nil {
		t.Errorf("Close after CloseWrite: %v", err)
	}
}
