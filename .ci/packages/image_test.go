package packages

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// dockerfile reads the release's Dockerfile with BuildKit's own reader and linter, as "docker build --check" does as far
// as no registry is needed.
func dockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(releases[0].root, "deploy/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) {
		t.Errorf("%s: %s %v", rule, message, at)
	}})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Error(w.Short)
	}
	return stages
}

// commands are those of one kind.
func commands[C instructions.Command](stage instructions.Stage) (all []C) {
	for _, c := range stage.Commands {
		if c, ok := c.(C); ok {
			all = append(all, c)
		}
	}
	return all
}

// What the image promises to whoever runs it.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	stages := dockerfile(t)
	image := stages[len(stages)-1]
	if users := commands[*instructions.UserCommand](image); len(users) != 1 || strings.HasPrefix(users[0].User, "0") || users[0].User == "root" {
		t.Error("the image runs as root")
	}
	if runs := commands[*instructions.RunCommand](image); len(runs) != 0 {
		t.Error("RUN in an image without a shell")
	}
	var ports []string
	for _, e := range commands[*instructions.ExposeCommand](image) {
		ports = append(ports, e.Ports...)
	}
	for name, value := range environment(image) {
		if _, port, ok := strings.Cut(value, "]:"); ok && strings.HasSuffix(name, "_LISTEN") && !slices.Contains(ports, port) {
			t.Errorf("%s=%s, but EXPOSE %q", name, value, ports)
		}
	}
	for _, c := range commands[*instructions.CopyCommand](image) {
		if !slices.ContainsFunc(stages, func(s instructions.Stage) bool { return s.Name == c.From }) {
			t.Errorf("COPY --from=%s: there is no such stage", c.From)
		}
	}
	if !filepath.IsAbs(entrypoint(t, image)[0]) {
		t.Errorf("entrypoint %q", entrypoint(t, image))
	}
}

// The engine's copy of the repository is a whole commit, else the version would say that it was changed.
func TestDockerIgnore(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(releases[0].root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		pattern, ok := strings.CutPrefix(strings.TrimSpace(line), "/")
		if !ok && !strings.HasPrefix(line, "#") {
			t.Errorf("%q does not begin with /", line)
		} else if ok {
			silent(t, "git", "-C", releases[0].root, "ls-files", pattern)
		}
	}
}

// environment is what ENV sets.
func environment(stage instructions.Stage) map[string]string {
	all := make(map[string]string)
	for _, e := range commands[*instructions.EnvCommand](stage) {
		for _, pair := range e.Env {
			all[pair.Key] = pair.Value
		}
	}
	return all
}

// entrypoint and healthcheck are commands without a shell, which the image lacks.
func entrypoint(t *testing.T, stage instructions.Stage) []string {
	t.Helper()
	all := commands[*instructions.EntrypointCommand](stage)
	if len(all) != 1 || all[0].PrependShell {
		t.Fatal("no ENTRYPOINT without a shell")
	}
	return all[0].CmdLine
}

func healthcheck(t *testing.T, stage instructions.Stage) []string {
	t.Helper()
	all := commands[*instructions.HealthCheckCommand](stage)
	if len(all) != 1 || len(all[0].Health.Test) < 2 || all[0].Health.Test[0] != "CMD" {
		t.Fatal("no HEALTHCHECK without a shell")
	}
	return all[0].Health.Test[1:]
}

// There is no engine here. So the image is put together in a folder, as the Dockerfile says, and run with as little as a
// container of compose.yaml has: that folder alone, read-only but for the volume, its user, one capability, an own
// network.
func TestImage(t *testing.T) {
	t.Parallel()
	stages := dockerfile(t)
	image := stages[len(stages)-1]
	built, root := t.TempDir(), t.TempDir()
	for _, r := range commands[*instructions.RunCommand](stages[0]) {
		line := strings.Join(r.CmdLine, " ")
		if !strings.Contains(line, "/out/") {
			continue // installs what this machine has
		}
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "/out/", built+"/"))
		cmd.Dir = releases[0].root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("RUN %s: %v\n%s", line, err, out)
		}
	}
	for _, c := range commands[*instructions.CopyCommand](image) {
		from, to := filepath.Join(built, strings.TrimPrefix(c.SourcePaths[0], "/out/")), filepath.Join(root, c.DestPath)
		does(t, "mkdir", "-p", to)
		does(t, "cp", "--archive", from+"/.", to)
		if c.Chown != "" {
			does(t, "chown", "-R", c.Chown, to)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644); err != nil {
		t.Fatal(err) // as every engine makes it
	}
	user, group, _ := strings.Cut(commands[*instructions.UserCommand](image)[0].User, ":")
	env := []string{"PATH=/usr/bin"}
	for name, value := range environment(image) {
		env = append(env, name+"="+value)
	}
	// Both commands run in one network and see one folder, of which the volume alone can be written to.
	inside := "env -i " + strings.Join(quoted(env), " ") + " /usr/sbin/chroot --userspec=" + user + ":" + group + " " + root + " "
	script := fmt.Sprintf(`set -e
ip link set lo up
mount --bind %[1]s %[1]s
mount --bind %[1]s/var/lib/mlesd %[1]s/var/lib/mlesd
mount -o remount,bind,ro %[1]s
setpriv --bounding-set=-all,+net_bind_service,+sys_chroot,+setuid,+setgid %[2]s %[3]s &
mlesd=$!
for i in $(seq 100); do
	if %[2]s %[4]s; then
		grep -q '^Uid:[[:space:]]*%[5]s' /proc/$mlesd/status || { echo "not as user %[5]s"; exit 1; }
		ss -tln
		kill $mlesd
		wait $mlesd
		exit
	fi
	sleep 0.1
done
echo 'never healthy'
exit 1
`, root, inside, strings.Join(quoted(entrypoint(t, image)), " "), strings.Join(quoted(healthcheck(t, image)), " "), user)
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", script)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("the container ends with %d\n%s", exit.ExitCode(), out)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ready", "*:8077", "*:443", "127.0.0.1:9077"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "level=ERROR") || strings.Contains(string(out), "cannot be kept") {
		t.Errorf("%s", out)
	}
	if found, err := filepath.Glob(filepath.Join(root, "var/lib/mlesd/*")); err != nil || len(found) == 0 {
		t.Errorf("nothing in the volume, %v", err)
	}
}

// quoted are words as a shell takes them.
func quoted(words []string) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return all
}
