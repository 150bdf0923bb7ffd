package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"mles/internal/systemd"
)

// socketFlags are the flags of the listeners, by the FileDescriptorName= of a socket of systemd's that takes their place.
func socketFlags() map[string]string {
	return map[string]string{
		"v1": "--v1-listen", "v1-tls": "--v1-tls-listen", "v2": "--v2-listen",
		"plain": "--plain-listen", "redirect": "--redirect-listen", "admin": "--admin-listen",
	}
}

// passed are the sockets that systemd listens at, by flag. The process has them from its start to its end.
type passed map[string][]net.Listener

// passedSockets takes them.
func passedSockets() (passed, error) {
	flags := socketFlags()
	names := []string{"v1", "v1-tls", "v2", "plain", "redirect", "admin"}
	sockets, err := systemd.Sockets(names...)
	if err != nil {
		return nil, &usageError{err}
	}
	p := make(passed)
	for name, ls := range sockets {
		p[flags[name]] = ls
	}
	return p, nil
}

// address is where the sockets of a flag are, in the place of what the flag says; ok is false where there are none.
func (p passed) address(flag string) (a address, ok bool) {
	all := make([]string, 0, len(p[flag]))
	for _, l := range p[flag] {
		all = append(all, l.Addr().String())
	}
	if len(all) == 0 {
		return address{}, false
	}
	first, err := netip.ParseAddrPort(all[0])
	if err != nil {
		return address{}, false
	}
	return address{host: first.Addr().String(), port: int(first.Port()), passed: strings.Join(all, " ")}, true
}

// take puts the passed sockets in the place of the addresses that flags have, and switches on what they are for.
func (c *config) take(p passed) {
	for flag, a := range map[string]*address{
		"--v1-listen": &c.v1, "--v1-tls-listen": &c.v1TLS, "--v2-listen": &c.v2,
		"--plain-listen": &c.plain, "--redirect-listen": &c.redirect, "--admin-listen": &c.admin,
	} {
		if at, ok := p.address(flag); ok {
			*a = at
		}
	}
	c.Redirect = c.Redirect || len(p["--redirect-listen"]) > 0
}

// warnings say which flags count for nothing.
func (p passed) warnings(c *config) (lines []string) {
	for flag, a := range map[string]*address{
		"--v1-listen": c.V1Listen, "--v1-tls-listen": c.V1TLSListen, "--v2-listen": c.V2Listen,
		"--plain-listen": c.PlainListen, "--redirect-listen": c.RedirectListen, "--admin-listen": c.AdminListen,
	} {
		if at, ok := p.address(flag); ok && a != nil {
			lines = append(lines, fmt.Sprintf("%s %s has no effect: systemd listens for it at %s", flag, a, at))
		}
	}
	slices.Sort(lines)
	return lines
}
