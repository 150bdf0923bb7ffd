package status

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"mles/bridge"
	"mles/internal/seen"
)

// How many members, channels or visitors an answer has.
const (
	DefaultLimit = 1000 // unless asked for otherwise
	MaxLimit     = 10_000
)

// A Source answers GET /status and GET /status/seen. Its fields are fixed before it is
// used.
type Source struct {
	Gateway   *bridge.Gateway
	Seen      *seen.Store
	Version   string
	Started   time.Time
	Listeners func() []Listener // those open now
	// Certificates are those shown now; nil: there are none.
	Certificates func() []Certificate
}

// Register has handle answer by the patterns of [http.ServeMux].
func (s *Source) Register(handle func(pattern string, h http.Handler)) {
	handle("GET /status", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, s.status) }))
	handle("GET /status/seen", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, s.seen) }))
}

// answer writes what f makes of the query; its error is the client's fault.
func answer[T any](w http.ResponseWriter, r *http.Request, f func(query) (T, error)) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	doc, err := f(query{values})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(doc) // who hangs up misses the rest
}

// query is what a client asks for.
type query struct{ url.Values }

// known refuses what nobody would act on: a misspelt filter would show everything.
func (q query) known(names ...string) error {
	for name := range q.Values {
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown parameter %q", name)
		}
	}
	return nil
}

// fits says whether value is what the client wants of name, if it wants anything.
func (q query) fits(name, value string) bool {
	return !q.Has(name) || slices.Contains(q.Values[name], value)
}

func (q query) limit() (int, error) {
	if !q.Has("limit") {
		return DefaultLimit, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 0 || n > MaxLimit {
		return 0, fmt.Errorf("limit %q is not from 0 to %d", q.Get("limit"), MaxLimit)
	}
	return n, nil
}

func (q query) after(name string) (place, error) {
	p, err := parseMark(q.Get(name))
	if err != nil {
		return nil, fmt.Errorf("%s %w", name, err)
	}
	return p, nil
}

func (s *Source) status(q query) (*Document, error) {
	if err := q.known("dialect", "channel", "uid", "limit", "members_after", "channels_after", "upstreams_after"); err != nil {
		return nil, err
	}
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	members, channels, upstreams := page[Member]{limit: limit}, page[Channel]{limit: limit}, page[Upstream]{limit: limit}
	for name, after := range map[string]*place{
		"members_after": &members.after, "channels_after": &channels.after, "upstreams_after": &upstreams.after,
	} {
		if *after, err = q.after(name); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	doc := &Document{
		Version: s.Version, Now: now.UTC(), Started: s.Started.UTC(), UptimeSeconds: now.Sub(s.Started).Seconds(),
		Draining: s.Gateway.Draining(), Listeners: s.Listeners(), Stats: statsOf(s.Gateway.Stats(), s.Gateway.Survey()), Seen: seenOf(s.Seen.Status()),
	}
	doc.Certificates = []Certificate{}
	if s.Certificates != nil {
		doc.Certificates = append(doc.Certificates, s.Certificates()...)
	}
	for m := range s.members(q) {
		if q.fits("dialect", m.Dialect) && q.fits("uid", m.UID) {
			at := place{m.Channel, m.Dialect, m.UID, m.Addr.String(), m.Since.UTC().Format(time.RFC3339Nano)}
			members.add(at, func() Member { return memberOf(m) })
		}
	}
	for c := range s.channels(q) {
		if !q.Has("dialect") || slices.ContainsFunc(q.Values["dialect"], func(d string) bool { return c.Members[d] > 0 }) {
			channels.add(place{c.Name}, func() Channel { return channelOf(c) })
		}
	}
	for _, u := range s.Gateway.UpstreamStatus() {
		if q.fits("channel", u.Channel) {
			upstreams.add(place{u.URL, u.Channel}, func() Upstream { return upstreamOf(u) })
		}
	}
	doc.Members, doc.MembersNext = members.list()
	doc.Upstreams, doc.UpstreamsNext = upstreams.list()
	doc.Channels, doc.ChannelsNext = channels.list()
	return doc, nil
}

// members are those on the channels asked for.
func (s *Source) members(q query) iter.Seq[bridge.Member] {
	if !q.Has("channel") {
		return s.Gateway.Members()
	}
	return func(yield func(bridge.Member) bool) {
		for _, channel := range distinct(q.Values["channel"]) {
			for m := range s.Gateway.MembersOf(channel) {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// channels are those asked for.
func (s *Source) channels(q query) iter.Seq[bridge.Channel] {
	if !q.Has("channel") {
		return s.Gateway.Channels()
	}
	return func(yield func(bridge.Channel) bool) {
		for _, name := range distinct(q.Values["channel"]) {
			if c, ok := s.Gateway.Channel(name); ok && !yield(c) {
				return
			}
		}
	}
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
