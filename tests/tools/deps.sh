#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh [--check] DIR GROUP...: installs what GROUP... needs and this machine lacks; with
# --check only names it. GROUP: build, test, rust, formats, bench, kernels, arm64, format. DIR is for apt's
# scratch files. Where nothing is missing it neither calls apt nor needs root.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/tools/apt-private.sh

check=
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
dir=$1/apt
shift
PATH=$PATH:/usr/sbin:/sbin
missing=() # "what (package)", for people
packages=()

# lacks WHAT PACKAGE: notes that WHAT is missing, and is in PACKAGE.
lacks() {
	missing+=("$1 (package $2)")
	packages+=("$2")
}

need_command() {
	command -v "$1" >/dev/null || lacks "$1" "$2"
}

need_header() {
	local found
	found=$(compgen -G "/usr/include/$1" || compgen -G "/usr/include/$(uname -m)-linux-gnu/$1" ||
		compgen -G "/usr/local/include/$1" || :)
	[ -n "$found" ] || lacks "$1" "$2"
}

# at_least VERSION WANTED
at_least() {
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

need_libbpf() {
	local header version=0
	for header in /usr/local/include/bpf/libbpf_version.h /usr/include/bpf/libbpf_version.h; do
		[ -e "$header" ] || continue
		version=$(sed -n 's/.*LIBBPF_M[A-Z]*_VERSION \([0-9]*\).*/\1/p' "$header" | paste -sd.)
		break
	done
	at_least "$version" 1.3 || lacks 'libbpf 1.3 or newer' libbpf-dev
	# bpftool has a libbpf of its own, which writes the skeleton: it must know what ours knows.
	version=$(bpftool version 2>/dev/null | sed -n 's/^using libbpf v//p' || :)
	at_least "${version:-0}" 1.3 || lacks 'bpftool with libbpf 1.3 or newer' bpftool
}

need_build() {
	need_command gcc gcc
	need_header stdio.h libc6-dev
	need_command clang clang
	need_libbpf
	need_header libelf.h libelf-dev
	need_header elfutils/libdw.h libdw-dev
	need_header Zydis/Zydis.h libzydis-dev
	need_header zstd.h libzstd-dev
	need_header jansson.h libjansson-dev
	need_header zlib.h zlib1g-dev
	need_header protobuf-c/protobuf-c.h libprotobuf-c-dev
	need_command protoc-c protobuf-c-compiler
	need_header libiberty/demangle.h libiberty-dev
	need_header uthash.h uthash-dev
	need_header sys/sdt.h systemtap-sdt-dev
}

need_test() {
	local runtime=
	need_header cmocka.h libcmocka-dev
	if command -v clang >/dev/null; then
		runtime=$(compgen -G "$(clang --print-resource-dir)/lib/*/libclang_rt.fuzzer*" || :)
	fi
	[ -n "$runtime" ] || lacks 'libFuzzer' libclang-rt-dev
	[ -e /usr/share/perl5/Devel/NYTProf/flamegraph.pl ] || lacks flamegraph.pl libdevel-nytprof-perl
}

# Programs on Tokio, from packages alone. A toolchain that is in PATH does as well as Debian's.
need_rust() {
	local version
	version=$(rustc --version 2>/dev/null | cut -d' ' -f2 || :)
	if ! at_least "${version:-0}" 1.63; then
		lacks 'rustc 1.63 or newer' rustc
		lacks cargo cargo
	else
		need_command cargo cargo
	fi
	[ -n "$(compgen -G '/usr/share/cargo/registry/tokio-1.*')" ] ||
		lacks "Tokio's source" librust-tokio-dev
	need_command strip binutils
	need_command flock util-linux
}

# Those who read what we export.
need_formats() {
	need_command go golang-go
	need_command npm npm
	need_command chromium chromium
}

need_bench() {
	need_command bpftrace bpftrace
}

need_kernels() {
	local qemu=qemu-system-x86_64 version
	version=$($qemu --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p' || :)
	# Debian 12's own 7.2 crashes emulated guests at random.
	at_least "${version:-0}" 10 || lacks 'QEMU 10 or newer' qemu-system-x86
	need_command busybox busybox-static
	need_command cpio cpio
}

need_arm64() {
	need_command aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
	need_command qemu-aarch64 qemu-user
}

need_format() {
	need_command clang-format clang-format
}

# offered PACKAGE: the version that the machine's apt would install.
offered() {
	apt-cache policy "$1" | sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}//p'
}

# The sources whose packages must come from the release's backports, for apt's own are too old.
backports() {
	local package
	for package in "${packages[@]}"; do
		case $package in
		# libbpf there is built with a newer elfutils than the release's: all of it moves together.
		libbpf-dev | bpftool)
			at_least "$(offered libbpf-dev)" 1.3 || echo src:libbpf src:elfutils bpftool
			;;
		qemu-system-x86) at_least "$(offered qemu-system-x86)" 10 || echo src:qemu src:seabios ;;
		esac
	done | sort -u | paste -sd' '
}

# quietly COMMAND ARG...: its output is shown only if it fails.
quietly() {
	mkdir -p "$dir"
	"$@" >"$dir/log" 2>&1 </dev/null || {
		cat "$dir/log" >&2
		return 1
	}
}

install() {
	local suite from_backports extra=()
	export DEBIAN_FRONTEND=noninteractive
	echo "deps: installing ${packages[*]}"
	quietly apt-get -q update || echo 'deps: going on with the package lists there are' >&2
	from_backports=$(backports)
	if [ -z "$from_backports" ]; then
		# A machine that has just booted may be installing something of its own.
		quietly apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends \
			"${packages[@]}"
		return
	fi
	suite=$(private_apt_codename)-backports
	case $from_backports in
	*libbpf*)
		echo "deps: libbpf $(offered libbpf-dev) is all that apt offers: taking libbpf, bpftool and" \
			"elfutils from $suite, this once (apt's own sources stay as they are)"
		# Those there of the release's version have to move too.
		extra=(libbpf-dev bpftool libelf-dev libdw-dev)
		;;
	*) echo "deps: taking QEMU from $suite, this once (apt's own sources stay as they are)" ;;
	esac
	mkdir -p "$dir"
	printf 'Package: %s\nPin: release n=%s\nPin-Priority: 990\n' "$from_backports" "$suite" \
		>"$dir/preferences"
	private_apt_setup "$dir" "$suite"
	quietly private_apt "$dir" apt-get -q -y install --no-install-recommends "${packages[@]}" \
		"${extra[@]}"
	rm -rf "$dir"
}

for group; do
	"need_$group"
done
[ ${#packages[@]} -gt 0 ] || exit 0

list=$(printf '%s, ' "${missing[@]}")
if [ -n "$check" ]; then
	echo "missing: ${list%, }; \`sudo make deps\` installs what is missing" >&2
	exit 1
elif ! command -v apt-get >/dev/null; then
	echo "missing: ${list%, }; there is no apt-get here: install them your own way" >&2
	exit 1
elif [ "$(id -u)" != 0 ]; then
	echo "missing: ${list%, }; run \`sudo make deps\`" >&2
	exit 1
fi
install
# Only what is really there now counts: apt may have had no newer version to give.
exec "$0" --check "${dir%/apt}" "$@"
