package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"mles/bridge"
	"mles/v1"
)

// findUpstreams makes the upstreams of PEER and the --upstream flags.
func (c *config) findUpstreams() error {
	if c.Peer == "" && len(c.Upstream) == 0 {
		return c.upstreamOrphans()
	}
	var f faults
	urls := slices.Clone(c.Upstream)
	if c.Peer != "" {
		peer, err := peerURL(c.Peer)
		if err != nil {
			f.add(fmt.Errorf("PEER: %w", err))
		} else {
			urls = append([]string{peer}, urls...)
		}
	}
	common, err := c.commonUpstream()
	f.add(err)
	for i, url := range urls {
		if err := bridge.ParseUpstream(url); err != nil {
			f.add(fmt.Errorf("--upstream %w", err))
			continue
		}
		if slices.Contains(urls[:i], url) {
			f.when(true, "--upstream %s is given twice", url)
			continue
		}
		up := common
		up.URL = url
		c.upstreams = append(c.upstreams, up)
	}
	return f.err()
}

// commonUpstream is what all upstreams have in common.
func (c *config) commonUpstream() (bridge.Upstream, error) {
	var f faults
	up := bridge.Upstream{UID: c.UpstreamUID}
	f.when(len(up.UID) > v1.MaxName, "--upstream-uid has %d bytes, the most is %d", len(up.UID), v1.MaxName)
	if file := c.UpstreamKeyFile; file != "" {
		found, err := c.keys.read("--upstream-key-file", file)
		f.add(err)
		f.when(err == nil && len(found.keys) == 0, "--upstream-key-file %s holds no key: leave it out to send the gateway's own", file)
		if len(found.keys) > 0 {
			up.Key = found.keys[0]
		}
	}
	var err error
	if c.UpstreamHold != "" {
		if up.Hold, err = readNames(c.UpstreamHold); err != nil {
			f.add(fmt.Errorf("--upstream-hold: %w", err))
		}
	}
	if c.UpstreamCA != "" {
		if up.TLS, err = trusting(c.UpstreamCA); err != nil {
			f.add(fmt.Errorf("--upstream-ca: %w", err))
		}
	}
	return up, f.err()
}

func (c *config) upstreamOrphans() error {
	var f faults
	for _, orphan := range []struct{ flag, value string }{
		{"--upstream-uid", c.UpstreamUID}, {"--upstream-key-file", c.UpstreamKeyFile},
		{"--upstream-hold", c.UpstreamHold}, {"--upstream-ca", c.UpstreamCA},
	} {
		f.when(orphan.value != "", "%s is for PEER or --upstream, and neither is given", orphan.flag)
	}
	return f.err()
}

// peerURL is the URL of a v1 server as the reference takes it: a host's name or
// address; here with a port, too, if that is another than 8077.
func peerURL(peer string) (string, error) {
	if strings.Contains(peer, "://") {
		return "", fmt.Errorf("%q is a URL: give it with --upstream", peer)
	}
	host := peer
	if addr, err := netip.ParseAddr(strings.Trim(peer, "[]")); err == nil {
		if host = addr.String(); addr.Is6() {
			host = "[" + host + "]"
		}
	} else if h, p, err := net.SplitHostPort(peer); err == nil {
		host = net.JoinHostPort(h, p)
	} else if strings.ContainsAny(peer, ":/ ") {
		return "", fmt.Errorf("%q is no host", peer)
	}
	return "v1://" + strings.ReplaceAll(host, "%", "%25"), nil
}

// maxNames bounds a file of channel names, in bytes.
const maxNames = 4 << 20

// readNames reads channel names, one in a line. Lines that are blank or begin with
// # are passed over.
func readNames(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNames+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxNames {
		return nil, fmt.Errorf("%s has more than %d MiB: that is no file of channel names", file, maxNames>>20)
	}
	var names []string
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		name := strings.TrimRight(line, "\r\n")
		if len(name) > v1.MaxName {
			return nil, fmt.Errorf("%s:%d: a channel's name of %d bytes, the most is %d", file, number, len(name), v1.MaxName)
		}
		if strings.TrimSpace(name) != "" && name[0] != '#' && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// trusting is a TLS configuration that trusts the certificates in a file, besides
// the system's.
func trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: roots}, nil
}
