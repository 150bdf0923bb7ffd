// Package conformance will hold any Mles implementation to the protocol: cases,
// vectors, a runner and reports, which speak literal bytes and import none of the
// project's codecs. It is empty so far.
package conformance
