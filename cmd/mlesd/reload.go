package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
)

// reloaded tells what a reload did; it is the answer to POST /reload.
type reloaded struct {
	// Changed are the flags that have other values now, and "shared keys", "MLES_ADDR_KEY", "upstreams", "certificate" and
	// "admin token"
	// where what is in the files that flags name has changed.
	Changed []string `json:"changed"`
	// Restart are the flags that have other values and will only take effect at the next start.
	Restart []string `json:"restart"`
	// Opened and Closed are listeners.
	Opened []opening `json:"opened"`
	Closed []opening `json:"closed"`
	// Disconnected counts the connections that were closed because they are no longer allowed, by reason.
	Disconnected map[string]int `json:"disconnected"`
	Warnings     []string       `json:"warnings"`
}

// opening is a listener.
type opening struct {
	Flag    string `json:"flag"`
	Address string `json:"address"`
}

// errStopping is the answer to a reload of a gateway that drains.
var errStopping = errors.New("the gateway is shutting down")

// reload reads the command line's files again, with the configuration file among them, and applies what they say. If
// that does not fit, or a listener cannot be opened, nothing changes.
func (d *daemon) reload(ctx context.Context) (*reloaded, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	if d.stopped {
		return nil, errStopping
	}
	defer d.manager.reloading(d.log)()
	if err := d.conf.rereadable(); err != nil {
		return nil, err
	}
	next, err := parseWith(d.args, io.Discard, d.conf.sockets)
	if err != nil {
		return nil, err
	}
	r := &reloaded{}
	r.Changed, r.Restart = next.differs(d.conf)
	next.keepFixed(d.conf, r.Restart)
	t := &transition{d: d, next: next, report: r}
	if err := t.prepare(ctx); err != nil {
		t.undo(ctx)
		return nil, err
	}
	t.commit()
	d.histories.soon() // what is remembered no more is to vanish
	r.Warnings = next.allWarnings()
	r.normalize()
	return r, nil
}

// reloadLogged reloads because of a signal: what comes of it stands in the log.
func (d *daemon) reloadLogged(ctx context.Context) {
	r, err := d.reload(ctx)
	d.logReload(r, err)
}

func (d *daemon) logReload(r *reloaded, err error) {
	if err != nil {
		d.log.Error("not reloaded, nothing has changed", "err", err)
		return
	}
	for _, warning := range r.Warnings {
		d.log.Warn(warning)
	}
	for _, flag := range r.Restart {
		d.log.Warn("a change takes effect at the next start", "flag", flag)
	}
	d.log.Info("reloaded", "changed", r.Changed, "disconnected", total(r.Disconnected))
}

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// normalize has no list be null in JSON.
func (r *reloaded) normalize() {
	for _, list := range []*[]string{&r.Changed, &r.Restart, &r.Warnings} {
		if *list == nil {
			*list = []string{}
		}
	}
	for _, list := range []*[]opening{&r.Opened, &r.Closed} {
		if *list == nil {
			*list = []opening{}
		}
	}
	if r.Disconnected == nil {
		r.Disconnected = map[string]int{}
	}
}

// rereadable says which file was a pipe, as a shell's <(…) is: it gives what it holds once, and an empty file of keys
// would open a side to everybody.
func (c *config) rereadable() error {
	for flag, name := range map[string]string{
		"--key-file": c.KeyFile, "--v1-key-file": c.V1KeyFile, "--v2-key-file": c.V2KeyFile,
		"--upstream-key-file": c.UpstreamKeyFile, "--upstream-hold": c.UpstreamHold, "--upstream-ca": c.UpstreamCA,
		"--admin-token-file": c.AdminTokenFile, "--tls-cert": c.TLSCert, "--tls-key": c.TLSKey,
	} {
		if info, err := os.Stat(name); name != "" && err == nil && info.Mode()&os.ModeNamedPipe != 0 {
			return usage("%s %s is a pipe, which cannot be read again", flag, name)
		}
	}
	return nil
}

// fixedFlags cannot change while the gateway runs.
func fixedFlags() []string {
	return []string{"--admin-tls", "--cache", "--history-save", "--log-format", "--memory-limit", "--v2-joins", "--webproxy-mask"}
}

// siteOnlyFlags are those of the site; whether there is one cannot change while the gateway runs, nor whether there is
// anything for browsers at all.
func siteOnlyFlags() []string {
	return []string{"--compression-cache", "--cors", "--proxy", "--wwwroot"}
}

// differs compares c with what runs: the names of flags that can change now, and of those that cannot.
func (c *config) differs(old *config) (changed, restart []string) {
	for _, name := range slices.Sorted(maps.Keys(c.values)) {
		if c.values[name] == old.values[name] {
			continue
		}
		if len(c.sockets[name]) > 0 {
			continue // systemd listens there, whatever the flag says
		}
		toggles := c.hasSite() != old.hasSite() && slices.Contains(siteOnlyFlags(), name) ||
			c.hasPages() != old.hasPages() && name == "--chat"
		if toggles || slices.Contains(fixedFlags(), name) {
			restart = append(restart, name)
		} else {
			changed = append(changed, name)
		}
	}
	return changed, restart
}

// keepFixed gives c the old values of flags that cannot change now.
func (c *config) keepFixed(old *config, restart []string) {
	for _, name := range restart {
		c.values[name] = old.values[name]
	}
	c.Cache, c.cacheGiven = old.Cache, old.cacheGiven
	c.keepFlags = old.keepFlags
	c.AdminTLS = old.AdminTLS
	c.LogFormat, c.V2Joins = old.LogFormat, old.V2Joins // the gateway itself keeps the mask, which needs --v1-websocket
	c.MemoryLimit, c.memory = old.MemoryLimit, old.memory
	if c.hasPages() != old.hasPages() {
		c.Chat = old.Chat
	}
	if c.hasSite() != old.hasSite() {
		c.Wwwroot, c.Proxy, c.proxies = old.Wwwroot, old.Proxy, old.proxies
		c.CORS, c.CompressionCache, c.compression = old.CORS, old.CompressionCache, old.compression
	}
}
