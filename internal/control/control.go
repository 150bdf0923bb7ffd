// Package control does over HTTP what an operator, or a script that speaks neither dialect, wants done on a gateway's
// channels: throw somebody out, forget a history, read it, say something. docs/admin.md describes the routes; the admin
// listener registers them behind its token.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"mles/bridge"
)

// DefaultUID is who says what is posted without a name.
const DefaultUID = "mlesd"

// maxBody bounds a request's body: a message of the largest size there is fits.
const maxBody = 1 << 24

// bodyTime is how long a body may take to come, for which the admin listener's own limit is too short.
const bodyTime = time.Minute

// publishTime is how long a post waits for readers that are behind.
const publishTime = 20 * time.Second

// Routes act on a gateway.
type Routes struct {
	Gateway *bridge.Gateway
	Log     *slog.Logger // is told of each act, without what was said
	// Purged, if set, has what was purged vanish from where histories are saved, before the answer is given.
	Purged func() error
}

// Register has handle answer by the patterns of [http.ServeMux].
func (r *Routes) Register(handle func(pattern string, h http.Handler)) {
	for pattern, h := range map[string]http.HandlerFunc{
		"POST /kick":                         r.kick,
		"POST /purge":                        named(r.purge),
		"DELETE /channels/{channel}/history": inPath(r.purge),
		"GET /channels/{channel}/history":    inPath(r.history),
		"GET /history":                       named(r.history),
		"POST /channels/{channel}":           r.postPath,
		"POST /publish":                      r.postNamed,
	} {
		handle(pattern, h)
	}
}

// Kicked is the answer to POST /kick.
type Kicked struct {
	Closed int `json:"closed"` // connections
}

func (r *Routes) kick(w http.ResponseWriter, req *http.Request) {
	q, err := parameters(req, "uid", "addr", "channel", "dialect")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	whom, err := whomOf(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	closed := r.Gateway.Kick(whom)
	r.Log.Info("kicked", "client", req.RemoteAddr, "asked", q.Encode(), "closed", closed)
	answer(w, Kicked{closed})
}

// whomOf reads who is to be kicked: all that is given must fit.
func whomOf(q url.Values) (func(bridge.Member) bool, error) {
	if len(q) == 0 {
		return nil, errors.New("nobody is named: uid, addr or channel says who is to be kicked")
	}
	if d := q.Get("dialect"); q.Has("dialect") && !slices.Contains([]string{"v1", "v1ws", "v2"}, d) {
		return nil, fmt.Errorf("dialect %q: v1, v1ws or v2", d)
	}
	from := func(netip.AddrPort) bool { return true }
	if q.Has("addr") {
		var err error
		if from, err = addresses(q.Get("addr")); err != nil {
			return nil, err
		}
	}
	fits := func(name string, values ...string) bool {
		return !q.Has(name) || slices.Contains(values, q.Get(name))
	}
	return func(m bridge.Member) bool {
		return fits("uid", m.UID) && fits("channel", m.Channel, m.Called) && fits("dialect", m.Dialect) && from(m.Addr)
	}, nil
}

// addresses reads an address, an address with port, or a network.
func addresses(s string) (func(netip.AddrPort) bool, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
		return func(a netip.AddrPort) bool { return a == ap }, nil
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return func(a netip.AddrPort) bool { return p.Contains(a.Addr().WithZone("")) }, nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return nil, fmt.Errorf("addr %q is no address, with port or without, and no network", s)
	}
	addr = addr.Unmap()
	return func(a netip.AddrPort) bool {
		return a.Addr() == addr || addr.Zone() == "" && a.Addr().WithZone("") == addr
	}, nil
}

// Purged is the answer to POST /purge.
type Purged struct {
	Events int `json:"events"` // that are no longer remembered
}

// forChannel answers a request about a channel.
type forChannel func(w http.ResponseWriter, req *http.Request, channel string)

// named has f answer for the channel in the query, where the nameless one of v1 has a place, too.
func named(f forChannel) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		q, err := parameters(req, "channel")
		if err == nil && !q.Has("channel") {
			err = errors.New("no channel is named")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f(w, req, q.Get("channel"))
	}
}

// inPath has f answer for the channel in the path, where slashes in it are %2F.
func inPath(f forChannel) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if _, err := parameters(req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f(w, req, req.PathValue("channel"))
	}
}

func (r *Routes) purge(w http.ResponseWriter, req *http.Request, channel string) {
	events, ok := r.Gateway.Purge(channel)
	if !ok {
		noChannel(w, channel)
		return
	}
	r.Log.Info("history purged", "client", req.RemoteAddr, "channel", channel, "events", events)
	if r.Purged != nil {
		if err := r.Purged(); err != nil {
			http.Error(w, "forgotten, but not yet gone from the disk: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	answer(w, Purged{events})
}

func (r *Routes) postNamed(w http.ResponseWriter, req *http.Request) {
	q, err := parameters(req, "channel", "uid")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.post(w, req, q.Get("channel"), q)
}

func (r *Routes) postPath(w http.ResponseWriter, req *http.Request) {
	q, err := parameters(req, "uid")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.post(w, req, req.PathValue("channel"), q)
}

// post publishes the body.
func (r *Routes) post(w http.ResponseWriter, req *http.Request, channel string, q url.Values) {
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetReadDeadline(time.Now().Add(bodyTime)) // not every server can
	_ = deadlines.SetWriteDeadline(time.Now().Add(bodyTime + 2*publishTime))
	p := bridge.Post{Channel: channel, UID: DefaultUID}
	if q.Has("uid") {
		p.UID = q.Get("uid")
	}
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	p.Text = kind == "text/plain"
	var err error
	if p.Message, err = readBody(w, req); err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	// It has been published whether or not readers come to an end of it in time.
	ctx, cancel := context.WithTimeout(req.Context(), publishTime)
	defer cancel()
	if err := r.Gateway.Publish(ctx, p); err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	r.Log.Debug("posted", "client", req.RemoteAddr, "channel", p.Channel, "uid", p.UID, "bytes", len(p.Message))
	w.WriteHeader(http.StatusNoContent)
}

// statusOf is the HTTP status of a message that was not published.
func statusOf(err error) int {
	switch {
	case errors.Is(err, bridge.ErrPostTooBig), errors.As(err, new(*http.MaxBytesError)):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, bridge.ErrPostClosing):
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// parameters are those of the request's query. One that nobody would look at is an error, and so is one that is given twice: a
// misspelt name would kick everybody else, too.
func parameters(req *http.Request, names ...string) (url.Values, error) {
	q, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	for name, values := range q {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("unknown parameter %q", name)
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("parameter %q is given more than once", name)
		}
	}
	return q, nil
}

func noChannel(w http.ResponseWriter, channel string) {
	http.Error(w, fmt.Sprintf("channel %q has neither members nor history", channel), http.StatusNotFound)
}

// answer writes JSON.
func answer(w http.ResponseWriter, doc any) {
	harmless(w, "application/json")
	_ = json.NewEncoder(w).Encode(doc) // who hangs up misses it
}

// harmless keeps browsers from taking an answer for anything else, and from keeping it.
func harmless(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
