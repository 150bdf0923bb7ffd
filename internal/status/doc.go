// Package status is what a gateway tells its operator: who is on which channel, and who
// has used which dialect. [Source] answers it over HTTP on the admin listener, as JSON in
// the shape of [Document] and [SeenDocument], which docs/status.md describes; mlesctl
// reads the same types.
//
// Names in the JSON are never taken away or given another meaning; there may be more of
// them later.
package status
