#!/usr/bin/env bash
# Installs the reference programs that the interop run starts (.ci/interop), where they are not there yet.
#
#   references.sh [DIR]      DIR: default $MLES_REFS, else ~/.cache/mles-refs
#
# The layout is DIR/{v1,v1c,v2,v2c,wp,wc}/bin. With nothing to do it needs neither cargo nor a network. What cannot be
# installed is one line on stderr that names it and its log, and exit 1.
set -euo pipefail

dir=${1:-${MLES_REFS:-$HOME/.cache/mles-refs}}

fail() {
	echo "references.sh: $*" >&2
	exit 1
}

# installed FOLDER CRATE VERSION BINARY: cargo's own record names this version, and the program is there.
# An empty version is any version.
installed() {
	[ -x "$dir/$1/bin/$4" ] && grep -q "^\"$2 $3" "$dir/$1/.crates.toml" 2>/dev/null
}

# reference FOLDER CRATE VERSION BINARY [CARGO-FLAG…]
reference() {
	local folder=$1 crate=$2 version=$3 binary=$4 log="$dir/$1.log"
	shift 4
	installed "$folder" "$crate" "$version" "$binary" && return
	command -v cargo >/dev/null || fail "$crate $version is not in $dir/$folder and cargo is not installed"
	echo "installing $crate $version into $dir/$folder"
	cargo install --root "$dir/$folder" "$crate${version:+@$version}" --force "$@" >"$log" 2>&1 ||
		fail "could not install $crate $version: $(grep -m1 '^error' "$log" || tail -n1 "$log") (log: $log)"
	installed "$folder" "$crate" "$version" "$binary" ||
		fail "cargo installed $crate $version without the program $binary (log: $log)"
}

mkdir -p "$dir" 2>/dev/null || fail "cannot make the folder $dir"
reference v1  mles          1.1.7 mles
reference v1c mles-client   1.1.7 mles-client
reference v2  mles          2.9.4 mles --locked
reference v2c mles-client   2.2.0 mles-client
reference wp  mles-webproxy 0.8.8 mles-webproxy --locked
reference wc  websocat      ''    websocat
echo "reference programs: $dir"
