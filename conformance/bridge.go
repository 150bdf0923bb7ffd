package conformance

import "slices"

// bridgeCases are the cases of suite bridge, which hold for a server of both
// dialects.
func bridgeCases() []Case {
	return slices.Concat(
		bridgeDeedCases(),
		bridgeLiveCases(),
		bridgeNoticeCases(),
		bridgeHeaderCases(),
		bridgeBodyCases(),
		bridgeNameCases(),
		bridgeSizeCases(),
		bridgeHistoryCases(),
		bridgeJoinsCases(),
		bridgeOrderCases(),
		bridgeIdentityCases(),
		bridgeResyncCases(),
		bridgeLeaveCases(),
		bridgeMoreCases(),
	)
}
