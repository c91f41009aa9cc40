#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh BUILD TEST...: runs what was built for arm64 under BUILD, each program emulated by itself, with the
# libraries of BUILD/sysroot; closes with the number of tests passed and failed.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
build=$1
shift
logs=$build/logs
limit=600
rm -rf "$logs"
mkdir -p "$logs"
. tests/tools/runner.sh
live=yes

run arm64/pollscope qemu-aarch64 -L "$build/sysroot" "$build/pollscope" --version
for program; do
	run "arm64/${program#"$build"/}" qemu-aarch64 -L "$build/sysroot" "$program"
done
summary
