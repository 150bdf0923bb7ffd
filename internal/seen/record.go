package seen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"time"
)

// version is that of the file's form.
const version = 1

// What a line of the file is about.
const (
	kindHead = "head" // the first line: Version, Since, Gaps
	kindSeen = "seen" // an entry as it is then; a later line about the same one counts
	kindRoll = "roll" // a dialect: Last, Dropped, Present
	kindBeat = "beat" // At: the gateway runs
	kindStop = "stop" // At: it has been stopped, and everybody has left
)

// A record is a line of the file, behind its checksum.
type record struct {
	Kind    string      `json:"t"`
	Version int         `json:"version,omitempty"`
	Since   moment      `json:"since,omitempty"`
	Gaps    [][2]moment `json:"gaps,omitempty"`
	At      moment      `json:"at,omitempty"`
	Dialect string      `json:"d,omitempty"`
	UID     string      `json:"u,omitempty"`
	Channel string      `json:"c,omitempty"`
	Addr    netip.Addr  `json:"a,omitzero"`
	Key     string      `json:"k,omitempty"`
	Line    int         `json:"n,omitempty"`
	First   moment      `json:"f,omitempty"`
	Last    moment      `json:"l,omitempty"`
	Dropped int64       `json:"x,omitempty"`
	Present bool        `json:"p,omitempty"`
}

func (r *record) id() id { return id{r.UID, r.Channel, r.Addr} }

// A moment is a time in Unix milliseconds.
type moment int64

func at(t time.Time) moment       { return moment(t.UnixMilli()) }
func (m moment) time() time.Time  { return time.UnixMilli(int64(m)) }
func (m *moment) limit(to moment) { *m = min(*m, to) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord writes r as a line.
func appendRecord(dst []byte, r record) []byte {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		panic(err) // strings and numbers only
	}
	dst = append(dst, checksum(line.Bytes())...)
	return append(append(dst, ' '), line.Bytes()...)
}

func checksum(text []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli)) }

var errLine = errors.New("a line that is damaged")

// parseRecord reads a line, its newline included.
func parseRecord(line []byte) (r record, err error) {
	const before = 9 // checksum and space
	if len(line) < before || line[before-1] != ' ' {
		return r, errLine
	}
	if string(line[:before-1]) != checksum(line[before:]) {
		return r, errLine
	}
	if err := json.Unmarshal(line[before:], &r); err != nil {
		return r, fmt.Errorf("%w: %w", errLine, err)
	}
	return r, nil
}

// past is what a file tells.
type past struct {
	since   time.Time // of an undamaged file
	gaps    []Gap
	end     time.Time // up to which it was written
	stopped bool      // there, in order
	damage  error     // what is wrong with it; nil: nothing
	entries []record  // seen last first
	rolls   []record
}

// parse reads a file, as far as it can be read. Times to come are taken for now: the
// clock was wrong.
func parse(text []byte, now time.Time) past {
	var p past
	type key struct {
		dialect string
		id      id
	}
	entries, rolls := make(map[key]record), make(map[string]record)
	for n := 1; len(text) > 0; n++ {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			break // cut off: the write that a crash ended
		}
		r, err := parseRecord(text[:end])
		text = text[end:]
		if err == nil && n == 1 && (r.Kind != kindHead || r.Version != version) {
			p.damage = fmt.Errorf("it is %q of version %d, this gateway reads version %d", r.Kind, r.Version, version)
			return p
		}
		if err != nil {
			p.damage = fmt.Errorf("line %d: %w", n, err)
			continue
		}
		for _, m := range []*moment{&r.Since, &r.At, &r.First, &r.Last} {
			m.limit(at(now))
		}
		switch r.Kind {
		case kindHead:
			p.head(r)
		case kindSeen:
			entries[key{r.Dialect, r.id()}] = r
			p.stopped = false
		case kindRoll:
			rolls[r.Dialect] = r
		case kindBeat, kindStop:
			p.end, p.stopped = r.At.time(), r.Kind == kindStop
		}
	}
	if p.since.IsZero() && p.damage == nil {
		p.damage = errors.New("its first line is missing")
	}
	for _, r := range rolls {
		p.rolls = append(p.rolls, r.until(p.end))
	}
	for _, r := range entries {
		p.entries = append(p.entries, r.until(p.end))
	}
	slices.SortFunc(p.entries, func(a, b record) int { return cmp.Compare(b.Last, a.Last) })
	return p
}

// until takes somebody who was present to have been that until the file ends.
func (r record) until(end time.Time) record {
	if r.Present && r.Last < at(end) {
		r.Last = at(end)
	}
	return r
}

func (p *past) head(r record) {
	p.since, p.end = r.Since.time(), r.Since.time()
	for _, g := range r.Gaps {
		p.gaps = append(p.gaps, Gap{g[0].time(), g[1].time()})
	}
}
