package conformance

import "slices"

// v1Cases are the cases of suite v1. Hostile ones run in this order; the one that
// ends mles 1.1.7 is the last.
func v1Cases() []Case {
	return slices.Concat(
		v1FramingCases(),
		v1FaultCases(),
		v1KeyCases(),
		v1AddressCases(),
		v1DecodeCases(),
		v1SessionCases(),
		v1TwinCases(),
		v1ForwardCases(),
		v1HistoryCases(),
		v1LeaveCases(),
		v1NameCases(),
		v1ResyncCases(),
		v1ResyncBodyCases(),
		v1MoreCases(),
		v1SlowCases(),
		v1HostileCases(),
	)
}
