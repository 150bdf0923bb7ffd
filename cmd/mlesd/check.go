package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"mles/bridge"
	"mles/internal/web"
)

// complete fills in what depends on other flags and checks that all of them fit together.
func (c *config) complete() error {
	c.addresses()
	for _, check := range []func() error{c.checkListeners, c.checkCertificates, c.checkDomains, c.checkBounds, c.checkSite} {
		if err := check(); err != nil {
			return &usageError{err}
		}
	}
	var err error
	if c.keys, err = findKeys(c.file.lookup, c.KeyFile, c.V1KeyFile, c.V2KeyFile); err != nil {
		return err
	}
	c.keys.warnings = append(c.keys.warnings, c.file.warnings()...)
	if c.keys.addr != "" && len(c.keys.v1.keys) > 0 && !c.V1AddressKeys {
		c.keys.warnings = append(c.keys.warnings, "MLES_ADDR_KEY has no effect: v1 has a shared key, and --v1-address-keys is not given")
	}
	if err := c.findUpstreams(); err != nil {
		return err
	}
	c.cacheGiven = c.Cache != ""
	if dir, err := os.UserCacheDir(); err == nil && !c.cacheGiven {
		c.Cache = filepath.Join(dir, "mles")
	}
	if err := c.checkSecrets(); err != nil {
		return &usageError{err}
	}
	if c.Cache == "" && len(c.Domains) > 0 {
		return usage("--cache: there is no usual cache folder here, and --domains needs one")
	}
	return nil
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
	if c.v1.off && c.v1TLS.off && c.v2.off && c.plain.off {
		return errors.New("every listener is off: nothing to serve")
	}
	if !c.admin.off && !c.admin.loopback() {
		return fmt.Errorf("--admin-listen %s: only a loopback address, such as localhost:9077, since it asks nobody who they are", c.admin)
	}
	if c.WebproxyMask == "only" && !c.V1WebSocket {
		return errors.New("--webproxy-mask=only is for v1 over WebSocket, which --v1-websocket serves")
	}
	seen := make(map[address]string)
	for flag, a := range c.listeners() {
		if other, twice := seen[a]; twice && a.port != 0 {
			return fmt.Errorf("%s and %s are both %s", other, flag, a)
		}
		seen[a] = flag
	}
	return nil
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
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key: each needs the other")
	case c.TLSCert != "" && len(c.Domains) > 0:
		return errors.New("--domains and --tls-cert are both given: use one of them")
	case c.Staging && c.ACMEDirectory != "":
		return errors.New("--staging and --acme-directory are both given: use one of them")
	case len(c.Domains) > 0 && !c.usesTLS():
		return errors.New("--domains: no listener uses TLS")
	case c.TLSCert != "" && !c.usesTLS():
		return errors.New("--tls-cert: no listener uses TLS")
	}
	return nil
}

func (c *config) checkDomains() error {
	for _, domain := range c.Domains {
		if err := web.CheckDomain(domain); err != nil {
			return fmt.Errorf("--domains: %w", err)
		}
	}
	const orphan = "%s is for --domains, which is not given"
	switch {
	case len(c.Domains) > 0:
		return nil
	case c.Email != "":
		return fmt.Errorf(orphan, "--email")
	case c.Staging:
		return fmt.Errorf(orphan, "--staging")
	case c.ACMEDirectory != "":
		return fmt.Errorf(orphan, "--acme-directory")
	}
	return nil
}

func (c *config) usesTLS() bool { return !c.v2.off || !c.v1TLS.off }

func (c *config) checkBounds() error {
	switch {
	case c.HistoryLimit != nil && *c.HistoryLimit < 0:
		return fmt.Errorf("--history-limit %d is negative", *c.HistoryLimit)
	case c.MaxConnections != nil && *c.MaxConnections < 1:
		return fmt.Errorf("--max-connections %d: at least 1", *c.MaxConnections)
	case c.DrainTime < 0:
		return fmt.Errorf("--drain-time %s is negative", c.DrainTime)
	}
	limit := memorySize{percent: 50}
	if c.MemoryLimit != nil {
		limit = *c.MemoryLimit
	}
	var err error
	if c.memory, err = limit.of(bridge.UsableMemory()); err != nil && c.MemoryLimit != nil {
		return fmt.Errorf("--memory-limit: %w", err)
	}
	return nil
}
