package conformance

import (
	"testing"
	"time"

	"mles/conformance/internal/scripted"
)

// scriptedTarget starts a scripted server.
func scriptedTarget(t *testing.T, rules *scripted.Rules, key string) Target {
	t.Helper()
	s, err := scripted.Start(rules, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return Target{V1: s.V1(), V2: s.V2(), Key: key}
}

// The scripted server is right as long as nothing is changed in it.
func TestScriptedServerPassesEveryCase(t *testing.T) {
	for name, key := range map[string]string{"with a key": "swordfish", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allPass(t, scriptedTarget(t, scripted.Correct(), key), Options{Timeout: 10 * time.Second, Hostile: true})
		})
	}
}
