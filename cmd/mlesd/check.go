package main

import (
	"fmt"
	"iter"
	"net/mail"
	"os"
	"path/filepath"

	"mles/bridge"
	"mles/internal/web"
)

// complete fills in what depends on other flags and checks that all of them fit together. The error is every fault that
// there is.
func (c *config) complete() error {
	c.addresses()
	c.take(c.sockets)
	c.completeSaving()
	var f faults
	for _, check := range []func() error{
		c.checkListeners, c.checkCertificates, c.checkDomains, c.checkBounds, c.checkConnections, c.checkJoins, c.checkSite, c.checkChat, c.checkAdmin,
		c.findKeys, c.findUpstreams, c.findCache,
	} {
		f.add(check())
	}
	return f.err()
}

// findKeys reads the keys, and collects what should be known of them.
func (c *config) findKeys() error {
	var err error
	c.keys, err = findKeys(c.file.lookup, c.KeyFile, c.V1KeyFile, c.V2KeyFile)
	c.keys.warnings = append(c.keys.warnings, c.file.warnings()...)
	c.keys.warnings = append(c.keys.warnings, c.sockets.warnings(c)...)
	c.keys.warnings = append(c.keys.warnings, c.connectionWarnings()...)
	if c.keys.addr != "" && len(c.keys.v1.keys) > 0 && !c.V1AddressKeys {
		c.keys.warnings = append(c.keys.warnings, "MLES_ADDR_KEY has no effect: v1 has a shared key, and --v1-address-keys is not given")
	}
	c.doubtKeys()
	return err
}

// findCache finds the folder, and that nothing in it is served.
func (c *config) findCache() error {
	var f faults
	c.cacheGiven = c.Cache != ""
	if dir, err := os.UserCacheDir(); err == nil && !c.cacheGiven {
		c.Cache = filepath.Join(dir, "mles")
	}
	f.add(c.checkSecrets())
	f.when(c.Cache == "" && len(c.Domains) > 0, "--cache: there is no usual cache folder here, and --domains needs one")
	return f.err()
}

func (c *config) addresses() {
	off := address{off: true, host: "::"} // its host counts if a port alone is given
	c.v1 = c.V1Listen.or(address{host: "::", port: 8077})
	c.v1TLS = c.V1TLSListen.or(off)
	if len(c.Domains) > 0 {
		c.v2 = c.V2Listen.or(address{host: "::", port: 443})
	} else {
		c.v2 = c.V2Listen.or(address{host: "localhost", port: 8443})
	}
	c.plain = c.PlainListen.or(off)
	if c.redirect = off; c.Redirect {
		c.redirect = c.RedirectListen.or(address{host: "::", port: 80})
	}
	c.admin = c.AdminListen.or(address{host: "localhost", port: 9077})
}

func (c *config) checkListeners() error {
	var f faults
	f.when(c.v1.off && c.v1TLS.off && c.v2.off && c.plain.off, "every listener is off: nothing to serve")
	f.when(c.WebproxyMask == "only" && !c.V1WebSocket, "--webproxy-mask=only is for v1 over WebSocket, which --v1-websocket serves")
	seen := make(map[address]string)
	for flag, a := range c.listeners() {
		other, twice := seen[a]
		f.when(twice && a.port != 0, "%s and %s are both %s", other, flag, a)
		seen[a] = flag
	}
	return f.err()
}

// listeners yields each listener that is not off, with its flag, in the order they are opened.
func (c *config) listeners() iter.Seq2[string, address] {
	all := []struct {
		flag string
		addr address
	}{
		{"--v1-listen", c.v1}, {"--v1-tls-listen", c.v1TLS}, {"--v2-listen", c.v2},
		{"--plain-listen", c.plain}, {"--redirect-listen", c.redirect}, {"--admin-listen", c.admin},
	}
	return func(yield func(string, address) bool) {
		for _, l := range all {
			if !l.addr.off && !yield(l.flag, l.addr) {
				return
			}
		}
	}
}

func (c *config) checkCertificates() error {
	var f faults
	const both = "%s and %s are both given: use one of them"
	f.when((c.TLSCert == "") != (c.TLSKey == ""), "--tls-cert and --tls-key: each needs the other")
	f.when(c.TLSCert != "" && len(c.Domains) > 0, both, "--domains", "--tls-cert")
	f.when(c.Staging && c.ACMEDirectory != "", both, "--staging", "--acme-directory")
	f.when(len(c.Domains) > 0 && !c.usesTLS(), "--domains: no listener uses TLS")
	f.when(c.TLSCert != "" && !c.usesTLS(), "--tls-cert: no listener uses TLS")
	return f.err()
}

func (c *config) checkDomains() error {
	var f faults
	for _, domain := range c.Domains {
		if err := web.CheckDomain(domain); err != nil {
			f.add(fmt.Errorf("--domains: %w", err))
		}
	}
	const orphan = "%s is for --domains, which is not given"
	none := len(c.Domains) == 0
	if parsed, err := mail.ParseAddress(c.Email); c.Email != "" && (err != nil || parsed.Address != c.Email) {
		f.add(fmt.Errorf("--email: %q is no address, such as you@example.org", c.Email))
	}
	f.when(none && c.Email != "", orphan, "--email")
	f.when(none && c.Staging, orphan, "--staging")
	f.when(none && c.ACMEDirectory != "", orphan, "--acme-directory")
	return f.err()
}

func (c *config) usesTLS() bool { return !c.v2.off || !c.v1TLS.off || c.AdminTLS && !c.admin.off }

func (c *config) checkBounds() error {
	var f faults
	if n := c.HistoryLimit; n != nil {
		f.when(*n < 0, "--history-limit %d is negative: 0 keeps none", *n)
	}
	if n := c.MaxConnections; n != nil {
		f.when(*n < 1, "--max-connections %d: at least 1", *n)
	}
	f.when(c.DrainTime < 0, "--drain-time %s is negative: 0s waits for nobody", c.DrainTime)
	limit := memorySize{percent: 50}
	if c.MemoryLimit != nil {
		limit = *c.MemoryLimit
	}
	var err error
	if c.memory, err = limit.of(bridge.UsableMemory()); err != nil && c.MemoryLimit != nil {
		f.add(fmt.Errorf("--memory-limit: %w", err))
	}
	return f.err()
}
