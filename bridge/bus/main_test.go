package bus

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain tunes rapid for this package (the command line still decides) and
// lets no goroutine outlive the tests.
func TestMain(m *testing.M) {
	checks := "1500"
	if raceEnabled {
		checks = "200"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
