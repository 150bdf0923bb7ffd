package main

import (
	"io"
	"log/slog"
	"slices"
	"testing"
)

func parsed(t *testing.T, args ...string) *config {
	t.Helper()
	conf, err := parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestDefaults(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/home/alice/.cache")
	c := parsed(t)
	for flag, pair := range map[string][2]string{
		"v1-listen":     {c.v1.String(), "[::]:8077"},
		"v1-tls-listen": {c.v1TLS.String(), "off"},
		"v2-listen":     {c.v2.String(), "localhost:8443"},
		"plain-listen":  {c.plain.String(), "off"},
		"admin-listen":  {c.admin.String(), "localhost:9077"},
		"cache":         {c.Cache, "/home/alice/.cache/mles"},
		"v2-joins":      {c.V2Joins, "history"},
		"webproxy-mask": {c.WebproxyMask, "off"},
		"drain-time":    {c.DrainTime.String(), "10s"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("--%s is %s, want %s", flag, pair[0], pair[1])
		}
	}
	if c := parsed(t, "-d", "mles.example"); c.v2.String() != "[::]:443" {
		t.Errorf("--v2-listen with --domains is %s", c.v2)
	}
}

// The reference's own spellings.
func TestReferenceSpellings(t *testing.T) {
	c := parsed(t, "-d", "a.example,b.example", "-d", "c.example", "-e", "ops@a.example", "-c", "/cache", "-s",
		"-l", "0", "-f", "5000", "-p", "4443")
	if want := []string{"a.example", "b.example", "c.example"}; !slices.Equal(c.Domains, want) {
		t.Errorf("domains %v", c.Domains)
	}
	if c.v2.String() != "[::]:4443" || *c.HistoryLimit != 0 || *c.MaxConnections != 5000 || !c.Staging {
		t.Errorf("port %s, history %d, connections %d, staging %v", c.v2, *c.HistoryLimit, *c.MaxConnections, c.Staging)
	}
	c = parsed(t, "--limit", "7", "--filelimit=9", "--port=off", "--domains=a.example", "--v1-tls-listen=8078")
	if c.v2.String() != "off" || *c.HistoryLimit != 7 || *c.MaxConnections != 9 || c.v1TLS.String() != "[::]:8078" {
		t.Errorf("port %s, history %d, connections %d, v1 over TLS %s", c.v2, *c.HistoryLimit, *c.MaxConnections, c.v1TLS)
	}
}

// A flag goes before its variable, also where its value is the type's zero.
func TestFlagsGoBeforeVariables(t *testing.T) {
	t.Setenv("MLESD_HISTORY_LIMIT", "50")
	t.Setenv("MLESD_V1_LISTEN", "off")
	t.Setenv("MLESD_DRAIN_TIME", "3s")
	t.Setenv("MLESD_LOG_LEVEL", "debug")
	if c := parsed(t); *c.HistoryLimit != 50 || !c.v1.off || c.DrainTime.String() != "3s" || c.LogLevel != slog.LevelDebug {
		t.Errorf("from variables: %d, %s, %s, %s", *c.HistoryLimit, c.v1, c.DrainTime, c.LogLevel)
	}
	c := parsed(t, "--history-limit=0", "--v1-listen=:0", "--drain-time=0s", "--log-level=info")
	if *c.HistoryLimit != 0 || c.v1.off || c.DrainTime != 0 || c.LogLevel != slog.LevelInfo {
		t.Errorf("from flags: %d, %s, %s, %s", *c.HistoryLimit, c.v1, c.DrainTime, c.LogLevel)
	}
}

// Patterns of channels, a name with a comma among them.
func TestChannels(t *testing.T) {
	t.Setenv("MLESD_V2_CHANNELS", `hall,iot/**`)
	c := parsed(t, "--v1-channels=a,b/*", "--v1-channels", `c\,d`)
	if want := []string{"a", "b/*", "c,d"}; !slices.Equal(c.V1Channels, want) {
		t.Errorf("v1 may join %q", c.V1Channels)
	}
	if want := []string{"hall", "iot/**"}; !slices.Equal(c.V2Channels, want) {
		t.Errorf("v2 may join %q", c.V2Channels)
	}
}

func TestMemorySizes(t *testing.T) {
	const total = 8 << 30
	for text, want := range map[string]int64{
		"536870912": 512 << 20, "512MiB": 512 << 20, "512m": 512 << 20, "2G": 2 << 30, "1.5GiB": 3 << 29,
		"65536k": 64 << 20, "1T": 1 << 40, "64MB": 64e6, "100GB": 100e9, "50%": total / 100 * 50, "1%": total / 100,
		"67108864b": 64 << 20, " 64 MiB ": 64 << 20,
	} {
		var m memorySize
		err := m.UnmarshalText([]byte(text))
		if got, _ := m.of(total); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "MiB", "64MX", "64 iB", "0%", "101%", "1.5%", "-1G", "1e400", "nan", "inf", "9999999T", "64bb", "31MiB"} {
		var m memorySize
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %+v", text, m)
		}
	}
	if _, err := (memorySize{percent: 50}).of(0); err == nil {
		t.Error("half of an unknown memory is known")
	}
	if got, _ := (memorySize{percent: 1}).of(100 << 20); got != leastMemory {
		t.Errorf("one per cent of little is %d", got)
	}
}

func TestStartedByGoRun(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for exe, want := range map[string]bool{
		"/tmp/go-build1234567/b001/exe/mlesd":                 true,
		"/home/alice/.cache/go-build/01/" + hash + "-d/mlesd": true,
		"/build/cache/01/" + hash + "-d/mlesd":                true,
		`C:\Temp\go-build12\b001\exe\mlesd.exe`:               true,
		"/usr/local/bin/mlesd":                                false,
		"/home/alice/go-builds/mlesd":                         false,
		"/home/alice/go/bin/mlesd":                            false,
	} {
		if got := startedByGoRun(exe); got != want {
			t.Errorf("%s: %v", exe, got)
		}
	}
}
