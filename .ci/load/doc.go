// Package load holds the gateway to its bounds under load and hostility: memory, file descriptors, order, and service to
// those who behave, while others do not. It has no code of its own outside its tests, which need the build tag load and
// start mlesd as a child process:
//
//	go test -tags load -count=1 -v ./.ci/load/           # the whole load run, some minutes
//	go test -tags load -count=1 -v -short ./.ci/load/    # the same cases, smaller, for CI
//
// In the order of use: a [daemon] is a running mlesd with its log, its memory and its metrics; a [client] is a member on
// either dialect that speaks literal bytes, encoded here and not by our own packages, which are what is being judged; a
// [pair] is two honest members, one on each dialect, who talk all the time while something bad happens and check every
// byte. Each case prints its figures in one line. Times are reported, and asserted of a [siege] alone.
//
// mlesd is built with one file more, testdata/hook.go, which lets a test ask for a garbage collection and for profiles
// over a Unix socket. LOAD_RACE=1 builds it with the race detector, and does not judge memory; LOAD_PROFILES=DIR has the
// idle cases leave heap and goroutine profiles there; LOAD_TRACE=DIR has the cases of hostility report memory each second
// and leave profiles for each.
package load
