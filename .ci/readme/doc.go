// Package readme holds README.md to what the programs do: it runs every command there, as somebody would who has just
// cloned the repository, and compares the tables with what the programs say of themselves. It has no code of its own
// outside its tests, which need the build tag readme:
//
//	go test -tags readme -count=1 -v ./.ci/readme/
//
// In the order of use: a [document] is README.md, taken apart; a [clone] is a fresh clone of what is committed, with the
// programs installed from it; a [stage] is a machine of the clone's user, a network namespace and a home of its own; a
// [scene] plays the blocks of shell that belong together. A block without a scene is a failure, as is a scene for a block
// that README.md does not have.
//
// It runs as root on Linux, with iproute2, git and bash. Nothing is downloaded: the modules must be there.
package readme
