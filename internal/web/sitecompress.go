package web

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/singleflight"
)

const (
	// minCompressed is the size in bytes below which a file fits a packet or two anyway.
	minCompressed = 256
	// maxCompressed bounds what is held in memory while it is compressed.
	maxCompressed = 8 << 20
	// entryCost is about what an entry takes beside its body, in bytes.
	entryCost = 256
)

// compressedFiles keeps compressed files, those used last, up to a number of bytes. Each version of a file is compressed
// once for each encoding, however many ask for it at a time, and never more than a share of the machine's cores do so:
// they are wanted for messages.
//
// The list is hashicorp's: it does nothing by itself, so that the bound holds at every moment and no goroutine stays
// behind. Caches that weigh their entries, such as otter, keep to their bound only in the long run.
type compressedFiles struct {
	limit   int64
	slots   chan struct{} // one for each file that is being compressed
	flights singleflight.Group

	mu    sync.Mutex
	list  *simplelru.LRU[fileKey, *compressedFile]
	bytes int64 // of what list holds
}

type fileKey struct {
	path string
	enc  encoding
}

type compressedFile struct {
	modified time.Time // of the file then
	size     int64     // of the file then
	body     []byte    // nil: it is not worth it
}

func newCompressedFiles(limit int64) *compressedFiles {
	c := &compressedFiles{limit: limit, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	// The number of entries is bounded by their cost; this is only what the list demands.
	c.list, _ = simplelru.NewLRU(int(limit/entryCost)+1, func(k fileKey, f *compressedFile) { c.bytes -= cost(k, f) })
	return c
}

func cost(k fileKey, f *compressedFile) int64 { return entryCost + int64(len(k.path)+len(f.body)) }

// get returns f compressed, or nil if it is to be sent as it is. It reads f at most, and not from where f stands.
func (c *compressedFiles) get(f *os.File, info fs.FileInfo, enc encoding) []byte {
	if info.Size() < minCompressed || info.Size() > min(maxCompressed, c.limit*8) {
		return nil
	}
	key := fileKey{f.Name(), enc}
	if kept, ok := c.lookup(key, info); ok {
		return kept.body
	}
	flight := fmt.Sprintf("%s\x00%s\x00%d\x00%d", key.path, enc, info.ModTime().UnixNano(), info.Size())
	made, _, _ := c.flights.Do(flight, func() (any, error) {
		if kept, ok := c.lookup(key, info); ok { // made since
			return kept.body, nil
		}
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		return c.make(key, f, info), nil
	})
	return made.([]byte)
}

func (c *compressedFiles) lookup(key fileKey, info fs.FileInfo) (*compressedFile, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.list.Get(key)
	if !ok || kept.size != info.Size() || !kept.modified.Equal(info.ModTime()) {
		return nil, false
	}
	return kept, true
}

// make compresses f and keeps the result. A file that changes meanwhile is not kept.
func (c *compressedFiles) make(key fileKey, f *os.File, info fs.FileInfo) []byte {
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, info.Size()), data); err != nil {
		return nil
	}
	if now, err := f.Stat(); err != nil || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		return nil
	}
	body := compress(data, key.enc)
	if len(body) >= len(data) {
		body = nil
	}
	c.keep(key, &compressedFile{info.ModTime(), info.Size(), body})
	return body
}

func (c *compressedFiles) keep(key fileKey, f *compressedFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list.Remove(key) // its older version
	if cost(key, f) > c.limit {
		return
	}
	c.list.Add(key, f)
	c.bytes += cost(key, f)
	for c.bytes > c.limit {
		c.list.RemoveOldest()
	}
}

// compress returns data in an encoding, at levels that take a second for some 20 MB of text.
func compress(data []byte, enc encoding) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch enc {
	case brotliEnc:
		w = brotli.NewWriterLevel(&b, 6)
	case zstdEnc:
		w, _ = zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	case gzipEnc:
		w, _ = gzip.NewWriterLevel(&b, 7)
	default:
		panic("no encoding " + enc)
	}
	_, _ = w.Write(data) // into memory: nothing can fail
	_ = w.Close()
	return bytes.Clone(b.Bytes()) // what is kept has no spare room
}

// encodedWriter adds the length of an encoded body, which http.ServeContent leaves out, where the body is sent.
type encodedWriter struct {
	http.ResponseWriter
	size int
}

func (w *encodedWriter) WriteHeader(status int) {
	if status == http.StatusOK {
		w.Header().Set("Content-Length", fmt.Sprint(w.size))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *encodedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
