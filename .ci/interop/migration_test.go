//go:build interop

package interop

import (
	"testing"
	"time"
)

// Every piece of an old deployment is replaced, one after the other, as docs/migration.md says, by the commands and
// settings that stand there. All the time everybody says numbered lines, and everybody who should hear one hears it once,
// in order; except while a server is replaced, and then again within 2 s of the clients' return.
func TestMigration(t *testing.T) {
	t.Parallel()
	g := readGuide(t)
	g.isTrue(t)
	d := newDeployment(t, g)
	begun := time.Now()
	for _, step := range []struct {
		name string
		play func(*testing.T)
	}{
		{"the old deployment", d.old},
		{"trial as a peer", d.tryAsPeer},
		{"browsers before the root", d.browsersFirst},
		{"canary", d.tryCanary},
		{"canary with address keys", d.tryCanaryByAddress},
		{"taking over the root", d.takeOver},
		{"replacing the webproxy", d.replaceWebproxy},
		{"first v2 clients", d.firstV2},
		{"watching", d.watch},
		{"turning v1 off", d.turnV1Off},
		{"rotating the key", d.rotate},
	} {
		if !t.Run(step.name, step.play) {
			return
		}
		t.Logf("%s after %v", step.name, time.Since(begun).Round(time.Second/10))
	}
	g.isPlayed(t)
	proved(t, "docs/migration.md, step by step: root, peer and webproxy are replaced, each line is heard once and in order, and %v at most after clients come back",
		d.slowest.Round(10*time.Millisecond))
}

// The old deployment as it is: consoles on the root and on its peer share a channel, browsers another.
func (d *deployment) old(t *testing.T) {
	d.startRoot(t)
	d.atCarol = d.console(d.desk, rootName, "carol")
	d.carol = d.joins(d.whole, "carol", "hall", console{d.atCarol})
	d.atDave = d.console(d.shop, rootName, "dave")
	d.dave = d.joins(d.whole, "dave", "hall", console{d.atDave})
	d.startPeer(t)
	d.atErin = d.console(d.branch, "127.0.0.1", "erin")
	d.erin = d.joins(d.whole, "erin", "hall", console{d.atErin})
	d.startWebproxy(t)
	d.atBella = d.desk.browse(d.whole, serverAddr+":443", d.ca, "bella", "lobby")
	d.bella = d.joins(d.whole, "bella", "lobby", d.atBella)
	d.atBert = d.shop.browse(d.whole, serverAddr+":443", d.ca, "bert", "lobby")
	d.bert = d.joins(d.whole, "bert", "lobby", d.atBert)
	d.atMaud = d.shop.joinMasked(d.whole, serverAddr+":8077", oldKey, "maud", "lobby")
	d.maud = d.joins(d.whole, "maud", "lobby", d.atMaud)
	d.returned(t, d.members...)
	d.talk(t)
}

// The gateway as a peer of the root, on a machine of its own, with a client on it. Nobody else notices.
func (d *deployment) tryAsPeer(t *testing.T) {
	gateway := d.trial.start(d.whole, d.shell(t, "MLES_KEY=swordfish mlesd root.example.org"))
	d.trial.Listening(t, "127.0.0.1:8077")
	at := d.trial.startOnTerminal(d.whole, "tess (mles-client 1.1.7)", append(d.trial.env(), keyEnv(oldKey)...), "bash", "-c", d.shell(t, "mles-client trial"))
	at.Says(t, "User name?")
	at.Types(t, "tess")
	at.Says(t, "Channel?")
	at.Types(t, "hall")
	at.Says(t, "Welcome")
	d.tess = d.joins(d.whole, "tess", "hall", console{at})
	d.returned(t, d.tess)
	d.trial.says(t, d.shell(t, "mlesctl status"), "v1://root.example.org", "running")
	d.talk(t)

	// The way back: nobody but tess has anything to do with it.
	d.tess.rises(t)
	gateway.Terminate(t)
	at.Kill()
	d.talk(t)
}

// The gateway in the place of a webproxy, on a machine of its own, with the old server as the root still.
func (d *deployment) browsersFirst(t *testing.T) {
	for _, file := range []string{chatName + ".pem", chatName + ".key"} {
		d.trial.writes(t, file, d.server.does(t, 0, "cat "+file))
	}
	d.trial.writes(t, "mlesd.env", d.conf(t, "MLES_KEY=swordfish\nMLESD_PEER=root.example.org"))
	gateway := d.trial.start(d.whole, "mlesd --config mlesd.env")
	d.trial.Listening(t, trialAddr+":443")
	bonnie := d.joins(d.whole, "bonnie", "lobby", d.shop.browse(d.whole, trialAddr+":443", d.ca, "bonnie", "lobby"))
	d.returned(t, bonnie)
	d.talk(t)
	bonnie.rises(t)
	gateway.Terminate(t)
	d.talk(t)
}
