package packages

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// The compose file fits the specification's schema, and has what its comments promise.
func TestCompose(t *testing.T) {
	t.Parallel()
	file := filepath.Join(releases[0].root, "deploy/compose.yaml")
	options, err := cli.NewProjectOptions([]string{file}, cli.WithName("mles"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, err := project.GetService("mlesd")
	if err != nil {
		t.Fatal(err)
	}
	if service.NetworkMode != "host" || !service.ReadOnly || len(service.Ports) != 0 {
		t.Errorf("network %q, read-only %t, ports %v", service.NetworkMode, service.ReadOnly, service.Ports)
	}
	if got := strings.Join(service.CapDrop, " ") + " " + strings.Join(service.CapAdd, " "); got != "ALL NET_BIND_SERVICE" {
		t.Errorf("capabilities: %s", got)
	}
	if service.Build == nil || filepath.Join(service.Build.Context, service.Build.Dockerfile) != filepath.Join(releases[0].root, "deploy/Dockerfile") {
		t.Errorf("it is built from %+v", service.Build)
	}
	for name := range service.Environment {
		if !strings.HasPrefix(name, "MLESD_") {
			t.Errorf("%s is no setting", name)
		}
	}
	if len(service.Volumes) != 1 || service.Volumes[0].Target != "/var/lib/mlesd" {
		t.Errorf("volumes: %v", service.Volumes)
	}
}
