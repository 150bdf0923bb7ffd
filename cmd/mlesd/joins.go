package main

import "mles/bridge"

// joinFlags are the flags of who may join, beside keys and channels.
type joinFlags struct {
	Origins []string `env:"MLESD_ORIGINS" group:"Channels" placeholder:"auto" default:"auto" help:"Pages that may open WebSockets in a browser, by their origin: *, same (of the host that is asked), https://chat.example.org, https://*.example.org, capacitor://localhost; auto: any, but on loopback listeners same. Repeat, or separate by commas."`
}

// checkJoins checks them.
func (c *config) checkJoins() error {
	var f faults
	f.when(len(c.Origins) == 0, "--origins: empty, want auto, * or what else pages come from")
	for _, origin := range c.Origins {
		if err := bridge.CheckOrigin(origin); err != nil {
			f.when(true, "--origins: %w", err)
		}
	}
	return f.err()
}
