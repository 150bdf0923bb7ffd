package conformance

import "slices"

// Cases returns all cases, in the order of their suites. The slice is the
// caller's.
func Cases() []Case { return slices.Concat(v1Cases(), v2Cases(), v1wsCases(), bridgeCases()) }
