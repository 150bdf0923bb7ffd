package packages

import (
	"os/exec"
	"strings"
	"testing"
)

// Both readers of manual pages find no fault, and the sections that people look for are there.
func TestManualPages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mlesd.8", "mlesctl.1"} {
		page := releases[0].file(t, "deploy/generated/"+name)
		silent(t, "mandoc", "-T", "lint", page)
		warnings := exec.Command("man", "--warnings", "--encoding=UTF-8", "--local-file", page)
		var said strings.Builder
		warnings.Stderr = &said
		text, err := warnings.Output()
		if err != nil || said.Len() > 0 {
			t.Errorf("man --warnings %s: %v\n%s", name, err, said.String())
		}
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "SIGNALS", "EXIT STATUS", "EXAMPLES"} {
			if !strings.Contains(string(text), "\n"+section+"\n") && !strings.HasPrefix(string(text), section) {
				t.Errorf("%s has no section %s", name, section)
			}
		}
	}
}

// Shells complete commands, flags, values and files.
func TestCompletions(t *testing.T) {
	t.Parallel()
	folder := releases[0].root + "/deploy/generated"
	for _, shell := range []string{"bash", "zsh", "fish"} {
		for _, command := range []string{"mlesd", "mlesctl"} {
			silent(t, shell, "-n", folder+"/"+command+"."+shell)
		}
	}
	for _, c := range []struct {
		line string // what is typed before Tab
		want []string
		not  string
	}{
		{"mlesctl ", []string{"chat", "completion", "status"}, "fanout"},
		{"mlesctl check --for", []string{"--format"}, "--json"},
		{"mlesctl check --format ", []string{"json", "junit", "text"}, "--list"},
		{"mlesctl bench ", []string{"fanout", "latency"}, "chat"},
		{"mlesctl bench fanout --pa", []string{"--patience"}, "--batch"},
		{"mlesctl completion ", []string{"bash", "fish", "zsh"}, "chat"},
		{"mlesd --v2-j", []string{"--v2-joins"}, "--v1"},
		{"mlesd --log-format ", []string{"json", "text"}, "--v1"},
		{"mlesd --tls-cert /etc/debian_v", []string{"/etc/debian_version"}, "--v1"},
	} {
		for _, shell := range []string{"bash", "zsh", "fish"} {
			offered := does(t, shell, "testdata/complete."+shell, folder, c.line)
			for _, want := range c.want {
				if !strings.Contains(offered, want) {
					t.Errorf("%s after %q: %q is not in\n%s", shell, c.line, want, offered)
				}
			}
			if strings.Contains(offered, c.not) {
				t.Errorf("%s after %q: %q is in\n%s", shell, c.line, c.not, offered)
			}
		}
	}
}
