package main

import (
	"fmt"
	"path/filepath"

	"mles/internal/admin"
)

// adminFlags are the flags of the admin listener besides its address.
type adminFlags struct {
	AdminTokenFile string `name:"admin-token-file" env:"MLESD_ADMIN_TOKEN_FILE" group:"Listeners" placeholder:"FILE" help:"The token that callers of --admin-listen have to send (Authorization: Bearer), in one line; needed where that is not on loopback (default: admin-token in --cache, made at the first start)."`
	AdminTLS       bool   `name:"admin-tls" env:"MLESD_ADMIN_TLS" group:"Listeners" help:"Serve --admin-listen over TLS, with the certificate of v2; else it sends the token in clear."`
	Pprof          bool   `name:"pprof" env:"MLESD_PPROF" group:"Listeners" help:"Let --admin-listen answer the Go tools for profiles (/debug/pprof/)."`

	// Found by complete.
	adminToken admin.Secret // of AdminTokenFile
}

// checkAdmin reads the token that the flags name. Where others reach the listener, there must be one that was given:
// who is there could not find out one that mlesd made.
func (c *config) checkAdmin() error {
	if !c.admin.off && !c.admin.loopback() && c.AdminTokenFile == "" {
		return usage("--admin-listen %s is not on loopback, and so needs --admin-token-file, which others do not know", c.admin)
	}
	const orphan = "%s is for --admin-listen, which is off"
	switch {
	case c.admin.off && c.AdminTLS:
		return usage(orphan, "--admin-tls")
	case c.admin.off && c.Pprof:
		return usage(orphan, "--pprof")
	case !c.admin.off && !c.admin.loopback() && !c.AdminTLS:
		c.warnings = append(c.warnings, fmt.Sprintf("--admin-listen %s is not on loopback, and callers send the token in clear there: --admin-tls", c.admin))
	}
	if c.AdminTokenFile == "" {
		return nil
	}
	var err error
	if c.adminToken, err = admin.ReadToken(c.AdminTokenFile); err != nil {
		return usage("--admin-token-file: %w", err)
	}
	if c.adminToken.Public {
		c.warnings = append(c.warnings, fmt.Sprintf("--admin-token-file %s can be read by every user of this machine", c.AdminTokenFile))
	}
	return nil
}

// takeToken makes the token of c the one that callers of the admin listener have to send, and reports whether it is
// another than before.
func (d *daemon) takeToken(c *config) (changed bool) {
	if c.admin.off {
		return false
	}
	if c.AdminTokenFile != "" {
		return d.token.Set(c.adminToken)
	}
	s, err := admin.KeepToken(c.Cache)
	if err != nil {
		d.log.Warn("there is no token for the admin listener, what needs one is refused", "err", err)
		d.token.Unset(err)
		return false
	}
	if s.Public {
		d.log.Warn("every user of this machine can read the admin listener's token", "file", filepath.Join(c.Cache, admin.TokenFile))
	}
	return d.token.Set(s)
}
