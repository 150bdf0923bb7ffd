package conformance

import "slices"

// v1Cases are the cases of suite v1.
func v1Cases() []Case {
	return slices.Concat(
		v1FramingCases(),
		v1KeyCases(),
		v1SessionCases(),
	)
}
