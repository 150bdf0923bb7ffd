//go:build interop

package interop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// Names and addresses of the old deployment, as docs/migration.md has them.
const (
	rootName   = "root.example.org"  // of mles 1.1.7
	chatName   = "chat.example.org"  // of mles-webproxy, on the same machine
	trialName  = "trial.example.org" // of a machine to try the gateway on
	serverAddr = "10.77.0.1"
	trialAddr  = "10.77.0.5"
	oldKey     = "swordfish"
	newKey     = "herring"
)

// A machine is a host with an operator at it, who has our programs installed and works in a folder.
type machine struct {
	*host
	dir, home string
}

// A deployment is what the guide is about: a root and a peer of it, mles-webproxy beside the root, and people.
type deployment struct {
	*guide
	crowd
	whole *testing.T // lives as long as the deployment, which outlasts steps

	server, branch, desk, shop, trial *machine
	ca                                string // the certificate of chat.example.org

	root, peer, webproxy, gateway *program

	carol, dave, erin, tess *member // at consoles: on desk, shop, branch and trial
	bella, bert, maud       *member // two browsers, and a v1 client that knows the mask
	mona, vic, vera, moritz *member // of v2
	atCarol, atDave, atErin *program
	atBella, atBert         *browser
	atMaud                  *masked
	canary                  canary
}

// A canary is the blocks of the guide about a gateway to which chosen clients are sent.
type canary struct {
	run, rules, choose, choose6, release string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	return &machine{host: newHost(t), dir: t.TempDir(), home: t.TempDir()}
}

func newDeployment(t *testing.T, g *guide) *deployment {
	t.Helper()
	d := &deployment{guide: g, whole: t}
	names := map[string]string{rootName: serverAddr, chatName: serverAddr, trialName: trialAddr}
	machines := []**machine{&d.server, &d.branch, &d.desk, &d.shop, &d.trial}
	for _, m := range machines {
		*m = newMachine(t)
		(*m).Resolves(t, names)
	}
	d.server.bridge(t, d.branch.host, d.desk.host, d.shop.host, d.trial.host)

	crt := hosts.NewRSACertificate(t, chatName)
	d.ca = crt.Cert
	for _, file := range []string{crt.Cert, crt.Key} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hosts.WriteFile(t, filepath.Join(d.server.dir, filepath.Base(file)), data)
	}
	hosts.WriteFile(t, filepath.Join(d.server.dir, "www", "index.html"), []byte("the chat"))
	return d
}

// env is what commands on the machine find in the environment.
func (m *machine) env() []string {
	return []string{"HOME=" + m.home, "XDG_CACHE_HOME=", "PATH=" + programs + ":" + filepath.Dir(ref(client1)) + ":" + os.Getenv("PATH")}
}

// start runs a block of the guide, which goes on.
func (m *machine) start(t *testing.T, block string) *program {
	t.Helper()
	return &program{m.Start(t, hosts.Command{Name: block, Dir: m.dir, Env: m.env()}, "bash", "-c", block)}
}

// runs runs a block to its end.
func (m *machine) runs(block string) (out []byte, err error) {
	m.Do(func() {
		cmd := exec.Command("bash", "-ec", block)
		cmd.Dir, cmd.Env = m.dir, append(os.Environ(), m.env()...)
		out, err = cmd.CombinedOutput()
	})
	return out, err
}

// does runs a block to its end, expects an exit status, and returns what it printed.
func (m *machine) does(t *testing.T, status int, block string) string {
	t.Helper()
	out, err := m.runs(block)
	var exit *exec.ExitError
	switch {
	case err == nil && status == 0:
	case errors.As(err, &exit) && exit.ExitCode() == status:
	default:
		t.Fatalf("%s: %v, want exit status %d: %s", block, err, status, out)
	}
	return string(out)
}

// writes puts settings into a file in the operator's folder.
func (m *machine) writes(t *testing.T, name, text string) {
	t.Helper()
	hosts.WriteFile(t, filepath.Join(m.dir, name), []byte(text))
}

// says waits until a block prints what is wanted.
func (m *machine) says(t *testing.T, block string, want ...string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		out := m.does(t, 0, block)
		for _, w := range want {
			if !strings.Contains(out, w) {
				return errors.New(block + " does not say " + w + ": " + out)
			}
		}
		return nil
	})
}

// saysNoLonger waits until a block does not print something.
func (m *machine) saysNoLonger(t *testing.T, block, unwanted string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		if out := m.does(t, 0, block); strings.Contains(out, unwanted) {
			return errors.New(block + " goes on to say " + unwanted + ": " + out)
		}
		return nil
	})
}

// startRoot, startPeer and startWebproxy start the old programs as they have always been.
func (d *deployment) startRoot(t *testing.T) {
	t.Helper()
	d.root = d.server.startMles1(d.whole, oldKey)
}

func (d *deployment) startPeer(t *testing.T) {
	t.Helper()
	d.peer = d.branch.startMles1(d.whole, oldKey, rootName)
}

func (d *deployment) startWebproxy(t *testing.T) {
	t.Helper()
	d.webproxy = d.server.host.start(d.whole, "mles-webproxy 0.8.8", keyEnv(oldKey), "env", "-C", d.server.dir,
		ref(webproxy), "www", "nobody@example.org", chatName, serverAddr+":8077")
	d.server.Listening(d.whole, serverAddr+":443")
}

// console has somebody sit down at mles-client 1.1.7.
func (d *deployment) console(m *machine, server, uid string) *program {
	return m.startConsole(d.whole, server, oldKey, uid, "hall")
}

// again has a member come back to the same server.
func (d *deployment) again(t *testing.T, m *member, old *program, sit func() *program) *program {
	t.Helper()
	m.rises(t)
	old.Kill()
	p := sit()
	d.sits(m, console{p})
	return p
}

func (d *deployment) carolAgain(t *testing.T) {
	t.Helper()
	d.atCarol = d.again(t, d.carol, d.atCarol, func() *program { return d.console(d.desk, rootName, "carol") })
}

func (d *deployment) daveAgain(t *testing.T) {
	t.Helper()
	d.atDave = d.again(t, d.dave, d.atDave, func() *program { return d.console(d.shop, rootName, "dave") })
}

func (d *deployment) erinAgain(t *testing.T) {
	t.Helper()
	d.atErin = d.again(t, d.erin, d.atErin, func() *program { return d.console(d.branch, "127.0.0.1", "erin") })
}

// browsersAgain has both browsers load their page again.
func (d *deployment) browsersAgain(t *testing.T) {
	t.Helper()
	d.bella.rises(t)
	d.bert.rises(t)
	d.atBella.ws.Close()
	d.atBert.ws.Close()
	d.atBella = d.desk.browse(d.whole, serverAddr+":443", d.ca, "bella", "lobby")
	d.sits(d.bella, d.atBella)
	d.atBert = d.shop.browse(d.whole, serverAddr+":443", d.ca, "bert", "lobby")
	d.sits(d.bert, d.atBert)
}

// maudAgain has the v1 client on the masked channel come back.
func (d *deployment) maudAgain(t *testing.T) {
	t.Helper()
	d.maud.rises(t)
	d.atMaud.leave()
	d.atMaud = d.shop.joinMasked(d.whole, serverAddr+":8077", oldKey, "maud", "lobby")
	d.sits(d.maud, d.atMaud)
}

// noLonger waits until nothing listens on an address of the server.
func (d *deployment) noLonger(t *testing.T, addr string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		nc, err := d.server.Dial(addr)
		if err == nil {
			nc.Close()
			time.Sleep(20 * time.Millisecond)
			return errors.New("something still listens on " + addr)
		}
		return nil
	})
}
