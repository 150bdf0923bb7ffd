package conformance

import "slices"

// v1wsCases are the cases of suite v1ws: v1 over WebSocket alone, and between it
// and the other dialects. Hostile ones are last.
func v1wsCases() []Case {
	return slices.Concat(
		v1wsOpeningCases(),
		v1wsJoinCases(),
		v1wsDecodeCases(),
		v1wsMessageCases(),
		v1wsFrameCases(),
		v1wsControlCases(),
		v1wsChannelCases(),
		v1wsHistoryCases(),
		v1wsNameCases(),
		v1wsLimitCases(),
		v1wsLeaveCases(),
		v1wsDeedCases(),
		v1wsHeaderCases(),
		v1wsBetweenCases(),
		v1wsSlowCases(),
		v1wsHostileCases(),
	)
}
