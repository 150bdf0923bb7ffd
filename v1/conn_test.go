package v1_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mles/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen returns a listener on loopback that ends with the test.
func listen(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects to l as uid on "chan"; what the server sees is the second result.
func dial(t testing.TB, d *v1.Dialer, l net.Listener, uid string, first string) (*v1.ClientConn, *v1.Conn) {
	t.Helper()
	client, err := d.Dial(t.Context(), l.Addr().String(), uid, "chan", []byte(first))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server := v1.NewConn(nc)
	t.Cleanup(func() { server.Close() })
	return client, server
}

func TestAliceJoinsAndTalks(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	alice, server := dial(t, &v1.Dialer{Key: "swordfish"}, l, "alice", "")
	want := vectors[frameVector](t, "v1-frames.json")[0]
	if f, err := server.ReadFrame(); err != nil || !bytes.Equal(f.Raw, want.Frame) {
		t.Fatalf("first frame %x, %v; the reference client sends %x", f.Raw, err, want.Frame)
	}

	if err := alice.Send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	f, err := server.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	got, err := v1.DecodeMsg(f.Body())
	if diff := cmp.Diff(v1.Msg{UID: "alice", Channel: "chan", Message: []byte("hello")}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	// The server answers with history: a join, what nobody can decode, a resync, a message.
	for _, raw := range [][]byte{
		joinFrame,
		append(v1.Header{Len: 1}.Append(nil), 0xff),
		v1.AppendFrame(nil, 0, 0, v1.Msg{UID: "bob", Channel: "chan", Message: []byte("1")}),
	} {
		if err := server.WriteFrame(raw); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []v1.Msg{{UID: "alice", Channel: "chan", Message: []byte{}},
		{UID: "bob", Channel: "chan", Message: []byte("1")}} {
		if got, err := alice.Recv(); err != nil || !cmp.Equal(got, want) {
			t.Errorf("alice received %+v, %v; want %+v", got, err, want)
		}
	}

	if err := alice.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.ReadFrame(); err != io.EOF {
		t.Errorf("after CloseWrite the server reads %v", err)
	}
	server.Close()
	if _, err := alice.Recv(); err != io.EOF {
		t.Errorf("after the server's Close alice reads %v", err)
	}
}

func TestKeylessClientHashesItsOwnAddress(t *testing.T) {
	for _, c := range []struct {
		name, network, addr string
		dialer              v1.Dialer
		key                 func(spellings []string) uint64
	}{
		{"IPv4", "tcp4", "127.0.0.1:0", v1.Dialer{},
			func(s []string) uint64 { return v1.Key(s[0], "u", "chan") }},
		{"IPv4 as the reference server sees it", "tcp4", "127.0.0.1:0", v1.Dialer{MappedAddr: true},
			func(s []string) uint64 { return v1.Key(s[1], "u", "chan") }},
		{"IPv6", "tcp6", "[::1]:0", v1.Dialer{MappedAddr: true},
			func(s []string) uint64 { return v1.Key(s[0], "u", "chan") }},
		{"with address key", "tcp4", "127.0.0.1:0", v1.Dialer{AddrKey: "addrkey"},
			func(s []string) uint64 { return v1.Key(s[0], "addrkey", "u", "chan") }},
		{"shared key goes first", "tcp4", "127.0.0.1:0", v1.Dialer{Key: "k", AddrKey: "addrkey"},
			func([]string) uint64 { return v1.Key("k", "u", "chan") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, server := dial(t, &c.dialer, listen(t, c.network, c.addr), "u", "")
			f, err := server.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			peer := server.NetConn().RemoteAddr().(*net.TCPAddr).AddrPort()
			if want := c.key(v1.AddrSpellings(peer)); f.Key != want || f.CID != v1.CID(want) {
				t.Errorf("key %x, CID %x; want %x", f.Key, f.CID, want)
			}
		})
	}
}

func TestConfiguredCIDIsSent(t *testing.T) {
	_, server := dial(t, &v1.Dialer{Key: "k", CID: 0xbeef}, listen(t, "tcp", "127.0.0.1:0"), "u", "first")
	if f, err := server.ReadFrame(); err != nil || f.CID != 0xbeef {
		t.Errorf("CID %x, %v", f.CID, err)
	}
}

func TestDialOverTLS(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	l := tls.NewListener(listen(t, "tcp", "127.0.0.1:0"), &tls.Config{Certificates: https.TLS.Certificates})

	served := make(chan error, 1)
	go func() {
		served <- func() error {
			nc, err := l.Accept()
			if err != nil {
				return err
			}
			defer nc.Close()
			c := v1.NewConn(nc)
			f, err := c.ReadFrame()
			if err == nil {
				err = c.WriteFrame(f.Raw)
			}
			return err
		}()
	}()
	d := v1.Dialer{Key: "k", TLS: &tls.Config{RootCAs: roots}}
	alice, err := d.Dial(t.Context(), l.Addr().String(), "alice", "chan", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer alice.Close()
	if m, err := alice.Recv(); err != nil || string(m.Message) != "secret" {
		t.Errorf("the echo is %q, %v", m.Message, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestManyGoroutinesSendWholeFrames(t *testing.T) {
	const senders, each = 8, 200
	alice, server := dial(t, &v1.Dialer{Key: "k"}, listen(t, "tcp", "127.0.0.1:0"), "alice", "")
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				if err := alice.Send(fmt.Appendf(nil, "%d/%d", s, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := make([]int, senders)
	for i := range 1 + senders*each {
		f, err := server.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue // the join
		}
		m, err := v1.DecodeMsg(f.Body())
		var s, n int
		if _, scanErr := fmt.Sscanf(string(m.Message), "%d/%d", &s, &n); err != nil || scanErr != nil || n != next[s] {
			t.Fatalf("frame %d: %q, %v, %v", i, m.Message, err, scanErr)
		}
		next[s]++
	}
	wg.Wait()
}

func TestMessageTooLargeIsNotSent(t *testing.T) {
	alice, server := dial(t, &v1.Dialer{Key: "k"}, listen(t, "tcp", "127.0.0.1:0"), "alice", "")
	tooLarge := make([]byte, v1.MaxMessage("alice", "chan")+1)
	if err := alice.Send(tooLarge); err != v1.ErrTooLarge {
		t.Errorf("Send: %v", err)
	}
	var d v1.Dialer
	if _, err := d.Dial(t.Context(), "192.0.2.1", "alice", "chan", tooLarge); err != v1.ErrTooLarge {
		t.Errorf("Dial: %v", err)
	}
	if err := alice.Send([]byte("after")); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"", "after"} {
		f, err := server.ReadFrame()
		if m, _ := v1.DecodeMsg(f.Body()); err != nil || string(m.Message) != want {
			t.Errorf("%q, %v; want %q", m.Message, err, want)
		}
	}
}

func TestReadDeadlineLosesNothing(t *testing.T) {
	alice, server := dial(t, &v1.Dialer{Key: "k"}, listen(t, "tcp", "127.0.0.1:0"), "alice", "hi")
	if _, err := server.ReadFrame(); err != nil {
		t.Fatal(err)
	}
	if err := alice.WriteFrame(helloFrame[:20]); err != nil {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := server.ReadFrame(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Time{})
	if err := alice.WriteFrame(helloFrame[20:]); err != nil {
		t.Fatal(err)
	}
	if f, err := server.ReadFrame(); err != nil || !bytes.Equal(f.Raw, helloFrame) {
		t.Errorf("%x, %v", f.Raw, err)
	}
}

func TestHalfWrittenFrameEndsWriting(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := v1.NewConn(a)
	defer c.Close()
	c.SetWriteDeadline(time.Unix(1, 0))
	if err := c.WriteFrame(helloFrame); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	c.SetDeadline(time.Time{})
	if err := c.WriteFrame(helloFrame); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a frame was written behind half a one: %v", err)
	}
	if err := c.CloseWrite(); err != errors.ErrUnsupported {
		t.Errorf("CloseWrite of a pipe: %v", err)
	}
}

func TestDialFails(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	addr := l.Addr().String()
	l.Close()
	var refused *net.OpError
	if _, err := (&v1.Dialer{}).Dial(t.Context(), addr, "u", "c", nil); !errors.As(err, &refused) {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&v1.Dialer{}).Dial(ctx, "[::1]", "u", "c", nil); err == nil {
		t.Error("dialled with a context that has ended")
	}
}
