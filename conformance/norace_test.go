//go:build !race

package conformance

const slowness = 1
