package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"mles/v1"
)

// Nobody reads the log: clients come and go all the same, and once somebody reads again, the log says what is missing.
func TestNobodyReadsTheLog(t *testing.T) {
	p := start(t, nil, "--history-limit=0")
	v1Addr, adminAddr := p.addr("--v1-listen"), p.addr("--admin-listen")
	get := func() string {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
		r, err := client.Get("http://" + adminAddr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		return string(body)
	}
	dropped := regexp.MustCompile(`(?m)^mles_log_lines_dropped_total [1-9]`)
	name := strings.Repeat("n", 1000)
	p.mu.Lock() // which the test's reader of the log needs for each line
	for end := time.Now().Add(20 * time.Second); ; {
		for range 100 {
			c, err := new(v1.Dialer).Dial(t.Context(), v1Addr, name, name, nil)
			if err != nil {
				p.mu.Unlock()
				t.Fatal(err)
			}
			c.Close()
		}
		if dropped.MatchString(get()) {
			break
		}
		if time.Now().After(end) {
			p.mu.Unlock()
			t.Fatal("nothing is dropped after 20 s")
		}
	}
	p.mu.Unlock()
	l := p.line("lines of the log were dropped: nobody has read it for a while", nil)
	if n, _ := l["lines"].(float64); n < 1 {
		t.Errorf("%v", l)
	}
	p.stop()
	p.line("drained", nil)
}

// For systemd each line begins with its priority and has no time.
func TestLogForJournal(t *testing.T) {
	p := start(t, nil, "--log-format=journal", "--log-level=info")
	eventually(t, "it serves", func() bool { return strings.Contains(p.log(), "flag=--admin-listen") })
	p.stop()
	for line := range strings.Lines(p.log()) {
		if !regexp.MustCompile(`^<[346]>msg=`).MatchString(line) || strings.Contains(line, " time=") || strings.Contains(line, "level=") {
			t.Errorf("%q", line)
		}
	}
	if p.stdout.String() != "" {
		t.Errorf("a greeting for the journal: %s", p.stdout.String())
	}
}
