#!/bin/bash
# SPDX-License-Identifier: MIT
# fetch.sh DIR: Debian's arm64 libraries that pollscope and its tests are linked with, and all that they
# depend on, unpacked into DIR/sysroot if it is not there. Nothing is installed, and the machine's apt sources
# stay as they are.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/tools/apt-private.sh
mkdir -p "$1"
dir=$(cd "$1" && pwd)
packages=(libc6-dev libbpf-dev libelf-dev libdw-dev libzydis-dev libzstd-dev libjansson-dev zlib1g-dev
	libprotobuf-c-dev libiberty-dev libcmocka-dev uthash-dev systemtap-sdt-dev)

[ ! -e "$dir/sysroot" ] || exit 0
suite=$(private_apt_codename)-backports
private_apt_setup "$dir/apt" "$suite"
# As on the machine itself (tests/tools/deps.sh): the release's libbpf may be too old.
printf 'Package: src:libbpf src:elfutils\nPin: release n=%s\nPin-Priority: 990\n' "$suite" >"$dir/apt/preferences"
: >"$dir/apt/status"
arm64=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::status="$dir/apt/status")
private_apt "$dir/apt" apt-get -qq "${arm64[@]}" update
private_apt "$dir/apt" apt-get -qq -y "${arm64[@]}" --no-install-recommends --download-only install "${packages[@]}"
rm -rf "$dir/unpacked"
for deb in "$dir"/apt/archives/*.deb; do
	dpkg-deb -x "$deb" "$dir/unpacked"
done
rm -rf "$dir/apt"
mv "$dir/unpacked" "$dir/sysroot"
