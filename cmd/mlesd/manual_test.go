package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The file of settings that packages install has every setting, and is one that --config takes.
func TestSettingsFile(t *testing.T) {
	var out bytes.Buffer
	if status := mlesd([]string{"--generate", "settings"}, &out, io.Discard); status != exitOK {
		t.Fatalf("exit status %d", status)
	}
	var help bytes.Buffer
	mlesd([]string{"--help"}, &help, io.Discard)
	settings := 0
	for word := range strings.FieldsSeq(help.String()) {
		name := strings.Trim(word, "($).,")
		if !strings.HasPrefix(word, "($MLESD_") || name == configVariable {
			continue
		}
		settings++
		if !strings.Contains(out.String(), "\n#"+name+"=") {
			t.Errorf("no line for %s", name)
		}
	}
	if settings < 30 {
		t.Errorf("%d settings found in\n%s", settings, &help)
	}
	file := filepath.Join(t.TempDir(), "mlesd.env")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := parse([]string{"--config", file}, io.Discard); err != nil {
		t.Error(err)
	}
	// What stands there as a default is one.
	text := out.String()
	for _, line := range []string{"MLESD_V1_LISTEN=[::]:8077", "MLESD_HISTORY_LIMIT=200", "MLESD_V2_JOINS=history", "MLESD_DRAIN_TIME=10s", "MLESD_CORS=false", "MLES_KEY="} {
		if !strings.Contains(text, "\n#"+line+"\n") {
			t.Errorf("no line %s", line)
		}
		if line != "MLES_KEY=" {
			text = strings.Replace(text, "\n#"+line, "\n"+line, 1)
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := parsed(t, "--config", file); *c.HistoryLimit != 200 {
		t.Errorf("history limit %d", *c.HistoryLimit)
	}
}
