// Added to cmd/mlesd by the load tests only (go build -overlay): a garbage collection and profiles on request.

package main

import (
	"encoding/json"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
)

func init() {
	path := os.Getenv("LOAD_HOOK")
	if path == "" {
		return
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	stats := func(w http.ResponseWriter) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		json.NewEncoder(w).Encode(m)
	}
	http.HandleFunc("/gc", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		runtime.GC()
		stats(w)
	})
	http.HandleFunc("/free", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		stats(w)
	})
	go http.Serve(l, nil)
}
