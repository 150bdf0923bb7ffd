// Package restart restarts a gateway under load and holds it to what docs/operations.md promises to clients that reconnect
// as told there: after SIGTERM they miss nothing that anybody has got, after SIGKILL nothing that was saved, what came is in
// order, and nobody waits for more than 5 s. It has no code outside its tests, which need the build tag restart and start mlesd as
// a child process, by itself and with sockets as systemd passes them:
//
//	go test -tags restart -count=1 -v ./.ci/restart/           # three restarts each
//	go test -tags restart -count=1 -v -short ./.ci/restart/    # one each, for CI
//
// A [gateway] is one mlesd after the other at the same addresses; a [client] is a member on one of the dialects that talks all
// the time, comes back as documented, and keeps what it has got.
package restart
