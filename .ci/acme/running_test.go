package acme

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A certificate of a few seconds is renewed while bob stays connected. The authority hangs just then: the log says so,
// and when it goes on the renewal does.
func TestRenewal(t *testing.T) {
	at := newPlace(t)
	ca := authority{life: 18 * time.Second}.begin(at)
	g := at.serve("", "mles.example")
	g.ready("mles.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	first, err := g.shows("mles.example", ca.roots())
	if err != nil {
		t.Fatal(err)
	}
	roots := ca.roots()
	ca.Signal(syscall.SIGSTOP) // the renewal is due after 12 s
	g.Says("level=ERROR", `msg="certificate not renewed"`, "domain=mles.example")
	if _, err := g.shows("mles.example", roots); err != nil {
		t.Errorf("while the authority hangs: %v", err)
	}
	if told := g.tells("mles.example"); told.Problem == "" || !told.NotAfter.Equal(first.NotAfter) {
		t.Errorf("while the authority hangs it is told: %+v", told)
	}
	ca.Signal(syscall.SIGCONT)
	eventually(t, "another certificate", func() bool {
		now, err := g.shows("mles.example", roots)
		return err == nil && !now.Equal(first) && now.NotAfter.After(first.NotAfter)
	})
	if told := g.tells("mles.example"); told.Problem != "" || told.Source != "acme" || !told.NotAfter.After(first.NotAfter) {
		t.Errorf("after the renewal it is told: %+v", told)
	}
	if n := len(g.Said(`msg="certificate issued"`, "domain=mles.example")); n < 2 {
		t.Errorf("the log tells of %d certificates", n)
	}
	g.joinV1("alice", "still there?")
	hears(t, bob, "still there?")
	carol := g.joinV2("carol", "mles.example", roots)
	hears(t, carol, "still there?")
}

// The operator adds a name and takes one away while bob is connected: the new one gets its certificate, the other one
// is refused.
func TestDomainsReloaded(t *testing.T) {
	at := newPlace(t)
	ca := authority{}.begin(at)
	file := filepath.Join(at.dir, "mlesd.env")
	at.write(file, []byte("MLESD_DOMAINS=mles.example,old.example\n"))
	g := at.serve("", "", "--config="+file)
	g.ready("mles.example", "old.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	at.write(file, []byte("MLESD_DOMAINS=mles.example,new.example\n"))
	g.Signal(syscall.SIGHUP)
	g.ready("new.example")
	orders := ca.orders()
	g.joinV2("carol", "new.example", ca.roots())
	if _, err := g.shows("old.example", nil); err == nil {
		t.Error("a name that is no longer served is shown a certificate")
	}
	g.joinV1("alice", "hello")
	hears(t, bob, "hello")
	if orders != 3 || ca.orders() != 3 {
		t.Errorf("%d, then %d orders for three names", orders, ca.orders())
	}
}
