#!/bin/bash
# SPDX-License-Identifier: MIT
# newer.sh DIR: finds a newer Tokio than the release's, and a compiler that is new enough for it;
# what is missing is fetched into DIR from packages of Debian, and nothing is installed. Prints the
# folder of the crates, and the compiler's (bin/cargo, bin/rustc, lib); "-": those in PATH do.
#
# CARGO and RUSTC name the tools in PATH.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/tools/apt-private.sh
# The newest first. What is being uploaded there may not fit together today.
suites='sid trixie'
crates='tokio|bytes|libc|mio|pin-project-lite|socket2'
mkdir -p "$1"
dir=$(cd "$1" && pwd)

# unpack DIR COMMAND...: lays the files of the packages that COMMAND downloads into DIR.
unpack() {
	local to=$1 package
	shift
	rm -rf "$to.part"
	mkdir -p "$to.part/debs"
	(cd "$to.part/debs" && "$@") || return
	for package in "$to.part"/debs/*.deb; do
		dpkg -x "$package" "$to.part" || return
	done
	rm -rf "$to.part/debs" "$to"
	mv "$to.part" "$to"
}

# inst COMMAND...: what a simulated installation would install.
inst() {
	"$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# fetch_crates SUITE: Tokio and the crates that it is built with; no other that it names.
fetch_crates() {
	local packages
	packages=$(inst private_apt "$dir/apt" apt-get -s -o Dir::State::status=/dev/null install \
		--no-install-recommends "librust-tokio-dev/$1" | grep -E "^librust-($crates)(-[0-9.]+)?-dev\$")
	# shellcheck disable=SC2086 # words
	unpack "$dir/$1" private_apt "$dir/apt" apt-get -qq download $packages
}

# wants REGISTRY: the oldest compiler that all crates there work with.
wants() {
	sed -n 's/^rust-version = "\(.*\)"/\1/p' "$1"/*/Cargo.toml | sort -V | tail -n 1
}

# at_least VERSION WANTED
at_least() {
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

rustc_version() {
	"$@" --version 2>/dev/null | cut -d' ' -f2 || :
}

fetch_compiler() {
	local packages
	# Only what this machine lacks: the rest is found where it is.
	packages=$(inst apt-get -s install --no-install-recommends rustc-web cargo-web)
	# shellcheck disable=SC2086 # words
	unpack "$dir/compiler" apt-get -qq download $packages
}

# usable SUITE: whether its crates are there, and fit together.
usable() {
	local registry=$dir/$1/usr/share/cargo/registry trial=$dir/trial
	[ -d "$registry" ] || return
	rm -rf "$trial"
	mkdir -p "$trial/.cargo"
	cp tests/tokio/Cargo.toml "$trial/"
	ln -s "$PWD/tests/tokio/src" "$PWD/tests/tokio/examples" "$trial/"
	printf '[source.crates-io]\nreplace-with = "p"\n[source.p]\ndirectory = "%s"\n' "$registry" \
		>"$trial/.cargo/config.toml"
	(cd "$trial" && CARGO_HOME=$trial "${CARGO:-cargo}" generate-lockfile --offline --quiet)
}

exec 9>"$dir/lock"
flock 9
{
	found=
	for suite in $suites; do
		if ! [ -d "$dir/$suite" ]; then
			# shellcheck disable=SC2086 # words
			[ -e "$dir/apt/sources.list" ] || private_apt_setup "$dir/apt" $suites
			fetch_crates "$suite" || continue
		fi
		if usable "$suite"; then
			found=$suite
			break
		fi
	done
	if [ -z "$found" ]; then
		# Next time with new lists.
		rm -rf "$dir/apt"
		echo "none of $suites can be fetched and built"
		exit 1
	fi
	registry=$dir/$found/usr/share/cargo/registry
	wanted=$(wants "$registry")
	toolchain=-
	if ! at_least "$(rustc_version "${RUSTC:-rustc}")" "$wanted"; then
		toolchain=$dir/compiler/usr
		[ -d "$toolchain" ] || fetch_compiler
		version=$(LD_LIBRARY_PATH=$toolchain/lib/x86_64-linux-gnu \
			rustc_version "$toolchain/bin/rustc")
		if ! at_least "$version" "$wanted"; then
			echo "it wants rustc $wanted; there is none"
			exit 1
		fi
	fi
} >&2
echo "$registry $toolchain"
