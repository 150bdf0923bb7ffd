//go:build interop

package interop

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// startGateway runs mlesd with v1 on [::]:8077 and v2 on wss://localhost:8443, and waits until both answer.
func (h *host) startGateway(t *testing.T, key string, c hosts.Certificate, flags ...string) *program {
	t.Helper()
	argv := append([]string{filepath.Join(programs, "mlesd"), "--tls-cert", c.Cert, "--tls-key", c.Key, "--log-level=debug"}, flags...)
	p := h.start(t, "mlesd", append(keyEnv(key), "HOME="+t.TempDir()), argv...)
	h.Listening(t, "127.0.0.1:8077")
	h.serving(t, "localhost:8443", c)
	return p
}

// serving waits until a server shows the certificate on addr, which is "localhost:" and a port.
func (h *host) serving(t *testing.T, addr string, c hosts.Certificate) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{RootCAs: pool(t, c.Cert), ServerName: "localhost"}
	hosts.Eventually(t, func() error {
		nc, err := h.Dial("127.0.0.1:" + port)
		if err != nil {
			return err
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(hosts.Patience))
		return tls.Client(nc, conf).Handshake()
	})
}

// hasIn waits until the gateway has logged that c joined: in v1 nothing is answered to a join.
func (p *program) hasIn(t *testing.T, c *v1Client) {
	t.Helper()
	p.logs(t, "msg=joined", "client="+local(c.nc)+" ")
}
