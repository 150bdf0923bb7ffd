package main

import (
	"strings"
	"testing"
	"time"

	admin "mles/internal/status"
)

func TestParsePeriod(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"30d": 30 * day, "2w": 14 * day, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "1d": day} {
		if d, err := parsePeriod(text); d != want || err != nil {
			t.Errorf("%s is %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "30", "1d12h", "99999999d", "0s", "-5m", "forever"} {
		if d, err := parsePeriod(text); err == nil || status(err) != exitUsage {
			t.Errorf("%q is %v, %v", text, d, err)
		}
	}
}

// Clients choose their names: no table shows them as a terminal would take them.
func TestStatusTables(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	evil := "\x1b[2Jeve\nbob"
	doc := &admin.Document{
		Version: "1", Now: now, UptimeSeconds: 90061, Draining: true,
		Members: []admin.Member{{
			Dialect: "v1ws", Channel: "qk3", Called: evil, UID: strings.Repeat("ü", 100), Address: "[::1]:7", Key: "shared", KeyLine: 3,
			Since: now.Add(-25 * time.Hour), LastMessage: now.Add(-65 * time.Second), Lag: 3 << 20, MessagesIn: 2, BytesIn: 1536,
		}},
		MembersNext: "more",
		Certificates: []admin.Certificate{
			{Domain: "mles.example", Source: "acme", NotAfter: now.Add(49 * time.Hour), Problem: "refused: " + evil, ProblemAt: now.Add(-time.Minute)},
			{Domain: "old.example", Source: "file", NotAfter: now.Add(-time.Hour)},
			{Domain: "new.example"},
		},
		Channels: []admin.Channel{{Name: evil, LastUsed: now}},
		Upstreams: []admin.Upstream{{
			URL: "v1://old.example:8077", Channel: "hall", State: "waiting", Since: now.Add(-time.Minute), Reason: "dial: " + evil, MessagesUp: 5, BytesUp: 100,
		}},
	}
	var out strings.Builder
	if err := writeStatus(&out, doc); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"mlesd 1, up 1d1h, draining\n", `\x1b[2Jeve\nbob, masked)`, "line 3", "1d1h", "1m5s ago", "3.0 MiB", "2 (1.5 KiB)",
		"certificate of mles.example: acme, 2d1h left\n  1m0s ago: refused: \\x1b[2Jeve\\nbob\n", "certificate of old.example: file, expired\n",
		"certificate of new.example: none, clients are refused\n",
		strings.Repeat("ü", 39) + "… ", "and more", "v1://old.example:8077  hall ", "waiting  1m0s ago  5 (100 B)", `dial: \x1b[2Jeve\nbob`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("an escape in\n%s", out.String())
	}
	visitors := &admin.SeenDocument{Now: now, Visitors: []admin.Visitor{{Dialect: "v1", UID: evil, Channel: evil, Key: "address", First: now, Last: now}}}
	out.Reset()
	if err := writeVisitors(&out, visitors); err != nil || strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// Only a record of all that time lets v1 be turned off.
func TestVerdict(t *testing.T) {
	now := time.Now()
	month := 30 * 24 * time.Hour
	c := &statusCommand{Seen: "v1"}
	for _, x := range []struct {
		doc  admin.SeenDocument
		code int
		says string
	}{
		{admin.SeenDocument{Answer: admin.Unused}, exitOK, "it can be turned off."},
		{admin.SeenDocument{Answer: admin.Used, Clients: 3}, exitUnsatisfied, "v1 is still used by 3 clients (last 30d); do not turn it off."},
		{admin.SeenDocument{Answer: admin.Used}, exitUnsatisfied, "no room for; do not turn it off."},
		{admin.SeenDocument{Answer: admin.Unknown, Reason: "why", From: now.Add(-month), Seen: admin.Seen{Since: now}}, exitUnknown, ": why. Ask again after"},
		{admin.SeenDocument{Answer: admin.Unknown, Reason: "a gap"}, exitUnknown, ": a gap."},
		{admin.SeenDocument{Answer: "of a later gateway"}, exitUnknown, "Nobody can tell"},
	} {
		if sentence, code := c.verdict(&x.doc, "30d", month); code != x.code || !strings.Contains(sentence, x.says) {
			t.Errorf("%+v: %d, %s", x.doc, code, sentence)
		}
	}
}
