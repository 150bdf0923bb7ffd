//go:build readme

package readme

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A scene plays blocks of a document that belong together: servers, and clients of theirs.
type scene struct {
	name   string
	blocks []string
	alone  bool                                                      // not beside others, which use what it leaves or would be in its way
	play   func(t *testing.T, c *clone, d *document, block []string) // nil: not here
	where  string                                                    // it is played instead, or why it cannot be
}

// documents are those whose blocks are played here, with their scenes. README.md is the first: what it installs is used by
// the others.
func documents() []struct {
	name   string
	scenes []scene
} {
	return []struct {
		name   string
		scenes []scene
	}{
		{"README.md", scenes()},
		{"docs/admin.md", adminScenes()},
		{"docs/configuration.md", configurationScenes()},
		{"docs/operations.md", operationsScenes()},
		{"docs/security.md", securityScenes()},
		{"docs/status.md", nil},
		{"docs/metrics.md", nil},
	}
}

// playedElsewhere are documents with tests of their own.
func playedElsewhere() []string {
	return []string{"docs/migration.md"} // .ci/interop
}

// scenes are in the order of README.md but for clients that come long after their server.
func scenes() []scene {
	return []scene{
		{name: "try it", play: tryIt, blocks: []string{
			"go run ./cmd/mlesd",
			"go run ./cmd/mlesctl chat v1://localhost:8077 hall --uid alice",
			"go run ./cmd/mlesctl chat wss://localhost:8443 hall --uid bob",
		}},
		{name: "test", where: ".ci/run", blocks: []string{"go test ./..."}},
		{name: "install", play: install, alone: true, blocks: []string{"go install ./cmd/..."}},
		{name: "replace a server", play: replace, blocks: []string{
			`MLES_KEY=swordfish mlesd --history-limit 100 --domains mles.example.org --email you@example.org`,
			`MLES_KEY=swordfish mlesctl sub v1://localhost hall --joins`,
			`MLES_KEY=swordfish mlesctl pub wss://mles.example.org hall "hello from v2"`,
		}},
		{name: "own certificates", play: ownCertificates, blocks: []string{
			`MLES_KEY=swordfish mlesd --tls-cert cert.pem --tls-key key.pem --v2-listen :443`,
		}},
		{name: "behind a terminator", play: behindTerminator, blocks: []string{
			`MLES_KEY=swordfish mlesd --v2-listen off --plain-listen 127.0.0.1:8080`,
		}},
		{name: "MlesTalk", play: keyOfV1Alone, blocks: []string{
			`mlesd --v1-key-file v1.keys --v2-key-file /dev/null --domains mles.example.org`,
		}},
		{name: "change the key", play: changeKey, blocks: []string{
			`mlesd --key-file mles.keys --domains mles.example.org`,
		}},
		{name: "turn v1 off", play: turnOff, blocks: []string{
			`mlesctl status --seen v1 --for 30d`,
			`mlesctl status`,
		}},
		{name: "change what v1 may do", play: reload, blocks: []string{
			`mlesd --config mlesd.env`,
			`mlesctl reload`,
		}},
		{name: "mlesctl", play: tool, blocks: []string{
			`mlesctl pub v1://localhost:8077 hall "the door is open"`,
			`mlesctl sub wss://localhost:8443 hall --json --count 1 --timeout 10s`,
		}},
	}
}

// hiddenCommand is one in an indented block.
var hiddenCommand = regexp.MustCompile(`(?m)^ {4,}(\$ )?(mlesd|mlesctl|curl|apt|apt-get|systemctl|journalctl|docker|podman|go) .*$`)

// Everything that the documents have people run is run.
func TestDocuments(t *testing.T) {
	c := newClone(t)
	var names []string
	for _, doc := range documents() {
		names = append(names, doc.name)
		d := readDocument(t, c.repository, doc.name)
		var played []string
		for _, s := range doc.scenes {
			played = append(played, s.blocks...)
			if (s.play == nil) == (s.where == "") {
				t.Errorf("scene %q is to be played here, or the place is to be named where it is", s.name)
			}
		}
		for _, block := range without(d.blocks, played) {
			t.Errorf("%s has a block that no scene plays:\n%s", d.name, block)
		}
		for _, block := range without(played, d.blocks) {
			t.Errorf("a scene plays a block that %s does not have:\n%s", d.name, block)
		}
		d.checkLinks(t, c.repository)
		for _, command := range hiddenCommand.FindAllString(d.text, -1) {
			t.Errorf("%s has a command that nobody runs, since it is in no block of shell: %s", d.name, strings.TrimSpace(command))
		}
	}
	files, err := filepath.Glob(filepath.Join(c.repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := "docs/" + filepath.Base(file); !slices.Contains(names, name) && !slices.Contains(playedElsewhere(), name) {
			t.Errorf("nobody plays what %s has", name)
		}
	}
	if t.Failed() {
		return
	}
	for _, doc := range documents() {
		d := readDocument(t, c.repository, doc.name)
		for _, s := range doc.scenes {
			if s.play == nil {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				if !s.alone {
					t.Parallel()
				}
				s.play(t, c, d, s.blocks)
			})
		}
	}
}

// without returns what is in a more often than in b.
func without(a, b []string) (rest []string) {
	b = slices.Clone(b)
	for _, s := range a {
		if i := slices.Index(b, s); i >= 0 {
			b = slices.Delete(b, i, i+1)
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}

// lines are the lines of a screen that begin with prefix.
func lines(screen, prefix string) (found []string) {
	for l := range strings.Lines(screen) {
		if strings.HasPrefix(l, prefix) {
			found = append(found, strings.TrimSpace(l))
		}
	}
	return found
}
