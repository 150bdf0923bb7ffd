package seen

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets no goroutine outlive the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
