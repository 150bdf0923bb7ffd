package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	admin "mles/internal/status"
)

// A table has columns under headings.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, headings ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(headings...)
	return t
}

func (t table) row(cells ...string) {
	fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// writeStatus prints a gateway's answer for people.
func writeStatus(w io.Writer, doc *admin.Document) error {
	draining := ""
	if doc.Draining {
		draining = ", draining"
	}
	fmt.Fprintf(w, "mlesd %s, up %s%s\n", harmlessName(doc.Version), span(time.Duration(doc.UptimeSeconds*float64(time.Second))), draining)
	for _, l := range doc.Listeners {
		over := ""
		if l.TLS {
			over = " (TLS)"
		}
		fmt.Fprintf(w, "  %s %s%s\n", l.Flag, l.Address, over)
	}
	st := doc.Stats
	var by []string
	for _, name := range dialectNames(st.Dialects) {
		by = append(by, fmt.Sprintf("%s %d", name, st.Dialects[name].Members))
	}
	fmt.Fprintf(w, "%d members (%s) on %d channels; %d connections; memory %s of %s\n",
		st.Members, strings.Join(by, ", "), st.Channels, st.Connections, size(st.Memory), size(st.MemoryLimit))
	for _, write := range []func(io.Writer, *admin.Document) error{writeCertificates, writeMembers, writeChannels, writeUpstreams} {
		if err := write(w, doc); err != nil {
			return err
		}
	}
	return nil
}

// writeCertificates prints a line for each, and one for what is wrong with it.
func writeCertificates(w io.Writer, doc *admin.Document) error {
	for _, c := range doc.Certificates {
		what := "none, clients are refused"
		if left := c.NotAfter.Sub(doc.Now); c.Source != "" && left > 0 {
			what = fmt.Sprintf("%s, %s left", harmlessName(c.Source), span(left))
		} else if c.Source != "" {
			what = harmlessName(c.Source) + ", expired"
		}
		fmt.Fprintf(w, "certificate of %s: %s\n", harmlessName(c.Domain), what)
		if c.Problem != "" {
			fmt.Fprintf(w, "  %s: %s\n", ago(doc.Now, c.ProblemAt), harmlessName(c.Problem))
		}
	}
	return nil
}

func dialectNames[T any](by map[string]T) []string {
	names := make([]string, 0, len(by))
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func writeMembers(w io.Writer, doc *admin.Document) error {
	if len(doc.Members) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "DIALECT", "CHANNEL", "UID", "ADDRESS", "KEY", "THERE", "LAST MESSAGE", "LAG", "IN", "OUT")
	for _, m := range doc.Members {
		last := "none"
		if !m.LastMessage.IsZero() {
			last = ago(doc.Now, m.LastMessage)
		}
		channel := short(m.Channel)
		if m.Called != "" {
			channel += " (" + short(m.Called) + ", masked)"
		}
		t.row(m.Dialect, channel, short(m.UID), m.Address, key(m.Key, m.KeyLine), span(doc.Now.Sub(m.Since)), last,
			size(m.Lag), traffic(m.MessagesIn, m.BytesIn), traffic(m.MessagesOut, m.BytesOut))
	}
	return ends(w, t, doc.MembersNext)
}

func writeChannels(w io.Writer, doc *admin.Document) error {
	if len(doc.Channels) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	names := dialectNames(doc.Stats.Dialects)
	headings := []string{"CHANNEL"}
	for _, name := range names {
		headings = append(headings, strings.ToUpper(name))
	}
	t := newTable(w, append(headings, "HISTORY", "LAST USED")...)
	for _, c := range doc.Channels {
		cells := []string{short(c.Name)}
		for _, name := range names {
			cells = append(cells, fmt.Sprint(c.Members[name]))
		}
		t.row(append(cells, traffic(c.HistoryEvents, c.HistoryBytes), ago(doc.Now, c.LastUsed))...)
	}
	return ends(w, t, doc.ChannelsNext)
}

func writeUpstreams(w io.Writer, doc *admin.Document) error {
	if len(doc.Upstreams) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "UPSTREAM", "CHANNEL", "STATE", "SINCE", "UP", "DOWN", "LAST FAILURE")
	for _, u := range doc.Upstreams {
		t.row(harmlessName(u.URL), short(u.Channel), u.State, ago(doc.Now, u.Since), traffic(u.MessagesUp, u.BytesUp),
			traffic(u.MessagesDown, u.BytesDown), harmlessName(u.Reason))
	}
	return ends(w, t, doc.UpstreamsNext)
}

// writeVisitors prints who was there.
func writeVisitors(w io.Writer, doc *admin.SeenDocument) error {
	if len(doc.Visitors) == 0 {
		return nil
	}
	t := newTable(w, "DIALECT", "CHANNEL", "UID", "ADDRESS", "KEY", "FIRST SEEN", "LAST SEEN")
	for _, v := range doc.Visitors {
		last := ago(doc.Now, v.Last)
		if v.Present {
			last = "there now"
		}
		t.row(v.Dialect, short(v.Channel), short(v.UID), v.Address, key(v.Key, v.KeyLine), ago(doc.Now, v.First), last)
	}
	return ends(w, t, doc.Next)
}

// ends flushes a table, and says if there is more than it shows.
func ends(w io.Writer, t table, next string) error {
	if err := t.Flush(); err != nil {
		return err
	}
	if next != "" {
		_, err := fmt.Fprintln(w, "… and more: --limit shows them, --dialect, --channel and --uid choose")
		return err
	}
	return nil
}

// short makes a name fit to show in a column.
func short(name string) string {
	const most = 40
	runes := []rune(harmlessName(name))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

func key(kind string, line int) string {
	if line > 0 {
		return fmt.Sprintf("line %d", line)
	}
	return kind
}

func traffic(messages, bytes int64) string { return fmt.Sprintf("%d (%s)", messages, size(bytes)) }

// size is a number of bytes for people.
func size(n int64) string {
	f, unit := float64(n), 0
	for ; f >= 1024 && unit < 4; unit++ {
		f /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGT"[unit-1])
}

func ago(now, t time.Time) string { return span(now.Sub(t)) + " ago" }

// span is a time in its two largest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
}
