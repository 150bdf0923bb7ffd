package conformance

import "slices"

// v2Cases are the cases of suite v2.
func v2Cases() []Case {
	return slices.Concat(
		v2OpeningCases(),
		v2HelloCases(),
		v2RefusedCases(),
		v2AuthCases(),
		v2MessageCases(),
		v2UTF8Cases(),
		v2FrameCases(),
		v2LimitCases(),
		v2ControlCases(),
		v2CloseCases(),
		v2HistoryCases(),
		v2DuplicateCases(),
		v2LeaveCases(),
		v2MoreCases(),
		v2SlowCases(),
		v2HostileCases(),
	)
}
