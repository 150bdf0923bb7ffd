package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"
)

// listeners opens each of them, and closes them when all have been tried. One that is taken is no fault: a gateway that
// runs is checked before it is reloaded or restarted; unless it is this configuration that takes it twice.
func (r *dryRun) listeners() {
	opener := newOpener(r.daemon.log)
	var ours openPorts
	defer ours.close()
	for flag, addr := range r.conf.listeners() {
		how := ""
		if flag == "--v2-listen" || flag == "--v1-tls-listen" || flag == "--admin-listen" && r.conf.AdminTLS {
			how = ", TLS"
		}
		if sockets := r.conf.sockets[flag]; len(sockets) > 0 {
			r.say("listeners", "%s %s%s, open already: the service manager passes it on", flag, sockets[0].Addr(), how)
			continue
		}
		opened, err := opener.open(context.Background(), flag, addr)
		ours = append(ours, openPort{flag, addr, opened})
		other := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			other = ours.inTheWay(opener, flag, addr)
		}
		switch {
		case err == nil:
			r.say("listeners", "%s %s%s", flag, addr, how)
		case other != "" && !(flag == "--admin-listen" && r.conf.AdminListen == nil):
			r.faults.add(fmt.Errorf("%s is in the way of %s %s: they are the same port of the same address", other, flag, addr))
		case errors.Is(err, syscall.EADDRINUSE) && flag == "--admin-listen" && r.conf.AdminListen == nil:
			r.say("listeners", "%s %s, in use now", flag, addr)
			r.warn("%v: unless that is the gateway that this is for, it would start without metrics and health", err)
		case errors.Is(err, syscall.EADDRINUSE):
			r.say("listeners", "%s %s%s, in use now", flag, addr, how)
			r.warn("%v: unless that is the gateway that this is for, it would not start", err)
		case errors.Is(err, syscall.EACCES):
			r.faults.add(&remedy{err, "below port 1024 it takes CAP_NET_BIND_SERVICE, or another port"})
		default:
			r.faults.add(&remedy{err, "name an address that this machine has"})
		}
	}
	r.daemon.warnOfCertificates(!r.conf.v2.off && r.conf.v2.port == 443)
}

// openPorts are what a dry run has open, in the order of opening.
type openPorts []openPort

type openPort struct {
	flag string
	addr address
	open []net.Listener // none: it could not be opened
}

func (p *openPort) close() {
	for _, l := range p.open {
		_ = l.Close()
	}
	p.open = nil
}

func (ps openPorts) close() {
	for i := range ps {
		ps[i].close()
	}
}

// inTheWay is the one of ps, as flag and address, without which a listener could be opened that could not: [::]:8077 takes
// the port of 127.0.0.1:8077, too. "": it is none of ours. That one is closed.
func (ps openPorts) inTheWay(opener *opener, flag string, addr address) string {
	for i := range ps {
		p := &ps[i]
		if p.addr.port != addr.port || len(p.open) == 0 {
			continue
		}
		p.close()
		if opened, err := opener.open(context.Background(), flag, addr); err == nil {
			(&openPort{open: opened}).close()
			return p.flag + " " + p.addr.String()
		}
	}
	return ""
}

// remedy is a fault with what mends it.
type remedy struct {
	err  error
	what string
}

func (e *remedy) Error() string { return e.err.Error() + ": " + e.what }
func (e *remedy) Unwrap() error { return e.err }

// upstreams looks up the names of servers that the gateway would connect to. One that has no address is no fault: the
// gateway starts, and tries again.
func (r *dryRun) upstreams() {
	for _, up := range r.conf.upstreams {
		u, err := url.Parse(up.URL)
		if err != nil {
			continue // found before
		}
		found := r.lookUp("--upstream "+up.URL, u.Hostname())
		key := "with the gateway's own key"
		switch {
		case up.Key != "":
			key = "with the first key of " + r.conf.UpstreamKeyFile
		case len(r.conf.keys.v1.keys) == 0:
			key = "without a shared key"
		}
		r.say("upstreams", "%s%s, %s", up.URL, found, key)
		if len(up.Hold) > 0 {
			r.say("upstreams", "%s held without members", count(len(up.Hold), "channel"))
		}
	}
}

// lookUpTime bounds a look at names: behind it is a resolver that may not answer.
const lookUpTime = 5 * time.Second

// lookUp says what addresses host has, in brackets; for an address nothing.
func (r *dryRun) lookUp(flag, host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		r.warn("%s: %s has no address now, the gateway would start and try again: %v", flag, host, reasonOf(err))
		return ""
	}
	if len(addrs) > 3 {
		addrs = append(addrs[:3], "…")
	}
	text := " ("
	for i, a := range addrs {
		if i > 0 {
			text += ", "
		}
		text += a
	}
	return text + ")"
}

// reasonOf is what a look at a name failed of, without the name and the server asked.
func reasonOf(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return err.Error()
}
