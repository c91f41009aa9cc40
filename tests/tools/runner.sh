# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: runs test programs, one line for each, and sums up their tests. Set before: logs (a
# folder) and limit (seconds that one program may take); live=yes before programs that watch live
# processes beside strangers' on the same CPUs, or are emulated.
live=no
# So many of these may fail once, which is told.
retries=${RETRIES:-2} again=()
passed=0 failed=0 skipped=0

# count_tests LOG STATUS: adds the program's tests to the sums; a program without cmocka's lines
# is one test. Leaves what to say of them in $tests.
count_tests() {
	local ok bad skip
	ok=$(grep -ac '^\[       OK \] ' "$1")
	skip=$(sed -n 's/^\[  SKIPPED \] //p' "$1" | grep -av ' test(s)' | sort -u | wc -l)
	bad=$(sed -n 's/^\[  FAILED  \] //p' "$1" | grep -av ' test(s)' | sort -u | wc -l)
	if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	elif [ "$2" = 0 ] && [ $((ok + skip)) = 0 ]; then
		ok=1
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	tests="$ok"
	[ "$skip" = 0 ] || tests+=", $skip skipped"
	[ "$bad" = 0 ] || tests+=", $bad FAILED"
}

# attempt NAME PROGRAM ARG...: runs it; leaves $log, $status and how many $seconds it took.
attempt() {
	local start=$EPOCHREALTIME
	log=$logs/${1//\//-}.log
	timeout --kill-after=10 "$limit" "${@:2}" >"$log" 2>&1 </dev/null
	status=$?
	seconds=$((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}))e-6
}

# tell VERDICT NAME WHAT: a line for what was run, and more if that has failed.
tell() {
	printf '  %-5s %-38s %6.1f s  %s\n' "$1" "$2" "$seconds" "$3"
	[ "$status" != 0 ] || return 0
	[ "$status" != 124 ] || echo "        ran into the limit of $limit s"
	# What failed, in a log too long for its end to show it.
	head -n -25 "$log" | grep -aE '^\[  (ERROR|FAILED) |ERROR: |WARNING: |SUMMARY: |runtime error: ' |
		head -n 20 | sed 's/^/        /'
	tail -n 25 "$log" | sed 's/^/      | /'
	echo "        whole log: $log (status $status)"
}

# run NAME PROGRAM ARG...
run() {
	local log status seconds tests
	attempt "$@"
	if [ "$status" != 0 ] && [ "$live" = yes ] && [ ${#again[@]} -lt "$retries" ]; then
		again+=("$1")
		mv "$log" "$log.first"
		log+=.first
		tell FAIL "$1" 'is run once more'
		attempt "$@"
	fi
	count_tests "$log" "$status"
	tell "$([ "$status" = 0 ] && echo ok || echo FAIL)" "$1" "$tests"
}

# skip COUNT WHAT WHY
skip() {
	echo "  skip  $2: $3"
	skipped=$((skipped + $1))
}

# fail COUNT WHAT WHY
fail() {
	echo "  FAIL  $2: $3"
	failed=$((failed + $1))
}

# The closing line. Fails if a test did, or if there was none.
summary() {
	local line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || line+=", $skipped skipped"
	[ ${#again[@]} = 0 ] || echo "run once more, having failed: ${again[*]}"
	echo "$line"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
