#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs inside a guest (busybox's shell), with the build at /build. Its own checks print lines like
# cmocka's, which is what the runner on the other side counts.
failed=0
export POLLSCOPE_BUILD=/build NO_COLOR=1
uname -srm

# check NAME COMMAND ARG...
check() {
	name=$1
	shift
	echo "[ RUN      ] $name"
	if "$@"; then
		echo "[       OK ] $name"
	else
		echo "[  FAILED  ] $name"
		failed=1
	fi
}

check vmlinux_matches_this_kernel /build/tests/check_vmlinux /build/vmlinux.h /build/vmlinux/types.o
check programs_load bpftool prog loadall /build/bpf/pollscope.o /sys/fs/bpf/load_test
check pollscope_starts /build/pollscope --version
check doctor_looks_around /build/pollscope doctor
for program in /build/tests/e2e/test_*; do
	[ -x "$program" ] || continue
	echo "== $program"
	"$program" || failed=1
done
exit "$failed"
