package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// siteStall is how long a client may take none of a response, or send none of a request's body.
const siteStall = 30 * time.Second

// errStalled is a request's body of which nothing has come for siteStall.
var errStalled = errors.New("the client sends no more of its request")

// paced holds a request's client to siteStall, however long the whole takes. Time in which there is nothing to write, as
// another server may think for a while, does not count.
func paced(w http.ResponseWriter, r *http.Request) (*pacedWriter, *http.Request) {
	control := http.NewResponseController(w)
	if r.Body != nil && r.Body != http.NoBody {
		body := &pacedBody{body: r.Body, control: control, keeps: r.ProtoMajor < 2}
		body.deadline(time.Now().Add(siteStall))
		r = r.WithContext(r.Context())
		r.Body = body
	}
	return &pacedWriter{ResponseWriter: w, control: control}, r
}

type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	w.begin()
	defer w.end()
	return w.ResponseWriter.Write(p)
}

// FlushError is what a ResponseController calls.
func (w *pacedWriter) FlushError() error {
	w.begin()
	defer w.end()
	return w.control.Flush()
}

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A writer without deadlines says so each time, and needs none.
func (w *pacedWriter) begin() { _ = w.control.SetWriteDeadline(time.Now().Add(siteStall)) }
func (w *pacedWriter) end()   { _ = w.control.SetWriteDeadline(time.Time{}) }

// finish is for what the server writes when the handler has returned, perhaps after it has waited for the rest of a body.
// It must be called before that.
func (w *pacedWriter) finish() { _ = w.control.SetWriteDeadline(time.Now().Add(2 * siteStall)) }

// pacedBody is a request's body. It may be read by another goroutine, but after Close it leaves the connection, which
// may serve another request by then, alone.
//
// In HTTP/1 the deadline stands until the body has ended: the server reads what a handler leaves of it, and would wait.
// In HTTP/2 it would end the body although nobody waits for it.
type pacedBody struct {
	body    io.ReadCloser
	control *http.ResponseController
	keeps   bool // the deadline, between reads

	mu     sync.Mutex
	closed bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	b.deadline(time.Now().Add(siteStall))
	n, err := b.body.Read(p)
	if err == io.EOF || !b.keeps {
		b.deadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errStalled
	}
	return n, err
}

func (b *pacedBody) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.body.Close()
}

func (b *pacedBody) deadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		_ = b.control.SetReadDeadline(t)
	}
}
