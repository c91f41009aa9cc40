#!/bin/bash
# SPDX-License-Identifier: MIT
# build.sh OUT VARIANT: builds programs of this folder in one of the ways in which people build
# theirs, as OUT/VARIANT/PROGRAM. Crates come from packages of Debian, never from the network's
# registry: those installed here, or, for the variants that begin with "new", newer.sh's. Where
# those cannot be had OUT/VARIANT/skipped says why; with CI=true that is an error.
#
# CARGO and RUSTC name the tools (cargo, and what it finds).
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
variant=$2
cargo=${CARGO:-cargo}
# What the caller's environment would change.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR MAKEFLAGS MFLAGS

# crate NAME REGISTRY: makes $crate the package here, with crates of the directory REGISTRY.
crate() {
	crate=$out/crates/$1
	export CARGO_HOME=$out/crates/$1/home
	mkdir -p "$crate/.cargo" "$CARGO_HOME"
	ln -sfn "$here/Cargo.toml" "$crate/Cargo.toml"
	ln -sfn "$here/src" "$crate/src"
	ln -sfn "$here/examples" "$crate/examples"
	printf '[source.crates-io]\nreplace-with = "packages"\n[source.packages]\ndirectory = "%s"\n' \
		"$2" >"$crate/.cargo/config.toml"
}

# compile PROFILE PROGRAM [RUSTC-OPTION...]: one program, as OUT/VARIANT/PROGRAM.
compile() {
	local profile=$1 program=$2 kind=--bin file=$2 folder=$1
	shift 2
	[ "$profile" != dev ] || folder=debug
	case $program in
	plugin) kind=--example file=examples/libplugin.so ;;
	kinds) kind=--example file=examples/kinds ;;
	esac
	# Another variant's options make another file of the same name.
	(
		flock 9
		cd "$crate"
		# It is made anew in no time, and right after an update of the packages.
		rm -f Cargo.lock
		"$cargo" rustc --quiet --offline --profile "$profile" $kind "$program" -- "$@"
		cp -f "target/$folder/$file" "$out/$variant/"
	) 9>"$crate/lock-$profile"
}

# take_from VARIANT STRIP-OPTION: copies of the programs of another variant.
take_from() {
	local program
	for program in "$out/$1"/*; do
		case $program in
		*/built | *.so) ;;
		*/skipped) cp "$program" "$out/$variant/" ;;
		*) strip "$2" -o "$out/$variant/${program##*/}" "$program" ;;
		esac
	done
}

# newer: makes $crate the one with the newer Tokio; what is in the way is said.
newer() {
	local found reason
	if found=$("$here/newer.sh" "$out/newer" 2>"$out/$variant/log"); then
		read -r registry toolchain <<<"$found"
		if [ "$toolchain" != - ]; then
			cargo=$toolchain/bin/cargo
			export RUSTC=$toolchain/bin/rustc LD_LIBRARY_PATH=$toolchain/lib/x86_64-linux-gnu
		fi
		crate newer "$registry"
		return
	fi
	reason=$(tail -n 1 "$out/$variant/log")
	echo "tests/tokio: no newer Tokio: $reason" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "no newer Tokio: $reason" >"$out/$variant/skipped"
	exit 0
}

rm -rf "${out:?}/$variant"
mkdir -p "$out/$variant"
case $variant in
new*) ;;
*) crate installed /usr/share/cargo/registry ;;
esac
case $variant in
release)
	for program in "$here"/src/bin/*; do
		program=${program##*/}
		compile release "${program%.rs}"
	done
	compile release plugin
	;;
fat)
	compile fat mix
	compile fat echo
	compile fat awaits
	;;
abort | dev) compile "$variant" mix ;;
size)
	compile size mix
	compile size awaits
	;;
v0)
	compile release mix -C symbol-mangling-version=v0
	strip -g "$out/$variant/mix"
	;;
static-pie)
	compile release mix -C target-feature=+crt-static
	strip "$out/$variant/mix"
	;;
non-pie)
	compile release mix -C relocation-model=static
	strip "$out/$variant/mix"
	;;
large)
	compile large kinds
	strip "$out/$variant/kinds"
	;;
symbols) take_from release -g ;;
stripped) take_from release -s ;;
fat-stripped) take_from fat -s ;;
separate)
	take_from release -s
	objcopy --only-keep-debug "$out/release/mix" "$out/$variant/mix.debug"
	(cd "$out/$variant" && objcopy --add-gnu-debuglink=mix.debug mix)
	;;
new)
	newer
	compile release mix
	compile release awaits
	;;
new-fat-stripped)
	newer
	compile fat mix
	strip "$out/$variant/mix"
	;;
*)
	echo "build.sh: no variant $variant" >&2
	exit 1
	;;
esac
touch "$out/$variant/built"
