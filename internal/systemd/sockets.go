package systemd

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets takes the sockets that systemd listens at for this process (LISTEN_FDS of sd_listen_fds(3), which is taken out of
// the environment), by their FileDescriptorName. There may be several of a name; there are none where the process was
// started otherwise. Closing a listener does not end the socket: whoever connects is kept waiting in its queue, by
// systemd, for the next process.
//
// The error says which socket is the first of no use: one whose name is not among names, one that is not TCP, one that does not
// listen (Accept=yes). Then all are closed.
func Sockets(names ...string) (map[string][]net.Listener, error) {
	found := make(map[string][]net.Listener)
	var failed error
	for _, f := range activation.Files(true) {
		l, err := listener(f, names)
		_ = f.Close()
		switch {
		case err == nil:
			found[f.Name()] = append(found[f.Name()], l)
		case failed == nil:
			failed = fmt.Errorf("socket %q that systemd passes: %w", f.Name(), err)
		}
	}
	if failed == nil {
		return found, nil
	}
	for _, ls := range found {
		for _, l := range ls {
			_ = l.Close()
		}
	}
	return nil, failed
}

// listener makes a listener of a passed file, with a descriptor of its own.
func listener(f *os.File, names []string) (net.Listener, error) {
	if !slices.Contains(names, f.Name()) {
		return nil, fmt.Errorf("its FileDescriptorName= has to be one of %s", strings.Join(names, ", "))
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("it is no TCP socket that listens: %w", err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("it is at %s %s, but only TCP is served (ListenStream=)", l.Addr().Network(), l.Addr())
	}
	if err := serviceable(tcp); err != nil {
		_ = l.Close()
		return nil, err
	}
	return tcp, nil
}
