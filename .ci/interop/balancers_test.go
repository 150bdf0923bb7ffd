//go:build interop

package interop

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// shop is a host with a gateway behind HAProxy and nginx, and its customers come from another one.
type shop struct {
	*host
	customers *host
	gateway   *program
	crt       hosts.Certificate
}

// Where the proxies listen.
const (
	proxyV1      = "10.77.0.1:1001" // HAProxy, PROXY protocol version 1
	proxyV2      = "10.77.0.1:1002" // version 2, with more in the header, and checks of health
	proxyTLS     = "10.77.0.1:1003" // version 2, TLS passed through
	proxyHTTP    = "10.77.0.1:1004" // HAProxy, HTTP
	proxyNginx   = "10.77.0.1:1005" // nginx, HTTP
	proxyChained = "10.77.0.1:1006" // nginx behind HAProxy
)

const haproxyConf = `
global
  log stderr format raw local0 warning
  maxconn 500
defaults
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  mode tcp
listen v1
  bind ` + proxyV1 + `
  server gateway 127.0.0.1:8077 send-proxy
listen v1-2
  bind ` + proxyV2 + `
  server gateway 127.0.0.1:8077 send-proxy-v2-ssl proxy-v2-options unique-id,crc32c check check-send-proxy inter 100
listen v2
  bind ` + proxyTLS + `
  server gateway 127.0.0.1:8443 send-proxy-v2
listen http
  bind ` + proxyHTTP + `
  mode http
  option forwardfor
  server gateway 127.0.0.1:8080
listen chained
  bind ` + proxyChained + `
  mode http
  option forwardfor
  server nginx ` + proxyNginx + `
`

const nginxConf = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen ` + proxyNginx + `;
    location / {
      proxy_pass http://127.0.0.1:8080;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`

func openShop(t *testing.T, flags ...string) *shop {
	t.Helper()
	s := &shop{host: newHost(t), customers: newHost(t), crt: hosts.NewCertificate(t, "localhost")}
	s.Link(t, s.customers.Host)
	dir := t.TempDir()
	for name, text := range map[string]string{"haproxy.cfg": haproxyConf, "nginx.conf": nginxConf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	argv := append([]string{filepath.Join(programs, "mlesd"), "--tls-cert", s.crt.Cert, "--tls-key", s.crt.Key, "--log-level=debug",
		"--v1-listen=127.0.0.1:8077", "--v2-listen=127.0.0.1:8443", "--plain-listen=127.0.0.1:8080",
		"--proxy-protocol=v1=127.0.0.1,v2", "--trusted-proxies=127.0.0.1,10.77.0.1"}, flags...)
	s.gateway = s.start(t, "mlesd", []string{"HOME=" + dir}, argv...)
	for _, port := range []string{"8077", "8443", "8080"} {
		s.Listening(t, "127.0.0.1:"+port)
	}
	s.start(t, "haproxy", nil, "haproxy", "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
	s.start(t, "nginx", nil, "nginx", "-p", dir, "-c", "nginx.conf")
	for _, addr := range []string{proxyV1, proxyV2, proxyTLS, proxyHTTP, proxyNginx, proxyChained} {
		s.customers.Listening(t, addr)
	}
	return s
}

// Behind HAProxy, with both versions of the PROXY protocol, clients of v1 join by the keys of their own addresses, which
// cannot work behind anything else that changes these, and v2 clients over TLS have theirs; members see the headers of both.
// HTTP proxies tell it by X-Forwarded-For, whatever a client says there itself.
func TestBehindLoadBalancers(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	alice := s.customers.joinV1(t, proxyV1, "", "alice", "room", "", nil)
	s.gateway.hasIn(t, alice)
	bob := s.customers.joinV1(t, proxyV2, "", "bob", "room", "hi from bob", nil)
	s.gateway.hasIn(t, bob)
	alice.gets(t, bob.frame("hi from bob"))
	bob.gets(t, alice.frame(""))

	carol := s.customers.claimV2(t, "wss://"+proxyTLS+"/", s.crt, "", "carol", "room")
	carol.isIn(t)
	carolJoin := v1Frame(carol.ws.LocalAddr().String(), "carol", "room", "")
	alice.gets(t, bob.frame("hi from bob"), carolJoin)

	want := [][]byte{bob.frame("hi from bob"), carolJoin}
	for i, addr := range []string{proxyHTTP, proxyNginx, proxyChained} {
		name := fmt.Sprint("dave-", i)
		d := s.customers.upgradeWith(t, name, "ws://"+addr+"/", "", http.Header{"X-Forwarded-For": {"198.51.100.1, 127.0.0.1"}})
		d.send(t, text(hello(name, "room", "")))
		d.isIn(t)
		want = append(want, v1Frame("10.77.0.2:0", name, "room", ""))
		alice.gets(t, want...)
		s.gateway.logs(t, "msg=joined", "uid="+name, "client=10.77.0.2 ")
	}
	alice.send(t, "heard by all")
	carol.gets(t, noticeOf("alice", "room"), noticeOf("bob", "room"), bin("hi from bob"), bin("heard by all"))

	time.Sleep(500 * time.Millisecond) // checks of health
	for line := range strings.Lines(s.gateway.Screen()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the gateway warns: %s", line)
		}
	}
	t.Log("HAProxy 1 and 2, TLS passed through, HAProxy and nginx over HTTP, one behind the other: each client has its own address")
}

// Limits are for clients: one over them is refused, others behind the same proxies are not.
func TestLimitsBehindLoadBalancers(t *testing.T) {
	t.Parallel()
	s := openShop(t, "--per-ip-limit=2")
	s.customers.IP(t, "addr", "add", "10.77.0.3/24", "dev", "veth2")
	one := s.customers.joinV1(t, proxyV1, "", "one", "room", "", nil)
	s.gateway.hasIn(t, one)
	two := s.customers.joinV1(t, proxyV2, "", "two", "room", "", nil)
	s.gateway.hasIn(t, two)
	three := s.customers.joinV1(t, proxyV1, "", "three", "room", "", nil)
	s.gateway.logs(t, "too many at once from one address", "client="+local(three.nc)+" ")
	for _, addr := range []string{proxyHTTP, proxyNginx} {
		if status := s.customers.asksFor(t, addr, "10.77.0.2"); status != http.StatusTooManyRequests {
			t.Errorf("over the limit, by %s: %d", addr, status)
		}
		if status := s.customers.asksFor(t, addr, "10.77.0.3"); status != http.StatusSwitchingProtocols {
			t.Errorf("another address, by %s: %d", addr, status)
		}
	}
}

// asksFor asks for a WebSocket from an address of the host and returns the status.
func (h *host) asksFor(t *testing.T, addr, from string) (status int) {
	t.Helper()
	var nc net.Conn
	var err error
	h.Do(func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: hosts.Patience}
		nc, err = d.Dial("tcp", addr)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(hosts.Patience))
	fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mles-websocket\r\n\r\n")
	if _, err := fmt.Fscanf(nc, "HTTP/1.1 %d", &status); err != nil {
		t.Fatal(err)
	}
	return status
}
