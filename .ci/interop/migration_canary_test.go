//go:build interop

package interop

import (
	"testing"

	"mles/.ci/hosts"
)

// The gateway beside the root; carol is sent to it, by her address.
func (d *deployment) tryCanary(t *testing.T) {
	d.server.does(t, 0, d.shell(t, "mkdir sites"))
	d.server.writes(t, "mlesd.env", d.conf(t, "MLES_KEY=swordfish\nMLESD_V1_LISTEN=[::]:8078"))
	d.canary = canary{
		run:     d.shell(t, "mlesd --config mlesd.env"),
		rules:   d.shell(t, "nft -f"),
		choose:  d.shell(t, "nft add element inet mles_canary chosen "),
		choose6: d.shell(t, "nft add element inet mles_canary chosen6 "),
		release: d.shell(t, "nft flush set inet mles_canary chosen"),
	}
	d.server.does(t, 0, d.shell(t, "chmod 600 mlesd.env"))
	d.gateway = d.server.start(d.whole, d.canary.run)
	d.server.Listening(t, serverAddr+":8078")
	d.server.does(t, 0, d.canary.rules)
	d.server.does(t, 0, d.canary.choose)
	d.talk(t) // who is connected stays where they are
	d.pieces = true
	d.carolAgain(t)
	d.returned(t, d.carol)
	d.server.says(t, "mlesctl status", "carol", "10.77.0.3:", "running")
	d.talk(t)

	// The way back, and on again. The root knows carol's first frame from the gateway, whose link lingers for a second.
	d.server.does(t, 0, d.canary.release)
	d.talk(t) // who came in by the rule is still there
	d.carol.rises(t)
	d.atCarol.Kill()
	d.server.saysNoLonger(t, "mlesctl status", "v1://127.0.0.1")
	d.carolAgain(t)
	d.returned(t, d.carol)
	d.talk(t)
	d.server.does(t, 0, d.canary.choose)
	d.carolAgain(t)
	d.returned(t, d.carol)
	d.server.says(t, "mlesctl status", "carol")
	d.talk(t)
}

// Without a shared key each client is known by the address of its connection, and the rule leaves that as it is. On
// IPv6: over IPv4, mles 1.1.7 refuses its own clients then.
func (d *deployment) tryCanaryByAddress(t *testing.T) {
	server, desk, shop := newMachine(t), newMachine(t), newMachine(t)
	server.bridge(t, desk.host, shop.host)
	for m, addr := range map[*machine]string{server: "fd00:77::1", desk: "fd00:77::2", shop: "fd00:77::3"} {
		m.Resolves(t, map[string]string{rootName: "fd00:77::1"})
		device := "veth"
		if m == server {
			device = "bridge"
		}
		m.IP(t, "addr", "add", addr+"/64", "dev", device, "nodad")
	}
	server.startMles1(t, "")
	var c crowd
	atOlga := desk.startConsole(t, rootName, "", "olga", "hall")
	olga := c.joins(t, "olga", "hall", console{atOlga})
	otto := c.joins(t, "otto", "hall", console{shop.startConsole(t, rootName, "", "otto", "hall")})
	c.returned(t, olga, otto)

	hosts.WriteFile(t, server.dir+"/sites/index.html", nil)
	server.writes(t, "mlesd.env", edited(d.settings(t), "", "MLES_KEY"))
	server.start(t, d.canary.run)
	server.Listening(t, "127.0.0.1:8078")
	server.does(t, 0, d.canary.rules)
	server.does(t, 0, d.canary.choose6)
	c.talk(t)
	olga.rises(t)
	atOlga.Kill()
	atOlga = desk.startConsole(t, rootName, "", "olga", "hall")
	c.sits(olga, console{atOlga})
	c.returned(t, olga)
	server.says(t, "mlesctl status", "olga", "[fd00:77::2]:", "address", "running")
	c.talk(t)
}
