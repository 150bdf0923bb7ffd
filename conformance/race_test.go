//go:build race

package conformance

// slowness is how much longer everything may take under the race detector.
const slowness = 5
