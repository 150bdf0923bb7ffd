package bridge_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// haunted has every connection to the root served by haunt.
func (r *root) haunted(haunt func(e *wsRootEnd)) {
	over := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for nc := range r.conns {
			all.Go(func() {
				haunt(&wsRootEnd{root: r, nc: nc, over: over})
				nc.Close()
			})
		}
	})
	r.Cleanup(func() {
		close(over)
		close(r.conns)
		all.Wait()
	})
}

// opens reads the request and the hello, and answers the upgrade.
func (e *wsRootEnd) opens() bool {
	e.r = bufio.NewReader(e.nc)
	request, err := http.ReadRequest(e.r)
	if err != nil {
		return false
	}
	if _, err := io.WriteString(e.nc, acceptance(request)); err != nil {
		return false
	}
	_, err = readMasked(e.r)
	return err == nil
}

// throws writes bytes that it does not care for.
func (e *wsRootEnd) throws(b []byte) bool {
	_, err := e.nc.Write(b)
	return err == nil
}

// announced is a frame's header without its payload.
func announced(first byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{first, 127}, n)
}

// Whatever a v2 upstream does, those who are here hear each other, on the channel
// that it is upstream of and on others, and memory stays bounded.
func TestHostileV2Upstream(t *testing.T) {
	big := make([]byte, 1<<20)
	for name, haunt := range map[string]func(e *wsRootEnd){
		"closes at once":         func(e *wsRootEnd) {},
		"never answers":          func(e *wsRootEnd) { io.Copy(io.Discard, e.nc) },
		"closes after the hello": func(e *wsRootEnd) { e.opens() },
		"an answer without end": func(e *wsRootEnd) {
			e.throws([]byte("HTTP/1.1 101 Switching Protocols\r\n"))
			for e.throws([]byte("X-More: " + strings.Repeat("x", 1000) + "\r\n")) {
			}
		},
		"silent": func(e *wsRootEnd) {
			if e.opens() {
				io.Copy(io.Discard, e.r)
			}
		},
		"reads nothing": func(e *wsRootEnd) {
			if e.opens() {
				<-e.over
			}
		},
		"random bytes": func(e *wsRootEnd) {
			noise := make([]byte, 1<<16)
			rng := rand.NewChaCha8([32]byte{7})
			for e.opens() {
				rng.Read(noise)
				if !e.throws(noise) {
					return
				}
			}
		},
		"masked frames":      func(e *wsRootEnd) { _ = e.opens() && e.throws(final(opBinary, "x")); io.Copy(io.Discard, e.nc) },
		"reserved bits":      func(e *wsRootEnd) { _ = e.opens() && e.throws(unmasked(0xf2, "x")); io.Copy(io.Discard, e.nc) },
		"a length of 2^63":   func(e *wsRootEnd) { _ = e.opens() && e.throws(announced(0x82, 1<<63)); io.Copy(io.Discard, e.nc) },
		"16 MiB never sent":  func(e *wsRootEnd) { _ = e.opens() && e.throws(announced(0x82, 1<<24)); io.Copy(io.Discard, e.nc) },
		"half a close frame": func(e *wsRootEnd) { _ = e.opens() && e.throws(unmasked(0x88, "\x03")); io.Copy(io.Discard, e.nc) },
		"pongs and pings only": func(e *wsRootEnd) {
			for ok := e.opens(); ok; ok = e.throws(unmasked(0x89, strings.Repeat("p", 125))) && e.throws(unmasked(0x8a, "")) {
				time.Sleep(time.Millisecond)
			}
		},
		"messages that are too big": func(e *wsRootEnd) {
			if !e.opens() {
				return
			}
			for range 8 {
				if !e.throws(announced(0x82, 24<<20)) {
					return
				}
				for range 24 {
					if !e.throws(big) {
						return
					}
				}
			}
			io.Copy(io.Discard, e.nc)
		},
		"a text without end": func(e *wsRootEnd) {
			for n, ok := 0, e.opens(); ok && n < 64; n++ {
				first := byte(opMore)
				if n == 0 {
					first = opText
				}
				ok = e.throws(unmasked(first, string(big)))
			}
		},
		"text that is not UTF-8": func(e *wsRootEnd) {
			for ok := e.opens(); ok; ok = e.throws(unmasked(0x81, "\xff\xfe")) {
				time.Sleep(time.Millisecond)
			}
		},
		"a flood": func(e *wsRootEnd) {
			frame := unmasked(0x82, strings.Repeat("f", 1000))
			for n, ok := 0, e.opens(); ok && n < 5_000; n++ {
				ok = e.throws(frame)
			}
			io.Copy(io.Discard, e.nc)
		},
		"a flood of arrivals": func(e *wsRootEnd) {
			for n, ok := 0, e.opens(); ok && n < 5_000; n++ {
				ok = e.throws(unmasked(0x81, fmt.Sprintf(`{"uid":"u%d","channel":"room"}`, n)))
			}
			io.Copy(io.Discard, e.nc)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRoot(t)
				r.haunted(haunt)
				conf := secret
				conf.MemoryLimit = 256 << 20
				h := openPipes(t, r.upstream(conf, overWS))
				for _, room := range []string{"room", "other"} {
					alice, bob := h.v1Joins("alice", room, ""), h.v2Joins("bob", room)
					alice.nc.SetDeadline(time.Now().Add(time.Hour))
					for i := range 100 {
						from, to := fmt.Sprintf("local from alice %d", i), fmt.Sprintf("local from bob %d", i)
						go func() { alice.says(from); bob.says(blob(to)) }()
						bob.awaits(from)
						alice.awaits(to)
						time.Sleep(300 * time.Millisecond)
					}
				}
				var m runtime.MemStats
				if runtime.ReadMemStats(&m); m.HeapAlloc > 1<<30 {
					t.Errorf("%d MiB are in use", m.HeapAlloc>>20)
				}
				for _, line := range h.log.lines("panic") {
					t.Error(line)
				}
			})
		})
	}
}

// awaits reads until the message comes.
func (c *v2client) awaits(message string) {
	c.Helper()
	for {
		switch f, err := readWSFrame(c.r); {
		case err != nil:
			c.Fatalf("%s waits for %q: %v", c.uid, message, err)
		case f.data == message:
			return
		case f.op == opPing:
			c.sends(final(opPong, f.data))
		}
	}
}

// awaits reads until a frame ends with the message.
func (c *v1client) awaits(message string) {
	c.Helper()
	for {
		switch f, err := readV1Frame(c.r); {
		case err != nil:
			c.Fatalf("%s waits for %q: %v", c.uid, message, err)
		case strings.HasSuffix(string(f), message):
			return
		}
	}
}
