package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// found is what does not fit in a command line, one fault in each.
func found(t *testing.T, args ...string) []string {
	t.Helper()
	_, err := parse(args, io.Discard)
	var all faults
	if err != nil && !errors.As(err, &all) {
		t.Fatalf("%v is no faults", err)
	}
	var texts []string
	for _, f := range all {
		texts = append(texts, f.Error())
	}
	return texts
}

// finds expects faults that begin so, in this order and no other.
func finds(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("found %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("found %q, want %q", got[i], want[i])
		}
	}
}

// Whatever is wrong is found at once: on the command line, in the environment, in the file, and in how they go together.
func TestAllFaultsAreFound(t *testing.T) {
	t.Setenv("MLESD_MEMORY_LIMIT", "lots")
	t.Setenv("MLESD_V2_JOINS", "sometimes")
	t.Setenv("MLES_KEY", "")
	file := written(t, "MLESD_V1_LISTN=off\nMLESD_V1_LISTEN=off\nnonsense\nMLESD_LOG_FORMAT=xml\nMLESD_EMAIL=ops@mles.example\n")
	got := found(t, "--config", file, "--nonsense", "value", "--history-limit=many", "--log-level", "loud", "--port", "--staging",
		"-f", "-5", "--history-limit=-5", "--drain-time=-1s", "--upstream=http://root.example", "--upstream=v1://")
	finds(t, got,
		"unknown flag --nonsense",
		"--history-limit: ",
		"--log-level: ",
		"--v2-listen: ", "--max-connections: ",
		"--v2-joins: ", "--memory-limit: ",
		"--config: "+file+":3: no setting", "--config: "+file+":1: unknown name MLESD_V1_LISTN", "--log-format: "+file+":4: ",
		"--email is for --domains", "--staging is for --domains",
		"--history-limit -5 is negative", "--drain-time -1s is negative",
		"MLES_KEY is set but empty",
		"--upstream \"http://root.example\"", "--upstream \"v1://\"",
	)
	if !strings.Contains(got[6], "from MLESD_MEMORY_LIMIT") {
		t.Errorf("%q does not name the variable", got[6])
	}
}

// A start says the first fault, and that there are more.
func TestTheFirstFaultIsSaid(t *testing.T) {
	_, err := parse([]string{"--history-limit=-1", "--drain-time=-1s", "--cors"}, io.Discard)
	if want := "--history-limit -1 is negative: 0 keeps none (and 2 more: mlesd --check tells all)"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !errors.As(err, new(*usageError)) {
		t.Error("it is not a usage error")
	}
}

// What is passed over as faulty is that argument alone.
func TestFaultyArguments(t *testing.T) {
	finds(t, found(t, "--port"), "--v2-listen: ")
	finds(t, found(t, "-l", "many", "root.example", "--v1-listen", "8077x"), "--history-limit: ", "--v1-listen: ")
	finds(t, found(t, "root.example", "other.example", "third.example"), "unexpected argument other.example", "unexpected argument third.example")
	finds(t, found(t, "--v2-joins=sometimes", "--webproxy-mask=some"), "--webproxy-mask ", "--v2-joins ")
	finds(t, found(t, "--cors=perhaps", "--wwwroot=."), "--cors: ")
	finds(t, found(t, "--nonsense", "--help"), "unknown flag --nonsense")
	finds(t, found(t, "--nonsense=1", "root.example"), "unknown flag --nonsense")
}
