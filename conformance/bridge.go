package conformance

import "slices"

// bridgeCases are the cases of suite bridge, which hold for a server of both
// dialects.
func bridgeCases() []Case {
	return slices.Concat(
		bridgeLiveCases(),
	)
}
