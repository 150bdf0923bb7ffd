package status

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mles/bridge"
	"mles/internal/seen"
	"mles/v1"
	"mles/v2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An office is a gateway whose operator asks.
type office struct {
	*testing.T
	gateway *bridge.Gateway
	mux     *http.ServeMux
	v1, v2  string // addresses
}

func newOffice(t *testing.T) *office {
	t.Helper()
	record := seen.New("", slog.New(slog.DiscardHandler))
	g, err := bridge.New(bridge.Config{
		V1Keys: []string{"old", "new"}, V1KeyLines: []int{2, 5}, Witness: record, Logger: slog.New(slog.DiscardHandler),
		Upstreams: []bridge.Upstream{{URL: "v1://127.0.0.1:1"}}, // nobody is there
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{T: t, gateway: g, mux: http.NewServeMux()}
	o.v1, o.v2 = o.listen(g.ServeV1), o.listen(g.ServeV2)
	t.Cleanup(func() { g.Close() })
	source := &Source{
		Gateway: g, Seen: record, Version: "mlesd of the test", Started: time.Now(),
		Listeners: func() []Listener { return []Listener{{"--v1-listen", o.v1, false}} },
	}
	source.Register(o.mux.Handle)
	return o
}

func (o *office) listen(serve func(net.Listener) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		o.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(l) }()
	o.Cleanup(func() {
		o.gateway.Close()
		if err := <-done; err != nil {
			o.Error(err)
		}
	})
	return l.Addr().String()
}

// onV1 has somebody join.
func (o *office) onV1(key, uid, channel string) *v1.ClientConn {
	o.Helper()
	n := o.gateway.Stats().Joins["v1"]
	c, err := (&v1.Dialer{Key: key}).Dial(o.Context(), o.v1, uid, channel, []byte("hi"))
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { c.Close() })
	o.until(uid+" joins", func() bool { return o.gateway.Stats().Joins["v1"] > n })
	return c
}

func (o *office) onV2(uid, channel string) {
	o.Helper()
	n := o.gateway.Stats().Joins["v2"]
	c, err := new(v2.Dialer).Dial(o.Context(), "ws://"+o.v2, uid, channel)
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { c.NetConn().Close() })
	o.until(uid+" joins", func() bool { return o.gateway.Stats().Joins["v2"] > n })
}

func (o *office) until(what string, so func() bool) {
	o.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			o.Fatal("never: " + what)
		}
	}
}

// asks reads the answer to a query into doc.
func (o *office) asks(path string, doc any) {
	o.Helper()
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		o.Fatalf("%s: %d, %v, %s", path, w.Code, w.Header(), w.Body)
	}
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(doc); err != nil {
		o.Fatal(err)
	}
}

// The operator sees who is there, by dialect, channel and uid, and with what key.
func TestStatus(t *testing.T) {
	o := newOffice(t)
	o.onV1("new", "alice", "hall")
	o.onV1("old", "anna", "attic")
	o.onV2("bob", "hall")
	o.onV2("bob", "attic")
	var doc Document
	o.asks("/status", &doc)
	who := func() (all []string) {
		for _, m := range doc.Members {
			all = append(all, fmt.Sprintf("%s %s %s %s %d", m.Channel, m.Dialect, m.UID, m.Key, m.KeyLine))
			if m.Address == "" || time.Since(m.Since) > time.Minute || m.Since.Location() != time.UTC {
				t.Errorf("%+v", m)
			}
		}
		return all
	}
	if diff := cmp.Diff([]string{"attic v1 anna shared 2", "attic v2 bob none 0", "hall v1 alice shared 5", "hall v2 bob none 0"}, who()); diff != "" {
		t.Error(diff)
	}
	if a := doc.Members[0]; a.MessagesIn != 1 || a.BytesIn == 0 || time.Since(a.LastMessage) > time.Minute {
		t.Errorf("anna said hi as she came: %+v", a)
	}
	if b := doc.Members[1]; !b.LastMessage.IsZero() {
		t.Errorf("bob has said nothing: %+v", b)
	}
	if len(doc.Channels) != 2 || doc.Channels[1].Name != "hall" || doc.Channels[1].HistoryEvents != 2 || doc.Channels[1].HistoryBytes == 0 {
		t.Errorf("%+v", doc.Channels)
	}
	if diff := cmp.Diff(map[string]int{"v1": 1, "v2": 1}, doc.Channels[0].Members); diff != "" {
		t.Error(diff)
	}
	if doc.Version != "mlesd of the test" || len(doc.Listeners) != 1 || doc.UptimeSeconds <= 0 || doc.Draining || doc.Stats.Members != 4 ||
		doc.Stats.Dialects["v1"].Joins != 2 || doc.Seen.Kept || doc.Seen.Dialects["v1"].Present != 2 || doc.Seen.Problem == "" {
		t.Errorf("%+v", doc)
	}
	var up []string
	for _, u := range doc.Upstreams {
		up = append(up, u.URL+" "+u.Channel)
		if u.State == "" || u.Since.IsZero() || u.MessagesUp != 0 {
			t.Errorf("%+v", u)
		}
	}
	if diff := cmp.Diff([]string{"v1://127.0.0.1:1 attic", "v1://127.0.0.1:1 hall"}, up); diff != "" {
		t.Error(diff)
	}
	if o.asks("/status?channel=hall", &doc); len(doc.Upstreams) != 1 {
		t.Errorf("%+v", doc.Upstreams)
	}
	for query, want := range map[string]int{
		"dialect=v1": 2, "dialect=v1&dialect=v2": 4, "dialect=v1ws": 0, "channel=hall": 2, "channel=hall&channel=hall&channel=attic": 4,
		"channel=cellar": 0, "uid=bob": 2, "uid=bob&channel=hall": 1, "uid=bob&dialect=v1": 0, "limit=3": 3, "limit=0": 0,
	} {
		if o.asks("/status?"+query, &doc); len(doc.Members) != want {
			t.Errorf("%s: %d members, want %d", query, len(doc.Members), want)
		}
	}
	var pages []string
	for mark := ""; ; mark = doc.MembersNext {
		doc = Document{}
		o.asks("/status?limit=1&members_after="+mark, &doc)
		pages = append(pages, who()...)
		if doc.MembersNext == "" {
			break
		}
	}
	if len(pages) != 4 || !slices.IsSorted(pages) {
		t.Errorf("page by page: %q", pages)
	}
}

// What does not fit is refused by name, and nobody else may ask otherwise.
func TestQueriesRefused(t *testing.T) {
	o := newOffice(t)
	for path, complaint := range map[string]string{
		"/status?dialec=v1":                          `"dialec"`,
		"/status?limit=-1":                           `"-1"`,
		"/status?limit=10001":                        `"10001"`,
		"/status?members_after=x":                    "members_after",
		"/status?channels_after=x":                   "channels_after",
		"/status?%zz":                                "%zz",
		"/status/seen?for=1h":                        "dialect",
		"/status/seen?dialect=v1":                    `for ""`,
		"/status/seen?dialect=v1&for=30d":            `"30d"`,
		"/status/seen?dialect=v1&for=-1h":            `"-1h"`,
		"/status/seen?dialect=v1&for=10000h":         `"10000h"`,
		"/status/seen?dialect=v1&for=1h&after=x":     "after",
		"/status/seen?dialect=v1&for=1h&uids=alice":  `"uids"`,
		"/status/seen?dialect=v1&for=1h&limit=many":  `"many"`,
		"/status?uid=a&members_after=bnVsbA&limit=1": "members_after",
	} {
		w := httptest.NewRecorder()
		o.mux.ServeHTTP(w, &http.Request{Method: "GET", URL: must(path)})
		if w.Code != 400 || !strings.Contains(w.Body.String(), complaint) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, httptest.NewRequest("POST", "/status", nil))
	if w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

func must(path string) *url.URL {
	p, q, _ := strings.Cut(path, "?")
	return &url.URL{Path: p, RawQuery: q}
}

// Alice was there, bob is; what is asked about them is answered, or that it cannot be.
func TestSeenAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		record := seen.New("", slog.New(slog.DiscardHandler))
		s := &Source{Seen: record}
		visit := func(dialect, uid string) bridge.Visit {
			return bridge.Visit{Dialect: dialect, UID: uid, Channel: "hall"}
		}
		ask := func(want string, clients int, q string) *SeenDocument {
			t.Helper()
			values, err := url.ParseQuery(q)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := s.seen(query{values})
			if err != nil {
				t.Fatal(err)
			}
			if doc.Answer != want || doc.Clients != clients || (want == Unknown) != (doc.Reason != "") {
				t.Errorf("%s at %v: %s, %d clients, %q; want %s, %d", q, doc.Now, doc.Answer, doc.Clients, doc.Reason, want, clients)
			}
			return doc
		}
		record.Joined(visit("v1", "alice"))
		record.Left(visit("v1", "alice"))
		record.Joined(visit("v2", "bob"))
		ask(Used, 1, "dialect=v1&for=720h") // known even of a short time
		ask(Unknown, 0, "dialect=v1ws&for=720h")
		time.Sleep(10 * day)
		ask(Used, 1, "dialect=v1&for=720h")
		ask(Unused, 0, "dialect=v1&for=216h")
		ask(Used, 1, "dialect=v2&for=1h")
		ask(Used, 1, "dialect=v1&dialect=v2&for=216h")
		ask(Unknown, 0, "dialect=v1&for=720h&uid=carol")
		ask(Used, 1, "dialect=v1&for=720h&uid=alice&channel=hall")
		ask(Unused, 0, "dialect=v1&for=216h&uid=alice")
		time.Sleep(25 * day)
		ask(Unused, 0, "dialect=v1&dialect=v1ws&for=720h")
		ask(Unknown, 0, "dialect=v1ws&for=9000h")
		doc := ask(Used, 2, "dialect=v1&dialect=v2&for=9000h")
		if doc.Visitors[0].UID != "bob" || !doc.Visitors[0].Present || !doc.Visitors[0].Last.Equal(doc.Now) {
			t.Errorf("%+v", doc.Visitors)
		}
		var uids []string
		for next := ""; ; {
			doc = ask(Used, 2, "dialect=v1&dialect=v2&for=9000h&limit=1&after="+next)
			time.Sleep(time.Minute)
			for _, v := range doc.Visitors {
				uids = append(uids, v.UID)
			}
			if next = doc.Next; next == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"bob", "alice"}, uids); diff != "" {
			t.Error(diff)
		}
	})
}

// Where the record has a gap, nobody knows.
func TestSeenGap(t *testing.T) {
	now := time.Now()
	doc := &SeenDocument{From: now.Add(-time.Hour), Dialects: []string{"v1"}}
	doc.Seen = Seen{Since: now.Add(-10 * time.Hour), Gaps: []Gap{{now.Add(-9 * time.Hour), now.Add(-8 * time.Hour)}}}
	if answer, _ := doc.verdict(false); answer != Unused {
		t.Errorf("with a gap before: %s", answer)
	}
	doc.From = now.Add(-9 * time.Hour)
	if answer, reason := doc.verdict(false); answer != Unknown || !strings.Contains(reason, "gap") {
		t.Errorf("with a gap: %s, %s", answer, reason)
	}
	doc.From = now.Add(-time.Hour)
	doc.Seen.Dialects = map[string]SeenDialect{"v1": {Dropped: 1, Last: now.Add(-5 * time.Hour)}}
	if answer, reason := doc.verdict(true); answer != Unknown || !strings.Contains(reason, "dropped") {
		t.Errorf("for one client, of whom others were dropped: %s, %s", answer, reason)
	}
	if answer, _ := doc.verdict(false); answer != Unused {
		t.Errorf("for all: %s", answer)
	}
	doc.Seen.Dialects["v1"] = SeenDialect{Dropped: 1, Last: now}
	if answer, _ := doc.verdict(false); answer != Used {
		t.Errorf("by somebody dropped: %s", answer)
	}
}
