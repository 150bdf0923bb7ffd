// Package acme is the gateway with a real ACME server, letsencrypt/pebble: what a domain's owner would notice, from an
// empty cache folder on. It is a module of its own, so that pebble is no dependency of the gateway.
//
//	go -C .ci/acme test -parallel 8
//
// Each test has a loopback address of its own, with fixed ports on it, a pebble, and a name server that sends every name
// there. That needs Linux, where all of 127.0.0.0/8 is loopback.
package acme
