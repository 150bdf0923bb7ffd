package web

import (
	"net/http"
	"sync/atomic"
)

// LiveSite is a [Site] that can be exchanged for another while it serves. The zero value finds nothing.
type LiveSite struct {
	current atomic.Pointer[Site]
}

// Replace has next serve from now on; requests that are being served end as they began.
func (l *LiveSite) Replace(next *Site) {
	if before := l.current.Swap(next); before != nil {
		before.Close()
	}
}

// Close is [Site.Close] of the site that serves now, if there is one.
func (l *LiveSite) Close() {
	if s := l.current.Load(); s != nil {
		s.Close()
	}
}

// ServeHTTP implements [http.Handler].
func (l *LiveSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := l.current.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	refuse(w, http.StatusNotFound)
}

// Upgrades is [Site.Upgrades] of the site that serves now.
func (l *LiveSite) Upgrades(r *http.Request) bool {
	s := l.current.Load()
	return s != nil && s.Upgrades(r)
}
