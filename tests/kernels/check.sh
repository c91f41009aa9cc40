#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh BUILD: runs guest.sh with what is built under BUILD on Debian's kernels of other
# releases, each booted in QEMU, and closes with the number of tests passed and failed. Kernels
# are kept in BUILD/kernels.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
build=$1
logs=$build/logs/kernels
# Emulated, everything takes some ten times as long, and more where others want the CPUs too.
limit=1000
rm -rf "$logs"
mkdir -p "$logs"
. tests/tools/runner.sh
live=yes

if [ "$(uname -m)" != x86_64 ]; then
	skip 1 kernels "only x86-64 ones are booted, and this is $(uname -m)"
	passed=1
	summary
	exit
fi

PATH=$PATH:/usr/sbin:/sbin
files=(-f "$(command -v bpftool):/bin/bpftool" -f tests/kernels/guest.sh:/guest.sh
	-f vmlinux/vmlinux.h:/build/vmlinux.h)
for file in "$build"/pollscope "$build"/examples/* "$build"/tests/check_vmlinux \
	"$build"/vmlinux/types.o "$build"/bpf/pollscope.o \
	"$build"/tests/e2e/test_{smoke,tokio_smoke,unwind_smoke} "$build"/tests/e2e/targets/* \
	"$build"/tokio/static-pie/*; do
	[ ! -f "$file" ] || files+=(-f "$file:/build/${file#"$build"/}")
done

# Debian 12's 6.1 is the oldest that is tested, Debian 13's 6.12 has what 6.1 lacks.
for suite in bookworm trixie; do
	if ! kernel=$(tests/kernels/fetch.sh "$build/kernels" "$suite" 2>"$logs/fetch-$suite.log"); then
		tail -n 5 "$logs/fetch-$suite.log" | sed 's/^/      | /'
		fail 1 "kernel of $suite" 'could not be fetched'
		continue
	fi
	run "${kernel##*/vmlinuz-}" tests/kernels/run-in-kernel.sh -t "$((limit - 20))" "${files[@]}" \
		"$kernel" 'sh /guest.sh'
done
summary
