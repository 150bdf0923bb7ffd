package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mles/bridge"
)

// access says how often, through what and by which pages the gateway may be reached, where that is limited.
func (r *dryRun) access() {
	c := r.conf
	if rate := c.rate(); rate.N > 0 {
		unit := map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour"}[rate.Per]
		r.say("limits", "%s in a %s from one address", count(rate.N, "connection"), unit)
	}
	if n := c.perIP(); n > 0 {
		r.say("limits", "%s at once from one address", count(n, "connection"))
	}
	if len(c.LimitExempt) > 0 {
		r.say("limits", "not for %s", listed(c.LimitExempt))
	}
	headers := c.proxyHeaders()
	for service := bridge.OnV1; service <= bridge.OnSite; service++ {
		if from, given := headers[service]; given {
			r.say("proxies", "PROXY headers at --%s-listen, from %s", service, listed(from))
		}
	}
	if len(c.TrustedProxies) > 0 {
		r.say("proxies", "X-Forwarded-For, from %s", listed(c.TrustedProxies))
	}
}

func listed(networks []netip.Prefix) string {
	var all []string
	for _, n := range networks {
		all = append(all, n.String())
	}
	return strings.Join(all, ", ")
}

// history says what channels remember, and what of that outlasts the process.
func (r *dryRun) history(limit int) {
	save := r.conf.save
	folder := filepath.Join(r.conf.Cache, "history")
	if _, err := os.Stat(folder); err == nil && !save.off && writable(folder) != nil {
		r.warn("--cache: histories would not be kept over a restart: %s cannot be written to by %s", folder, whoami())
	}
	kept := fmt.Sprintf("saved in %s every %s, and at the end", folder, save.every)
	switch {
	case save.off, r.conf.Cache == "", limit == 0:
		kept = "forgotten when the gateway ends"
	case save.every == 0:
		kept = fmt.Sprintf("saved in %s at the end", folder)
	}
	r.say("history", "%s of a channel, %s", count(limit, "event"), kept)
}
