package main

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"mles/internal/admin"
)

// longestProfile bounds the time for which a client may have the gateway profiled.
const longestProfile = 2 * time.Minute

// pprofRoutes registers what the Go tools ask a program about itself; it is there while --pprof is on.
func (d *daemon) pprofRoutes(routes *admin.Routes) {
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /debug/pprof/":        pprof.Index, // which finds the others: heap, goroutine, allocs …
		"GET /debug/pprof/cmdline": pprof.Cmdline,
		"GET /debug/pprof/profile": pprof.Profile,
		"GET /debug/pprof/symbol":  pprof.Symbol,
		"GET /debug/pprof/trace":   pprof.Trace,
	} {
		routes.Read(pattern, d.whileProfiling(h))
	}
}

// whileProfiling answers 404 unless --pprof is on, and 400 to who wants too much.
func (d *daemon) whileProfiling(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.profiling.Load() {
			http.Error(w, "not without --pprof", http.StatusNotFound)
			return
		}
		if asked, err := strconv.ParseFloat(r.FormValue("seconds"), 64); err == nil && asked > longestProfile.Seconds() {
			http.Error(w, "no longer than "+longestProfile.String(), http.StatusBadRequest)
			return
		}
		h(w, r)
	})
}
