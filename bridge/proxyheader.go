package bridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

const (
	// maxProxyLine bounds a header of version 1, with its line's end.
	maxProxyLine = 107
	// maxProxyRest bounds what of a header of version 2 stands behind its first
	// 16 bytes: addresses, and what else a proxy tells, up to a certificate.
	maxProxyRest = 4096
)

var (
	errNoProxyHeader   = errors.New("the connection does not begin with a PROXY protocol header, as --proxy-protocol demands from this address")
	errLongProxyHeader = errors.New("the PROXY protocol header is too long")
)

// serveBehind hands a connection on once its header has been read that says whose
// it is. Nothing behind the header is read, so that nothing need be kept.
func (g *Gateway) serveBehind(s *socket, service Service, handle func(*socket)) {
	client, err := readProxyHeader(s)
	if err != nil {
		g.refuseSocket(s, "proxy header", err)
		s.Close()
		return
	}
	s.spoke.Store(false) // the client itself
	if client.IsValid() {
		g.addresses.reveal(s, client, g.policy.Load().forwards(service, client))
		g.unjoined.move(s, client.Addr())
		if ok, _ := g.lets(s); !ok {
			s.Close()
			return
		}
	}
	handle(s)
}

// readProxyHeader reads a header of the PROXY protocol, version 1 or 2, and no byte
// more. The address is not valid where the header has none: the connection is the
// proxy's own then, such as a check of health, or comes by no network.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	header, err := takeProxyHeader(r)
	if err != nil {
		return netip.AddrPort{}, err
	}
	const command, family = 12, 13 // where version 2 has them; of no family nothing can be said
	if header[0] != 'P' && header[command] == byte(proxyproto.PROXY) && header[family] == byte(proxyproto.UNSPEC) {
		return netip.AddrPort{}, nil
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(header), len(header)))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("the PROXY protocol header is not valid: %w", err)
	}
	tcp, ok := h.SourceAddr.(*net.TCPAddr)
	if !ok || h.Command.IsLocal() {
		return netip.AddrPort{}, nil
	}
	client := tcp.AddrPort()
	return netip.AddrPortFrom(client.Addr().Unmap(), client.Port()), nil
}

// takeProxyHeader reads the bytes of a header, however they come.
func takeProxyHeader(r io.Reader) ([]byte, error) {
	signature := len(proxyproto.SIGV2) // less than the shortest header of version 1 has
	header := make([]byte, signature, 128)
	for n := 0; n < signature; {
		k, err := r.Read(header[n:])
		n += k
		if v1, v2 := "PROXY ", string(proxyproto.SIGV2); !begins(header[:n], v1) && !begins(header[:n], v2) {
			return nil, errNoProxyHeader
		}
		if err != nil && n < signature {
			return nil, broken(err)
		}
	}
	if header[0] == 'P' {
		return takeProxyLine(r, header)
	}
	header = header[:16]
	if _, err := io.ReadFull(r, header[signature:]); err != nil {
		return nil, broken(err)
	}
	rest := int(binary.BigEndian.Uint16(header[14:]))
	if rest > maxProxyRest {
		return nil, errLongProxyHeader
	}
	header = append(header, make([]byte, rest)...)
	if _, err := io.ReadFull(r, header[16:]); err != nil {
		return nil, broken(err)
	}
	return header, nil
}

// takeProxyLine reads the rest of a header of version 1, which only its end tells
// the length of: byte by byte, so that what follows is left where it is.
func takeProxyLine(r io.Reader, line []byte) ([]byte, error) {
	for line[len(line)-1] != '\n' {
		n := len(line)
		if n == maxProxyLine {
			return nil, errLongProxyHeader
		}
		line = line[:n+1]
		if _, err := io.ReadFull(r, line[n:]); err != nil {
			return nil, broken(err)
		}
	}
	return line, nil
}

// begins says whether b and whole are the same as far as b goes, or whole does.
func begins(b []byte, whole string) bool {
	n := min(len(b), len(whole))
	return string(b[:n]) == whole[:n]
}

// broken is a header that has not come to its end.
func broken(err error) error {
	if isTimeout(err) {
		return errors.New("the PROXY protocol header has not come in time")
	}
	return fmt.Errorf("the PROXY protocol header is cut off: %w", err)
}
