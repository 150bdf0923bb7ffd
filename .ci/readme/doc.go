// Package readme holds README.md and docs to what the programs do: it runs every command there, as somebody would who has
// just cloned the repository, compares the tables with what the programs say of themselves, and provokes the troubles that
// docs/operations.md tells how to end. It has no code of its own
// outside its tests, which need the build tag readme:
//
//	go test -tags readme -count=1 -v ./.ci/readme/
//
// In the order of use: a [document] is one of these files, taken apart; a [clone] is a fresh clone of what is committed, with the
// programs installed from it; a [stage] is a machine of the clone's user, a network namespace and a home of its own; a
// [scene] plays the blocks of shell that belong together. A block without a scene is a failure, as is a scene for a block
// that its document does not have. docs/migration.md is played by .ci/interop.
//
// It runs as root on Linux, with iproute2, git and bash. Nothing is downloaded: the modules must be there.
package readme
