//go:build readme

package readme

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

func operationsScenes() []scene {
	return []scene{
		{name: "the deb", where: ".ci/packages, on a Debian of its own", blocks: []string{`apt install ./mles_1.0.0-1_amd64.deb`}},
		{name: "the rpm", where: ".ci/packages unpacks it and looks; there is no Fedora here", blocks: []string{`dnf install ./mles-1.0.0-1.x86_64.rpm`}},
		{name: "the service", where: ".ci/packages, on a Debian of its own", blocks: []string{
			"install -m 640 -o root -g mlesd /dev/null /etc/mles/keys\neditor /etc/mles/keys /etc/mles/mlesd.env\nsystemctl enable --now mlesd",
		}},
		{name: "the service, checked", where: ".ci/packages, on a Debian of its own", blocks: []string{
			`MLESD_CACHE=/var/lib/mlesd mlesd --check --config /etc/mles/mlesd.env`,
		}},
		{name: "the image", where: ".ci/packages reads both files as docker does; there is no container engine here", blocks: []string{
			"docker build -f deploy/Dockerfile -t mles .\ndocker compose -f deploy/compose.yaml up -d",
		}},
		{name: "check", play: checkOperations, blocks: []string{`mlesd --check --config mlesd.env`}},
		{name: "staging", play: staging, blocks: []string{
			`mlesd --domains mles.example.org --email you@example.org --staging`,
		}},
		{name: "certificate seen from outside", play: seenFromOutside, blocks: []string{
			`openssl s_client -connect mles.example.org:443 -servername mles.example.org </dev/null | openssl x509 -noout -subject -enddate`,
		}},
		{name: "what a connection costs", alone: true, play: measureIdle, blocks: []string{
			`mlesctl bench idle --sub v1://localhost:8077 --pid $(pgrep -nx mlesd) --members 1000 --runs 1`,
		}},
		{name: "the admin listener from elsewhere", play: adminElsewhere, blocks: []string{
			`mlesd --admin-listen 10.0.0.5:9077 --admin-token-file admin.token --admin-tls --domains mles.example.org`,
			`mlesctl status --admin https://mles.example.org:9077 --admin-token-file admin.token`,
		}},
		{name: "symptoms", play: showSymptoms},
	}
}

func configurationScenes() []scene {
	return []scene{
		{name: "check before a change", play: checkThenReload, blocks: []string{
			`mlesd --check --config mlesd.env`,
			`mlesd --check --config mlesd.env && mlesctl reload`,
		}},
	}
}

func adminScenes() []scene {
	return []scene{
		{name: "a script posts", play: scriptPosts, blocks: []string{
			`curl -H "Authorization: Bearer $(cat ~/.cache/mles/admin-token)" -d 'lunch is ready' 'localhost:9077/channels/hall?uid=kitchen'`,
		}},
	}
}

// What a connection costs is measured, whatever it is here.
func measureIdle(t *testing.T, c *clone, _ *document, block []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd")
	s.listening(t, 8077)
	bench := s.start(t, block[0])
	if err := bench.WaitFor(t, time.Minute); err != nil {
		t.Fatalf("%s: %v", block[0], err)
	}
	said := bench.Screen()
	if !regexp.MustCompile(`resident a connection +[0-9.]+ KiB`).MatchString(said) {
		t.Errorf("the measurement says %q", said)
	}
	gateway.Terminate(t)
}

// Whoever has the token asks over TLS; who has none is told nothing but whether the gateway is well.
func adminElsewhere(t *testing.T, c *clone, _ *document, block []string) {
	s, trust := c.deployment(t)
	s.host.IP(t, "addr", "add", "10.0.0.5/32", "dev", "lo")
	s.host.Resolves(t, map[string]string{domain: "10.0.0.5"})
	s.file(t, "admin.token", "0123456789abcdef0123456789abcdef\n")
	gateway := s.start(t, block[0])
	gateway.Says(t, "certificate ready")
	s.host.Listening(t, "10.0.0.5:9077")
	s.does(t, 0, block[1], trust).Says(t, "0 members")
	for path, want := range map[string]string{"healthz": "200", "status": "401", "metrics": "401"} {
		s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}' https://mles.example.org:9077/"+path, strings.Replace(trust, "SSL_CERT_FILE", "CURL_CA_BUNDLE", 1)).Says(t, want)
	}
	gateway.Terminate(t)
}

// Somebody without a client of Mles says something.
func scriptPosts(t *testing.T, c *clone, _ *document, block []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd")
	s.listening(t, 8077, 9077)
	alice := s.start(t, "mlesctl sub v1://localhost hall")
	s.members(t, "v1", 1)
	s.does(t, 0, block[0])
	alice.Says(t, "lunch is ready")
	alice.Terminate(t)
	gateway.Terminate(t)
}

// anyBlock is a block with its language.
var anyBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?\n)```$")

// plainBlocks are the files and the output that a section shows.
func (d *document) plainBlocks(t *testing.T, section string) (blocks []string) {
	t.Helper()
	for _, m := range anyBlock.FindAllStringSubmatch(d.section(t, section), -1) {
		if m[1] == "" {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// The file that is shown is checked, and what comes of it is what is shown.
func checkOperations(t *testing.T, c *clone, d *document, block []string) {
	shown := d.plainBlocks(t, "Settings and `mlesd --check`")
	if len(shown) != 2 {
		t.Fatalf("%s shows %q", d.name, shown)
	}
	s, _ := c.named(t)
	hosts.WriteFile(t, filepath.Join(s.dir, "mlesd.env"), []byte(shown[0]))
	hosts.WriteFile(t, filepath.Join(s.dir, "mles.keys"), []byte("swordfish\nherring channels=iot/*\n"))
	said := squeezed(s.does(t, 0, block[0]).Screen())
	if want := squeezed(shown[1]); !strings.Contains(said, want) {
		t.Errorf("%s shows\n%s\nit is\n%s", d.name, want, said)
	}
	hosts.WriteFile(t, filepath.Join(s.dir, "mlesd.env"), []byte(shown[0]+"MLESD_DRAIN_TIME=soon\nMLESD_HISTORY=7\n"))
	said = s.does(t, 2, block[0]).Screen()
	for _, want := range []string{"\nmlesd: --drain-time: mlesd.env:8: ", "\nmlesd: --config: mlesd.env:9: unknown name MLESD_HISTORY\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q does not say %q", said, want)
		}
	}
}

// squeezed is text without how its columns are aligned.
func squeezed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}

// A gateway that runs is reloaded with settings that fit, and not with others.
func checkThenReload(t *testing.T, c *clone, _ *document, block []string) {
	s := c.stage(t, t.TempDir())
	file := filepath.Join(s.dir, "mlesd.env")
	hosts.WriteFile(t, file, []byte("MLESD_HISTORY_LIMIT=50\n"))
	s.does(t, 0, block[0])
	gateway := s.start(t, "mlesd --config mlesd.env")
	s.listening(t, 8077, 8443, 9077)
	hosts.WriteFile(t, file, []byte("MLESD_HISTORY_LIMIT=60\n"))
	s.does(t, 0, block[1])
	gateway.Says(t, "msg=reloaded changed=[--history-limit]")
	hosts.WriteFile(t, file, []byte("MLESD_HISTORY_LIMIT=many\nMLESD_V1_LISTEN=8077x\n"))
	s.does(t, 2, block[1])
	if strings.Contains(gateway.Screen(), "not reloaded") {
		t.Error("the gateway was asked to reload what does not fit")
	}
	gateway.Terminate(t)
}

// Nobody is reached: the log says that there is no certificate, and that of the authority for trying is meant.
func staging(t *testing.T, c *clone, _ *document, block []string) {
	s, _ := c.named(t)
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 443)
	gateway.Says(t, "no certificate yet")
	gateway.Says(t, "acme-staging-v02")
	gateway.Terminate(t)
}

func seenFromOutside(t *testing.T, c *clone, _ *document, block []string) {
	s, _ := c.deployment(t)
	gateway := s.start(t, "mlesd --domains mles.example.org")
	s.listening(t, 443)
	gateway.Says(t, "certificate ready")
	said := s.does(t, 0, block[0]).Screen()
	for _, want := range []string{"subject=CN = mles.example.org", "notAfter="} {
		if !strings.Contains(strings.ReplaceAll(said, "CN=", "CN = "), want) {
			t.Errorf("%q does not say %q", said, want)
		}
	}
	gateway.Terminate(t)
}
