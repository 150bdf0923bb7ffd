package conformance

import (
	"fmt"
	"strings"
	"time"
)

// A Level says how binding what a case tests is, as in RFC 2119.
type Level int

const (
	// Must: who fails it does not interoperate.
	Must Level = iota
	// Should: who fails it is harder to live with, and interoperates.
	Should
)

func (l Level) String() string {
	if l == Should {
		return "SHOULD"
	}
	return "MUST"
}

// Needs is what a case needs of the target and of the run, as a set.
type Needs uint

const (
	// V1 needs the target's v1 address, V2 its v2 address, V1WS that of v1 over
	// WebSocket.
	V1 Needs = 1 << iota
	V2
	V1WS
	// Key needs a shared key at the target; NoKey needs that there is none, so
	// that v1 clients are known by their address and v2 clients need no auth.
	Key
	NoKey
	// Slow marks cases of more than 20 s, Hostile those that can hurt a
	// server: they run when asked for.
	Slow
	Hostile
)

// A Case is one thing that a Mles server must do.
type Case struct {
	// ID is suite/subject/what, such as v1/join/history-before-live. It never
	// changes: profiles and people's CI name it.
	ID string
	// Section is where the rule stands: file and anchor, v1/spec.md#frame.
	Section string
	Level   Level
	// Says is one sentence: what is sent, and what must happen.
	Says  string
	Needs Needs
	// Deadline bounds the case; 0 means 15 s.
	Deadline time.Duration
	// Conns is how many connections it has open at a time, at most; 0 means 4.
	Conns int
	// Run does it. It returns if the target passed.
	Run func(t *T)
}

// Suite is the first part of the ID: v1, v2, v1ws, bridge.
func (c Case) Suite() string {
	suite, _, _ := strings.Cut(c.ID, "/")
	return suite
}

const (
	defaultDeadline = 15 * time.Second
	defaultConns    = 4
)

func (c Case) deadline() time.Duration {
	if c.Deadline == 0 {
		return defaultDeadline
	}
	return c.Deadline
}

func (c Case) conns() int {
	if c.Conns == 0 {
		return defaultConns
	}
	return c.Conns
}

// unmet says why a run with these means does not hold this case, "" if it does.
func (c Case) unmet(tg Target, o Options) string {
	for _, n := range []struct {
		needs Needs
		given bool
		why   string
	}{
		{V1, tg.V1 != "", "no v1 address given"},
		{V2, tg.V2 != "", "no v2 address given"},
		{V1WS, tg.V1WS != "", "no v1 WebSocket address given"},
		{Key, tg.Key != "", "for servers with a shared key, and none is given"},
		{NoKey, tg.Key == "", "for servers without a shared key, and one is given"},
		{Slow, o.Slow, "takes more than 20 s: runs with --slow"},
		{Hostile, o.Hostile, "can hurt a server: runs with --hostile"},
	} {
		if c.Needs&n.needs != 0 && !n.given {
			return n.why
		}
	}
	return ""
}

// An Outcome is what came of a case.
type Outcome string

const (
	Pass Outcome = "pass"
	Fail Outcome = "fail"
	// NotRun is a case that was chosen and could not be tried.
	NotRun Outcome = "notrun"
)

func (o *Outcome) UnmarshalText(b []byte) error {
	switch s := Outcome(b); s {
	case Pass, Fail, NotRun:
		*o = s
		return nil
	}
	return fmt.Errorf("outcome %q: want pass, fail or notrun", b)
}
