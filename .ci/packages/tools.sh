#!/usr/bin/env bash
# Installs what the tests of the packages need and what takes longer: goreleaser, and a Debian with systemd as a tar file.
# With nothing to do it needs no network.
#
#   tools.sh [DIR]      DIR: default $MLES_TOOLS, else ~/.cache/mles-tools
set -euo pipefail

dir=${1:-${MLES_TOOLS:-$HOME/.cache/mles-tools}}
# The last one whose nfpm can be had from the module proxy as a whole.
goreleaser=v2.15.0
debian=bookworm

mkdir -p "$dir"
if ! { [ -x "$dir/goreleaser" ] && go version -m "$dir/goreleaser" | grep -q "goreleaser/v2[[:space:]]$goreleaser"; }; then
	echo "installing goreleaser $goreleaser into $dir"
	GOBIN=$dir GOFLAGS='' go install "github.com/goreleaser/goreleaser/v2@$goreleaser"
fi
if [ ! -s "$dir/$debian.tar" ]; then
	echo "installing Debian $debian into $dir"
	mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus "$debian" "$dir/$debian.part.tar"
	mv "$dir/$debian.part.tar" "$dir/$debian.tar"
fi
echo "tools: $dir"
