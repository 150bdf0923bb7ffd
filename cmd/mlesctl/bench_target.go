package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"mles/cmd/internal/bench"
)

// benchSchemes are the addresses that only the bench takes, and as what the host
// and port of each are read.
var benchSchemes = []struct {
	prefix, as string
	dialect    bench.Dialect
}{
	{"v1+ws://", "ws://", bench.V1WebSocket},
	{"v1+wss://", "wss://", bench.V1WebSocket},
	{"nats://", "v1://", bench.NATS},
	{"mqtt://", "v1://", bench.MQTT},
}

// target reads an address.
func (f *benchFlags) target(ctx context.Context, text string, mapped bool) (bench.Target, error) {
	dialect := bench.Dialect("")
	for _, s := range benchSchemes {
		if rest, ok := strings.CutPrefix(text, s.prefix); ok {
			text, dialect = s.as+rest, s.dialect
		}
	}
	a, err := parseAddress(text)
	if err != nil {
		return bench.Target{}, err
	}
	switch {
	case dialect != "":
	case a.isV1():
		dialect = bench.V1
	default:
		dialect = bench.V2
	}
	t := bench.Target{Dialect: dialect, Host: a.host, Path: a.path, AddrKey: os.Getenv("MLES_ADDR_KEY"), MappedAddr: mapped}
	if t.TLS, err = f.trust.config(a); err != nil {
		return t, err
	}
	if t.Key, err = sharedKey(f.KeyFile); err != nil {
		return t, err
	}
	t.Addr, err = resolved(ctx, a)
	return t, err
}

// resolved is the first address of a's host, so that names are looked up once and
// not in what is measured. IPv4 comes first: its loopback has many addresses.
func resolved(ctx context.Context, a address) (string, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", a.host)
	if err != nil {
		return "", unreachable("%w", err)
	}
	best := ips[0]
	for _, ip := range ips {
		if ip.Unmap().Is4() {
			best = ip
			break
		}
	}
	return net.JoinHostPort(best.Unmap().String(), a.port), nil
}

// contestants reads whom to measure.
func (f *benchFlags) contestants() (subject bench.Contestant, rivals []bench.Contestant, err error) {
	ctx := context.Background()
	subject = bench.Contestant{Name: f.Name, PIDs: f.PID}
	if f.Collect != "" {
		subject.Collect = func(ctx context.Context) error { return fetch(ctx, f.Collect) }
	}
	pub := f.Pub
	if pub == "" {
		pub = f.Sub
	}
	if subject.Sub, err = f.target(ctx, f.Sub, f.MappedAddress); err != nil {
		return subject, nil, err
	}
	if subject.Pub, err = f.target(ctx, pub, f.MappedAddress); err != nil {
		return subject, nil, err
	}
	for _, text := range f.Against {
		c, err := f.rival(ctx, text)
		if err != nil {
			return subject, nil, err
		}
		rivals = append(rivals, c)
	}
	return subject, rivals, nil
}

// rival reads one value of --against.
func (f *benchFlags) rival(ctx context.Context, text string) (c bench.Contestant, err error) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return c, usage("--against %q: want NAME=ADDRESS", text)
	}
	c.Name = name
	words := strings.Split(rest, ",")
	sub, pub, mapped := words[0], words[0], f.MappedAddress
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "pub":
			pub = value
		case "mapped":
			mapped = true
		case "pid":
			pid, err := strconv.Atoi(value)
			if err != nil {
				return c, usage("--against %q: pid %q is no number", text, value)
			}
			c.PIDs = append(c.PIDs, pid)
		case "messages":
			if c.Messages, err = strconv.Atoi(value); err != nil || c.Messages < 1 {
				return c, usage("--against %q: messages %q is no number over 0", text, value)
			}
		default:
			return c, usage("--against %q: nothing is known of %q", text, key)
		}
	}
	if c.Sub, err = f.target(ctx, sub, mapped); err != nil {
		return c, err
	}
	c.Pub, err = f.target(ctx, pub, mapped)
	return c, err
}

// fetch gets url, http://… or unix:SOCKET:PATH, and looks at nothing but the status.
func fetch(ctx context.Context, url string) error {
	transport := &http.Transport{DisableKeepAlives: true}
	if rest, ok := strings.CutPrefix(url, "unix:"); ok {
		socket, path, _ := strings.Cut(rest, ":")
		url = "http://unix" + path
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
