package admin

import (
	"io"
	"net/http"
)

// Health registers what load balancers and supervisors ask:
//
//	GET /healthz   200 as long as the process answers
//	GET /readyz    200 while unready returns "", else 503 with what it returns: a load balancer sends no more clients
func (r *Routes) Health(unready func() (why string)) {
	r.Open("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	}))
	r.Open("GET /readyz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if why := unready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	}))
}
