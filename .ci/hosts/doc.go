// Package hosts has programs run on hosts of their own, for the tests beside this folder: network namespaces in which
// fixed ports collide with nothing, and from which nothing outside is reached. It needs root, on Linux, with iproute2.
//
// In the order of use: a [Host] is a network namespace; a [Program] is a process on a host, in pipes or on a terminal,
// with what it printed; a [Certificate] is for a server on a host. Everything ends with the test that made it, also
// when that is killed.
package hosts
