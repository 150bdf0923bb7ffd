package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"mles/bridge"
)

// A gateway that is the peer of another one and is restarted, or the other, or both at once,
// has nothing doubled at either, and nothing lost: each has its history, and they are
// held against each other when they meet.
func TestRestartOfPeers(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"v1://root", "ws://root"} {
		for _, who := range []string{"the peer", "the root", "both"} {
			t.Run(url+" "+who, func(t *testing.T) {
				t.Parallel()
				var addr atomic.Value // of the root
				dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", addr.Load().(string))
				}
				serve := func(root *house) {
					l, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					if url == "v1://root" {
						root.serve(func() error { return root.ServeV1(l) })
					} else {
						root.serve(func() error { return root.ServeV2(l) })
					}
					addr.Store(l.Addr().String())
				}
				below := withWS(secret)
				below.Upstreams = []bridge.Upstream{{URL: url, Dial: dial, UID: "gate", Hold: []string{"room"}}}
				upper, lower := shelf{t, t.TempDir()}, shelf{t, t.TempDir()}
				root, rootStore := upper.moveIn(withWS(secret))
				serve(root)
				peer, peerStore := lower.moveIn(below)
				connected := func(peer *house) {
					peer.until("the upstream is connected", func() bool { return peer.Stats().Upstream["running"] == 1 })
				}
				connected(peer)
				said := 0
				say := func() {
					alice, bob := root.v1Joins(fmt.Sprint("alice", said), "room", ""), peer.v2Joins(fmt.Sprint("bob", said), "room")
					for range 5 {
						said++
						alice.says(fmt.Sprintf("<%d>", said))
						for f := (wsFrame{}); !strings.Contains(f.data, fmt.Sprintf("<%d>", said)); {
							var err error
							if f, err = readWSFrame(bob.r); err != nil {
								t.Fatal(err)
							}
						}
						said++
						bob.says(blob(fmt.Sprintf("<%d>", said)))
						for f := []byte(nil); !bytes.Contains(f, fmt.Appendf(nil, "<%d>", said)); {
							var err error
							if f, err = readV1Frame(alice.r); err != nil {
								t.Fatal(err)
							}
						}
					}
					alice.leaves()
					bob.leaves()
				}
				say()
				if who != "the root" {
					lower.moveOut(peer, peerStore)
				}
				if who != "the peer" {
					upper.moveOut(root, rootStore)
					root, _ = upper.moveIn(withWS(secret))
					serve(root)
				}
				if who != "the root" {
					peer, _ = lower.moveIn(below)
				}
				connected(peer)
				say()
				for name, h := range map[string]*house{"root": root, "peer": peer} {
					seen := make(map[int]int)
					for _, frame := range told(h, "room")["v1"] {
						for i := 1; i <= said; i++ {
							if bytes.Contains([]byte(frame), fmt.Appendf(nil, "<%d>", i)) {
								seen[i]++
							}
						}
					}
					for i := 1; i <= said; i++ {
						if seen[i] != 1 {
							t.Errorf("the %s tells message %d %d times", name, i, seen[i])
						}
					}
				}
			})
		}
	}
}
