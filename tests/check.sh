#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh BUILD: runs every test that `make check` has built under BUILD, one line for each
# program, and closes with the number of tests passed and failed. Logs: BUILD/logs. CI=true runs
# the long ones for longer, and counts being unable to run the end-to-end tests as a failure.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
build=$1
logs=$build/logs
rm -rf "$logs"
mkdir -p "$logs"
export POLLSCOPE_BUILD
POLLSCOPE_BUILD=$(cd "$build" && pwd)
# A hanging test is told from a slow one by these; programs under a sanitizer are slow.
limit=600
stress_seconds=10 fuzz_seconds=10
if [ "${CI:-}" = true ]; then
	stress_seconds=60 fuzz_seconds=20
fi
# Sanitizers end a program with this status at the first report.
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

. tests/tools/runner.sh

# ThreadSanitizer of older compilers cannot live with the address randomization of newer kernels.
fixed_addresses=()
! setarch -R true 2>/dev/null || fixed_addresses=(setarch -R)

# group DIR SOURCE...: runs DIR's program of each test source.
group() {
	local dir=$1 source name
	shift
	for source; do
		name=${source##*/}
		name=${name%.c}
		run "${dir#"$build"/}/$name" "${wrapper[@]}" "$dir/$name"
	done
}

shopt -s nullglob
wrapper=()
group "$build/asan/tests/unit" tests/unit/test_*.c
group "$build/asan/tests/runtime" tests/runtime/test_*.c
wrapper=("${fixed_addresses[@]}")
# But for those that are one thread.
for source in tests/runtime/test_*.c; do
	[[ $source == */test_interleave_* ]] || group "$build/tsan/tests/runtime" "$source"
done
wrapper=()
if [ -e tests/runtime/stress.c ]; then
	run asan/tests/runtime/stress "$build/asan/tests/runtime/stress" 5
	run tsan/tests/runtime/stress "${fixed_addresses[@]}" "$build/tsan/tests/runtime/stress" \
		"$stress_seconds"
fi
run runtime/GUIDE.md "$build/asan/tests/runtime/guide"
run examples tests/runtime/examples.sh "$build"
run asan/examples tests/runtime/examples.sh --run "$build/asan"
run tsan/examples "${fixed_addresses[@]}" tests/runtime/examples.sh --run "$build/tsan"
for source in tests/fuzz/fuzz_*.c; do
	name=${source##*/}
	name=${name%.c}
	mkdir -p "$build/corpus/$name"
	seeds=()
	[ ! -d "tests/fuzz/$name" ] || seeds=("tests/fuzz/$name")
	# The same inputs each time: whoever explores further chooses another seed.
	run "fuzz/$name" "$build/fuzz/tests/fuzz/$name" -seed=1 -max_total_time="$fuzz_seconds" \
		-rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$logs/" \
		"$build/corpus/$name" "${seeds[@]}"
done
run check-vmlinux "$build/tests/check_vmlinux" vmlinux/vmlinux.h "$build/vmlinux/types.o"

e2e=(tests/e2e/test_*.c)
if [ ${#e2e[@]} = 0 ]; then
	:
elif [ "$(id -u)" = 0 ]; then
	live=yes
	group "$build/tests/e2e" "${e2e[@]}"
elif [ "${CI:-}" = true ]; then
	fail ${#e2e[@]} "${#e2e[@]} end-to-end programs" 'they need root'
else
	skip ${#e2e[@]} "${#e2e[@]} end-to-end programs" 'they need root (sudo make check)'
fi
summary
