package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"testing"
	"time"

	"mles/.ci/running"
	"mles/v1"
	"mles/v2"
)

// gateway is a running mlesd.
type gateway struct {
	*running.Program
	at    *place
	cache string
}

// serve starts mlesd for these domains, or those that flags tell, with its cache folder, which is new if it is "".
func (p *place) serve(cache, domains string, flags ...string) *gateway {
	p.t.Helper()
	if cache == "" {
		cache = filepath.Join(p.dir, "cache")
	}
	if domains != "" {
		flags = append(flags, "--domains="+domains)
	}
	flags = append([]string{
		"--email=ops@mles.example", "--cache=" + cache, "--acme-directory=https://" + p.at(directoryPort) + "/dir",
		"--v1-listen=" + p.at(v1Port), "--v2-listen=" + p.at(v2Port), "--admin-listen=" + p.at(adminPort), "--log-level=debug",
	}, flags...)
	g := &gateway{run(p.t, []string{"SSL_CERT_FILE=" + p.cert, "XDG_CACHE_HOME=" + p.dir}, "mlesd", flags...), p, cache}
	g.Says("msg=listening", "flag=--admin-listen")
	return g
}

// ready waits until there are certificates for names.
func (g *gateway) ready(names ...string) {
	g.T.Helper()
	for _, name := range names {
		g.Says(`msg="certificate ready"`, "domain="+name+" ")
	}
}

// shows returns the certificate that a client gets which sends name, if any, and trusts roots, or everybody if nil.
func (g *gateway) shows(name string, roots *x509.CertPool) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(g.T.Context(), patience)
	defer cancel()
	d := &tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: roots, InsecureSkipVerify: roots == nil}}
	nc, err := d.DialContext(ctx, "tcp", g.at.at(v2Port))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	return nc.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

// joinV2 joins the channel hall over v2, at a name, as a client that verifies the certificate.
func (g *gateway) joinV2(uid, name string, roots *x509.CertPool) *v2.ClientConn {
	g.T.Helper()
	ctx, cancel := context.WithTimeout(g.T.Context(), patience)
	defer cancel()
	d := &v2.Dialer{TLS: &tls.Config{RootCAs: roots}, NetDial: g.at.dial}
	c, err := d.Dial(ctx, "wss://"+net.JoinHostPort(name, v2Port), uid, "hall")
	if err != nil {
		g.T.Fatalf("%s at %s: %v", uid, name, err)
	}
	g.T.Cleanup(func() { c.Close(1000, "") })
	return c
}

// joinV1 joins the channel hall over v1 and says something.
func (g *gateway) joinV1(uid, first string) *v1.ClientConn {
	g.T.Helper()
	c, err := new(v1.Dialer).Dial(g.T.Context(), g.at.at(v1Port), uid, "hall", []byte(first))
	if err != nil {
		g.T.Fatal(err)
	}
	g.T.Cleanup(func() { c.Close() })
	return c
}

// hears waits until c hears what somebody said.
func hears(t *testing.T, c *v2.ClientConn, want string) {
	t.Helper()
	_ = c.NetConn().SetReadDeadline(time.Now().Add(patience))
	for {
		op, data, err := c.Recv()
		if err != nil {
			t.Fatalf("waiting for %q: %v", want, err)
		}
		if op == v2.OpBinary && string(data) == want {
			return
		}
	}
}
