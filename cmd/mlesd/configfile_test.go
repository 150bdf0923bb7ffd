package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// written is a configuration file with this text.
func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "mlesd.env")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A file as it is deployed: comments, quotes, lists, a key.
func TestConfigFile(t *testing.T) {
	file := written(t, "\ufeff# Settings\n\n; all of them\r\nMLESD_HISTORY_LIMIT=50\r\nMLESD_V1_LISTEN = off\n")
	if _, err := parse([]string{"--config", file}, io.Discard); err == nil || !strings.Contains(err.Error(), "mlesd.env:5: no setting") {
		t.Errorf("white space before =: %v", err)
	}
	t.Setenv("MLESD_HISTORY_LIMIT", "7")
	t.Setenv("MLESD_DRAIN_TIME", "3s")
	t.Setenv("MLES_KEY", "from the environment")
	t.Setenv("MLESD_CONFIG", written(t, strings.Join([]string{
		`MLESD_HISTORY_LIMIT=50`,
		`MLESD_V1_LISTEN="127.0.0.1:0"`,
		`MLESD_V1_CHANNELS= hall,iot/** `,
		`MLESD_V2_CHANNELS='a\,b,c d'`,
		`MLESD_V1_READ_ONLY=true`,
		`MLESD_LOG_FORMAT=json`,
		`MLES_KEY=" a = #key"`,
	}, "\n")))
	c := parsed(t, "--log-format=text", "--v1-websocket")
	if *c.HistoryLimit != 50 || c.v1.String() != "127.0.0.1:0" || c.DrainTime.String() != "3s" || !c.V1ReadOnly {
		t.Errorf("history %d, v1 at %s, drain time %s, read-only %t", *c.HistoryLimit, c.v1, c.DrainTime, c.V1ReadOnly)
	}
	if !slices.Equal(c.V1Channels, []string{"hall", "iot/**"}) || !slices.Equal(c.V2Channels, []string{"a,b", "c d"}) {
		t.Errorf("channels %q and %q", c.V1Channels, c.V2Channels)
	}
	if c.LogFormat != "text" || !c.V1WebSocket {
		t.Error("the command line does not go before the file")
	}
	if !slices.Equal(c.keys.v1.keys, []string{" a = #key"}) {
		t.Error("the key is another")
	}
}

// PEER, which is no flag, and who goes before whom.
func TestPeerInAConfigFile(t *testing.T) {
	file := written(t, "MLESD_PEER=file.example")
	t.Setenv("MLESD_PEER", "environment.example")
	if c := parsed(t, "--config", file); c.Peer != "file.example" || c.upstreams[0].URL != "v1://file.example" {
		t.Errorf("the peer is %q, upstream %v", c.Peer, c.upstreams)
	}
	if c := parsed(t, "--config", file, "line.example"); c.Peer != "line.example" {
		t.Errorf("the peer is %q", c.Peer)
	}
	if c := parsed(t); c.Peer != "environment.example" {
		t.Errorf("the peer is %q", c.Peer)
	}
}

// What does not fit is named by file and line, without its value where that may be a key.
func TestFaultyConfigFile(t *testing.T) {
	for text, want := range map[string]string{
		"MLESD_HISTORY=1":                          ":1: unknown name MLESD_HISTORY",
		"\nPATH=/bin":                              ":2: unknown name PATH",
		"#\nMLESD_HISTORY_LIMIT=many":              ":2: ",
		"MLESD_V2_JOINS=sometimes":                 `:1: "sometimes" is none of history,live,off`,
		"MLESD_V1_CHANNELS=[a":                     `:1: "[a" is no pattern`,
		"MLESD_V1_CHANNELS=":                       ":1: empty",
		"MLESD_V1_READ_ONLY=perhaps":               ":1: ",
		"MLESD_V1_LISTEN=off\nMLESD_V1_LISTEN=off": ":2: MLESD_V1_LISTEN stands in line 1 already",
		"MLESD_CONFIG=other":                       ":1: MLESD_CONFIG: a configuration file cannot name another",
		"export MLESD_V1_LISTEN=off":               ":1: no setting",
		"swordfish":                                ":1: no setting",
		`MLES_KEY="swordfish`:                      ":1: MLES_KEY: quotes",
		`MLES_KEY=sword"fish`:                      ":1: MLES_KEY: a value with quotes",
		`MLES_KEY="sword\fish"`:                    ":1: MLES_KEY: quotes",
		`MLES_KEY=swordfish\`:                      ":1: MLES_KEY: a value with quotes or backslashes",
		"MLES_KEY=\xff":                            "not UTF-8",
		"MLES_KEY=":                                "MLES_KEY is set but empty",
	} {
		_, err := parse([]string{"--config", written(t, text)}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fish") {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
	if _, err := parse([]string{"--config=/nowhere/mlesd.env"}, io.Discard); err == nil || !strings.Contains(err.Error(), "/nowhere/mlesd.env") {
		t.Errorf("a file that is not there: %v", err)
	}
}
