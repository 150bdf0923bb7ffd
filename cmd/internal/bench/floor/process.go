package floor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os/exec"
	"runtime/debug"
	"time"
)

// A Process is a running floor.
type Process struct {
	Plain, TLS string         // addresses, host:port
	Roots      *x509.CertPool // whom to trust for its certificate, made for "localhost"
	PID        int            // 0: it is this process
	certPEM    []byte
	stop       func()

	// Of a process of its own.
	in  io.Writer
	out *bufio.Reader
}

// Stop ends it and waits for that.
func (p *Process) Stop() { p.stop() }

// Main is the process that [Start] starts: it serves until in ends, and tells out
// where and with which certificate.
func Main(in io.Reader, out io.Writer) error {
	p, err := Run()
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := p.announce(out); err != nil {
		return err
	}
	// Each byte that comes asks for a collection, and is answered when it is done.
	for b := make([]byte, 1); ; {
		if _, err := in.Read(b); err != nil {
			return nil
		}
		debug.FreeOSMemory()
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
}

// Collect has garbage collected and given back to the system.
func (p *Process) Collect(context.Context) error {
	if p.in == nil {
		debug.FreeOSMemory()
		return nil
	}
	if _, err := p.in.Write([]byte{'.'}); err != nil {
		return err
	}
	_, err := p.out.ReadByte()
	return err
}

// Run serves within this process, on loopback.
func Run() (*Process, error) {
	cert, certPEM, err := selfSigned()
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	below, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		plain.Close()
		return nil, err
	}
	over := tls.NewListener(below, &tls.Config{Certificates: []tls.Certificate{cert}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		Serve(plain, over)
	}()
	p := &Process{Plain: plain.Addr().String(), TLS: over.Addr().String(), Roots: x509.NewCertPool()}
	p.Roots.AppendCertsFromPEM(certPEM)
	p.stop = func() {
		plain.Close()
		over.Close()
		<-done
	}
	p.certPEM = certPEM
	return p, nil
}

// announce writes two lines with addresses, then the certificate.
func (p *Process) announce(out io.Writer) error {
	_, err := fmt.Fprintf(out, "%s\n%s\n%s\n", p.Plain, p.TLS, bytes.TrimSpace(p.certPEM))
	return err
}

// Start runs a program with arguments that make it call [Main], until Stop.
func Start(ctx context.Context, program string, args ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{PID: cmd.Process.Pid, in: in, out: bufio.NewReader(out), stop: func() { in.Close(); cmd.Wait() }}
	if err := p.read(); err != nil {
		p.stop()
		return nil, fmt.Errorf("floor: %w %s", err, complaint.Bytes())
	}
	return p, nil
}

// read reads what announce wrote.
func (p *Process) read() error {
	var text []byte
	for n := 0; !bytes.Contains(text, []byte("-----END")); n++ {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			return err
		}
		switch n {
		case 0:
			p.Plain = string(bytes.TrimSpace(line))
		case 1:
			p.TLS = string(bytes.TrimSpace(line))
		default:
			text = append(text, line...)
		}
	}
	p.Roots = x509.NewCertPool()
	p.Roots.AppendCertsFromPEM(text)
	return nil
}

// selfSigned makes a certificate for localhost like the gateway's own: P-256.
func selfSigned() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certPEM, nil
}
