package v2

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// upgradeTimeout bounds the writing of the answer, some 150 bytes.
const upgradeTimeout = 10 * time.Second

// UpgradeError says why a request became no WebSocket. The request has been
// answered, or its connection closed, when Upgrade returns it.
type UpgradeError struct {
	Status int    // HTTP status that was answered; 0: the connection failed, see Err
	Reason string // what the answer's text says
	Err    error  // the cause, where there is one
}

func (e *UpgradeError) Error() string {
	if e.Status == 0 {
		return "v2: upgrade failed: " + e.Reason
	}
	return fmt.Sprintf("v2: upgrade refused with %d: %s", e.Status, e.Reason)
}

func (e *UpgradeError) Unwrap() error { return e.Err }

// IsUpgrade tells whether r asks for a WebSocket at all, well or badly. A
// server that has a site too sends it the other requests.
func IsUpgrade(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// Offers tells whether r offers Subprotocol, alone or in a list, in one header
// line or several.
func Offers(r *http.Request) bool {
	for _, line := range r.Header.Values("Sec-Websocket-Protocol") {
		for offer := range strings.SplitSeq(line, ",") {
			if strings.Trim(offer, " \t") == Subprotocol {
				return true
			}
		}
	}
	return false
}

// Upgrade answers a request for a WebSocket and returns the connection, before
// any frame is read (spec.md, "Opening"). Path and Origin are not looked at;
// nothing is compressed.
//
// It clears the deadlines of the connection: whoever bounds the time until the
// hello must set one on the returned connection.
//
// The connection has a read buffer of 1 KiB and, while it writes nothing, no
// write buffer. Its read limit is not set.
//
// A request that is no upgrade is answered 426, one in HTTP/1.0 or without an
// offer of Subprotocol 400, one with a faulty handshake as gorilla does; each with one
// line of text, and the error is an *UpgradeError.
func Upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	return UpgradeWith(smallBuffers{w}, r, nil)
}

// UpgradeWith is Upgrade with further lines in the answer's header. The connection is
// read through the [bufio.Reader] that w's Hijack returns, if that has more than 256
// bytes, as it is 4 KiB in net/http.
func UpgradeWith(w http.ResponseWriter, r *http.Request, header http.Header) (*websocket.Conn, error) {
	if !IsUpgrade(r) {
		return nil, refuse(w, http.StatusUpgradeRequired, "this address speaks WebSocket with subprotocol "+Subprotocol, nil)
	}
	if !r.ProtoAtLeast(1, 1) {
		return nil, refuse(w, http.StatusBadRequest, "a WebSocket needs HTTP/1.1", nil)
	}
	if !Offers(r) {
		return nil, refuse(w, http.StatusBadRequest, "Sec-WebSocket-Protocol must offer "+Subprotocol, nil)
	}
	var refused error
	upgrader := websocket.Upgrader{
		HandshakeTimeout: upgradeTimeout,
		WriteBufferSize:  1024,
		WriteBufferPool:  noBuffers{},
		CheckOrigin:      func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			refused = refuse(w, status, reason.Error(), reason)
		},
	}
	// Given so rather than by Upgrader.Subprotocols, which looks at the first
	// header line only.
	answer := http.Header{"Sec-Websocket-Protocol": {Subprotocol}}
	maps.Copy(answer, header)
	conn, err := upgrader.Upgrade(w, r, answer)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, &UpgradeError{Reason: err.Error(), Err: err}
	}
	return conn, nil
}

// readBuffer is the size of what a connection is read through.
const readBuffer = 1024

// smallBuffers hijacks with a small read buffer: many connections are silent.
type smallBuffers struct{ http.ResponseWriter }

// Hijack implements [http.Hijacker].
func (b smallBuffers) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(b.ResponseWriter).Hijack()
	if err == nil && buffered.Reader.Buffered() == 0 {
		buffered.Reader = bufio.NewReaderSize(conn, readBuffer)
	}
	return conn, buffered, err
}

// refuse answers a request with one line of text.
func refuse(w http.ResponseWriter, status int, reason string, cause error) error {
	w.Header().Set("Sec-Websocket-Version", "13")
	if status == http.StatusUpgradeRequired {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	http.Error(w, reason, status)
	return &UpgradeError{Status: status, Reason: reason, Err: cause}
}

// noBuffers makes gorilla allocate a write buffer when it writes a message and
// forget it afterwards. A server of many connections writes its own frames to
// the connection below; a pool would only keep what is hardly ever used.
type noBuffers struct{}

func (noBuffers) Get() any { return nil }
func (noBuffers) Put(any)  {}
