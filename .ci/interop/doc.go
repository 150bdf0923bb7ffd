// Package interop runs the gateway's two programs, mlesd and mlesctl, against the reference programs of the field,
// unchanged: mles 1.1.7 and 2.9.4, mles-client 1.1.7 and 2.2.0, mles-webproxy 0.8.8 and websocat. It has no code of its
// own outside its tests, which need the build tag interop:
//
//	.ci/references.sh
//	go -C .ci/interop test -tags interop -count=1
//
// In the order of use: a [host] is a network namespace, so that programs with fixed ports can run side by side; a
// [program] is a process on a host with what it printed; a [v1Client] and a [wsClient] are raw clients that speak
// literal bytes, encoded here and not by our own packages, which are what is being judged. Each scenario says with one
// log line what it proved, and checks the content that arrived, in both directions.
package interop
