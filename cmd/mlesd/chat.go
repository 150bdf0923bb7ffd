package main

import (
	"errors"
	"net/http"
	"slices"

	"mles/bridge"
	"mles/internal/admin"
	"mles/internal/console"
)

// chatFlags are the flag of the chat page.
type chatFlags struct {
	Chat bool `env:"MLESD_CHAT" group:"Site" help:"Serve a page to chat on at /chat, where v2 is served; --admin-listen has one in any case."`
}

// hasPages reports whether there is anything for browsers where v2 is served.
func (c *config) hasPages() bool { return c.hasSite() || c.Chat }

func (c *config) checkChat() error {
	if c.Chat && c.v2.off && c.plain.off {
		return errors.New("--chat: --v2-listen and --plain-listen are both off, nobody could ask for the page")
	}
	letsItIn := func(origin string) bool {
		return slices.Contains([]string{bridge.OriginsAny, bridge.OriginsSame, bridge.OriginsAuto}, origin)
	}
	if c.Chat && len(c.Origins) > 0 && !slices.ContainsFunc(c.Origins, letsItIn) {
		c.warnings = append(c.warnings, "--chat: its page may not open a WebSocket unless --origins names its origin, or same")
	}
	return nil
}

// adminPages puts the console and the chat page on the admin listener. The chat page's WebSocket is the gateway's: a
// browser would not connect to --v2-listen, of whose certificate it knows nothing.
func (d *daemon) adminPages(routes *admin.Routes) {
	routes.Open("/{$}", console.Console())
	routes.Open("/console/", console.Console())
	routes.Open("/chat", console.Chat())
	routes.Open("/chat/", console.Chat())
	routes.Read("GET "+console.WebSocketPath, console.SameHost(http.HandlerFunc(d.gw.ServeAnyOrigin)))
}
