package conformance

import "slices"

// v2Cases are the cases of suite v2.
func v2Cases() []Case {
	return slices.Concat(
		v2HelloCases(),
		v2MessageCases(),
	)
}
