package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
)

// With --admin-tls the listener shows the gateway's certificate, and nobody is answered in clear.
func TestAdminOverTLS(t *testing.T) {
	p := start(t, nil, "--admin-tls", "--v2-listen=off", "--history-save=off")
	addr := p.addr("--admin-listen")
	secure := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.rootsOf("--admin-listen")}}}
	answer, err := secure.Get("https://" + addr + "/status")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != 200 || !strings.Contains(string(body), `"tls": true`) || !strings.Contains(string(body), `"self-signed"`) {
		t.Errorf("%d: %s", answer.StatusCode, body)
	}
	if code, _ := p.get("/status"); code != http.StatusBadRequest {
		t.Errorf("in clear: %d", code)
	}
	p.stop()
}

// Profiles are there while --pprof is on, which a reload changes.
func TestProfiles(t *testing.T) {
	p := startWith(t, "MLESD_PPROF=true")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline", "/debug/pprof/profile?seconds=1"} {
		if code, body := p.get(path); code != 200 || len(body) == 0 {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, _ := p.get("/debug/pprof/profile?seconds=3600"); code != http.StatusBadRequest {
		t.Errorf("a profile of an hour: %d", code)
	}
	p.reloads("MLESD_PPROF=false")
	if code, body := p.get("/debug/pprof/heap"); code != 404 || !strings.Contains(body, "--pprof") {
		t.Errorf("turned off: %d %s", code, body)
	}
	p.stop()
}
