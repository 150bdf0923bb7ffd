package status

import (
	"fmt"
	"math"
	"slices"
	"time"

	"mles/internal/seen"
)

// Seen is how far the record of who was there goes; see [seen.Status].
type Seen struct {
	Since    time.Time              `json:"since"`
	Gaps     []Gap                  `json:"gaps"`
	Kept     bool                   `json:"kept"` // on disk
	Problem  string                 `json:"problem,omitempty"`
	Dialects map[string]SeenDialect `json:"dialects"`
}

// A Gap is a time of which nothing is known.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// SeenDialect sums up a dialect that has been used.
type SeenDialect struct {
	Entries int       `json:"entries"`
	Present int       `json:"present"`
	Last    time.Time `json:"last"`
	Dropped int64     `json:"dropped"`
}

// What a SeenDocument may answer.
const (
	Used    = "used"
	Unused  = "unused"
	Unknown = "unknown" // nobody is known to have, and the record does not go far enough
)

// A SeenDocument is the answer to GET /status/seen: who was there in the time asked for.
type SeenDocument struct {
	Now      time.Time `json:"now"`
	From     time.Time `json:"from"`
	Dialects []string  `json:"dialects"` // asked for
	Answer   string    `json:"answer"`
	Reason   string    `json:"reason,omitempty"` // of Unknown
	Clients  int       `json:"clients"`          // visitors, on all pages
	Visitors []Visitor `json:"visitors"`         // seen last first
	Next     string    `json:"next,omitempty"`   // for after
	Seen     Seen      `json:"seen"`
}

// A Visitor is somebody who was seen; see [seen.Visitor].
type Visitor struct {
	Dialect string    `json:"dialect"`
	Channel string    `json:"channel"`
	UID     string    `json:"uid"`
	Address string    `json:"address,omitempty"` // without port
	Key     string    `json:"key"`
	KeyLine int       `json:"key_line,omitempty"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Present bool      `json:"present"`
}

func seenOf(st seen.Status) Seen {
	s := Seen{Since: st.Since.UTC(), Gaps: []Gap{}, Kept: st.Kept, Problem: st.Problem, Dialects: make(map[string]SeenDialect)}
	for _, g := range st.Gaps {
		s.Gaps = append(s.Gaps, Gap{g.From.UTC(), g.To.UTC()})
	}
	for name, d := range st.Dialects {
		s.Dialects[name] = SeenDialect{Entries: d.Entries, Present: d.Present, Last: d.Last.UTC(), Dropped: d.Dropped}
	}
	return s
}

func visitorOf(v seen.Visitor) Visitor {
	address := ""
	if v.Addr.IsValid() {
		address = v.Addr.String()
	}
	return Visitor{
		Dialect: v.Dialect, Channel: v.Channel, UID: v.UID, Address: address, Key: v.Key, KeyLine: v.KeyLine,
		First: v.First.UTC(), Last: v.Last.UTC(), Present: v.Present,
	}
}

// seen answers who was there.
func (s *Source) seen(q query) (*SeenDocument, error) {
	if err := q.known("dialect", "for", "channel", "uid", "limit", "after"); err != nil {
		return nil, err
	}
	period, err := q.period()
	if err != nil {
		return nil, err
	}
	if !q.Has("dialect") {
		return nil, fmt.Errorf("dialect is missing: which one may be turned off?")
	}
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	p := page[Visitor]{limit: limit}
	if p.after, err = q.after("after"); err != nil {
		return nil, err
	}
	now := time.Now().Round(0)
	doc := &SeenDocument{Now: now.UTC(), From: now.Add(-period).UTC(), Dialects: distinct(q.Values["dialect"])}
	record := s.Seen.Status() // before the visitors: who comes meanwhile is among them
	for _, dialect := range doc.Dialects {
		for _, v := range s.Seen.Visitors(dialect) {
			if v.Last.Before(doc.From) || !q.fits("channel", v.Channel) || !q.fits("uid", v.UID) {
				continue
			}
			doc.Clients++
			p.add(lastFirst(v), func() Visitor { return visitorOf(v) })
		}
	}
	doc.Visitors, doc.Next = p.list()
	doc.Seen = seenOf(record)
	doc.Answer, doc.Reason = doc.verdict(q.Has("channel") || q.Has("uid"))
	return doc, nil
}

// period is how far back the client looks, as a duration of Go.
func (q query) period() (time.Duration, error) {
	d, err := time.ParseDuration(q.Get("for"))
	if err != nil || d <= 0 || d > seen.MaxAge {
		return 0, fmt.Errorf("for %q is not a time such as 720h, up to %s, which is as long as anybody is remembered", q.Get("for"), seen.MaxAge)
	}
	return d, nil
}

// lastFirst sorts those seen last first, and among them those who are there.
func lastFirst(v seen.Visitor) place {
	ago := int64(0)
	if !v.Present {
		ago = math.MaxInt64 - v.Last.UnixMilli()
	}
	return place{fmt.Sprintf("%019d", ago), v.Dialect, v.Channel, v.UID, v.Addr.String()}
}

// verdict says whether the dialects were used. That nobody is known to have used them is
// an answer only if somebody would be known.
func (d *SeenDocument) verdict(filtered bool) (answer, reason string) {
	if d.Clients > 0 {
		return Used, ""
	}
	for _, name := range d.Dialects {
		used := d.Seen.Dialects[name]
		switch {
		case filtered && used.Dropped > 0:
			reason = fmt.Sprintf("of %s, %d clients were dropped from the record for want of room", name, used.Dropped)
		case !filtered && (used.Present > 0 || !used.Last.Before(d.From) && !used.Last.IsZero()):
			return Used, ""
		}
	}
	if reason != "" {
		return Unknown, reason
	}
	if since := d.Seen.Since; since.After(d.From) {
		return Unknown, fmt.Sprintf("the record begins %s", since.Format(time.RFC3339))
	}
	if i := slices.IndexFunc(d.Seen.Gaps, func(g Gap) bool { return g.To.After(d.From) }); i >= 0 {
		g := d.Seen.Gaps[i]
		return Unknown, fmt.Sprintf("the record has a gap from %s to %s: the gateway ended without notice, or could not write", g.From.Format(time.RFC3339), g.To.Format(time.RFC3339))
	}
	return Unused, ""
}
