// Package packages is what people install: it makes a release as goreleaser does, and holds what comes out to what an
// administrator would notice. The deb lives on a Debian of its own with systemd as first process (systemd-nspawn), from
// its installation to its purge; manual pages, completions, the rpm, the image's Dockerfile and the compose file are each
// tried by what reads them. Two releases from two folders must be the same to the byte.
//
//	.ci/packages/tools.sh
//	go -C .ci/packages test
//
// The release is of what is committed. It is for the system that the tests run on alone, which must be Debian, as root.
package packages
