package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestAddressOfAFlag(t *testing.T) {
	def := address{host: "localhost", port: 8443}
	for text, want := range map[string]string{
		"off":                "off",
		"443":                "localhost:443",
		":443":               ":443",
		"[::]:443":           "[::]:443",
		"127.0.0.1:0":        "127.0.0.1:0",
		"gateway.example:80": "gateway.example:80",
		"[fe80::1%eth0]:80":  "[fe80::1%eth0]:80",
	} {
		var a address
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := a.or(def).String(); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if got := (*address)(nil).or(def); got != def {
		t.Errorf("nothing given is %s", got)
	}
	for _, text := range []string{"", "OFF", "localhost", "::1:80", "h:", "h:http", "-1", "65536", "h:65536"} {
		var a address
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %s", text, a)
		}
	}
}

// lacking is a machine's network that lacks IPv6, IPv4, or has ports of ::1 taken.
type lacking struct {
	network string          // "tcp4" or "tcp6"; "tcp" on [::] needs IPv6
	why     syscall.Errno   // what the system says then
	taken   map[string]bool // networks whose first try finds the port taken
}

func (m *lacking) listen(ctx context.Context, network, addr string) (net.Listener, error) {
	family := network
	if network == "tcp" && strings.HasPrefix(addr, "[") {
		family = "tcp6"
	}
	fail := func(why syscall.Errno) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: os.NewSyscallError("bind", why)}
	}
	if family == m.network {
		return fail(m.why)
	}
	if m.taken[family] {
		delete(m.taken, family)
		return fail(syscall.EADDRINUSE)
	}
	return new(net.ListenConfig).Listen(ctx, network, addr)
}

// opened opens a on m and returns the addresses, without ports.
func opened(t *testing.T, m *lacking, a address) (hosts []string, err error) {
	t.Helper()
	o := &opener{net: m.listen, log: slog.New(slog.DiscardHandler)}
	ls, err := o.open(t.Context(), "--test-listen", a)
	ports := make(map[string]bool)
	for _, l := range ls {
		host, port, _ := net.SplitHostPort(l.Addr().String())
		hosts = append(hosts, host)
		ports[port] = true
		l.Close()
	}
	if len(ports) > 1 {
		t.Errorf("%s: ports %v, want one", a, ports)
	}
	return hosts, err
}

func TestListenWithWhatTheMachineHas(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		l.Close()
	}
	all, local := address{host: "::"}, address{host: "localhost"}
	for _, c := range []struct {
		name    string
		machine lacking
		addr    address
		want    string
	}{
		{"both families", lacking{}, all, "::"},
		{"no IPv6 in the kernel", lacking{network: "tcp6", why: syscall.EAFNOSUPPORT}, all, "0.0.0.0"},
		{"both loopbacks", lacking{}, local, "127.0.0.1 ::1"},
		{"IPv6 switched off", lacking{network: "tcp6", why: syscall.EADDRNOTAVAIL}, local, "127.0.0.1"},
		{"IPv6 alone", lacking{network: "tcp4", why: syscall.EADDRNOTAVAIL}, local, "::1"},
		{"a free port that ::1 has taken", lacking{taken: map[string]bool{"tcp6": true}}, local, "127.0.0.1 ::1"},
	} {
		hosts, err := opened(t, &c.machine, c.addr)
		if got := strings.Join(hosts, " "); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

// A port that was asked for and is taken on one of the two loopback addresses is not half opened.
func TestListenOnHalfALocalhost(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	hosts, err := opened(t, new(lacking), address{host: "localhost", port: port})
	if !errors.Is(err, syscall.EADDRINUSE) || len(hosts) > 0 {
		t.Errorf("%v, %v", hosts, err)
	}
}
