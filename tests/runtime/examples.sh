#!/bin/bash
# SPDX-License-Identifier: MIT
# examples.sh BUILD: each mistake of runtime/examples beside its fix, under the same load. By their
# own numbers it must be at least five times as bad.
# examples.sh --run BUILD: only runs each, briefly, to its end: for builds with a sanitizer.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
times=5

brief=
if [ "${1:-}" = --run ]; then
	brief=1
	shift
fi
build=$1
failed=0

# Neighbours are of another group of processes, and should not take the CPUs away. For root only.
# shellcheck disable=SC2016
alone() {
	setsid -w sh -c '{ echo -15 >/proc/self/autogroup; } 2>/dev/null; exec "$@"' sh "$@"
}

# example NAME VARIANT [OPTION...]: what it says, a line of JSON.
example() {
	local name=$1 variant=$2
	shift 2
	[ "$variant" = - ] || set -- --variant "$variant" "$@"
	alone timeout --kill-after=5 60 "$build/examples/$name" "$@"
}

# number JSON KEY: KEY may be latency_ns.p99.
number() {
	local inner=${2#*.}
	if [ "$inner" != "$2" ]; then
		set -- "$(grep -o "\"${2%%.*}\":{[^}]*}" <<<"$1")" "$inner"
	fi
	sed -n "s/.*[{,]\"$2\":\([0-9a-z]*\)[,}].*/\1/p" <<<"$1"
}

verdict() {
	local result=$1
	shift
	printf '[ %8s ] %s\n' "$result" "$*"
	[ "$result" != "FAILED " ] || failed=$((failed + 1))
}

# at_least FACTOR WRONG FIXED
at_least() {
	[ -n "$2" ] && [ -n "$3" ] && [ "$2" -ge $(($1 * $3)) ]
}

# worse NAME VARIANT KEY...: each number KEY is much greater without the fix. Says what they are; 2: they
# cannot be compared.
worse() {
	local name=$1 variant=$2 wrong='' fixed='' key said='' result=0
	shift 2
	if ! wrong=$(example "$name" "$variant" --duration 1500ms) ||
		! fixed=$(example "$name" "$variant" --fixed --duration 1500ms) ||
		[ "$(number "$wrong" requests)" != "$(number "$fixed" requests)" ]; then
		printf '%s\n' "$name $variant" "$wrong" "$fixed"
		return 2
	fi
	[ "$(number "$fixed" deadlocked)" != true ] || result=1
	[ "$variant" != deadlock ] || [ "$(number "$wrong" deadlocked)" = true ] || result=1
	for key; do
		at_least $times "$(number "$wrong" "$key")" "$(number "$fixed" "$key")" || result=1
		said+=" $key $(number "$wrong" "$key") : $(number "$fixed" "$key")"
	done
	echo "$name $variant:$said"
	[ $result = 0 ] || printf '%s\n' "$wrong" "$fixed"
	return $result
}

# pair NAME VARIANT KEY...: one of three tries has to show it: the machine may be busy with other things.
pair() {
	local name=$1 variant=$2 said result
	if [ -n "$brief" ]; then
		result="OK"
		example "$name" "$variant" --duration 300ms >/dev/null || result="FAILED "
		example "$name" "$variant" --fixed --duration 300ms >/dev/null || result="FAILED "
		verdict "$result" "$name $variant"
		return
	fi
	for _ in 1 2 3; do
		said=$(worse "$@")
		result=$?
		[ $result = 1 ] || break
	done
	[ $result = 0 ] && result="OK" || result="FAILED "
	verdict "$result" "$said"
}

cgroup_of() {
	find /sys/fs/cgroup -maxdepth 2 -name "pollscope-example-$1" 2>/dev/null
}

# A run that is killed leaves its cgroup behind, until the next one.
killed_in_cgroup() {
	local run=("$build/examples/thread-config" --variant cgroup-quota) pid made left result
	"${run[@]}" --duration 60s >/dev/null &
	pid=$!
	for _ in {1..300}; do
		made=$(cgroup_of $pid)
		[ -z "$made" ] || break
		sleep 0.1
	done
	kill -KILL $pid
	wait $pid 2>/dev/null
	# The kernel may hold it for a moment yet.
	for _ in {1..100}; do
		"${run[@]}" --fixed --duration 1ms >/dev/null
		left=$(cgroup_of $pid)
		[ -n "$left" ] || break
		sleep 0.1
	done
	[ -n "$made" ] && [ -z "$left" ] && result="OK" || result="FAILED "
	verdict "$result" "thread-config cgroup-quota killed: ${made:-no cgroup} ${left:+is left}"
}

pair blocking-calls fsync latency_ns.p99
pair blocking-calls hash latency_ns.p99
pair blocking-calls lock latency_ns.p99
pair thread-config oversubscribed rss_bytes preempted_ns
if [ "$(nproc)" = 1 ]; then
	verdict "SKIPPED" "thread-config cgroup-quota: one CPU is no more than the quota"
elif [ "$(id -u)" = 0 ] && "$build/examples/thread-config" --variant cgroup-quota --fixed \
	--duration 1ms >/dev/null; then
	pair thread-config cgroup-quota latency_ns.p99
	[ -n "$brief" ] || killed_in_cgroup
else
	verdict "SKIPPED" "thread-config cgroup-quota: no cgroup with a quota can be made"
fi
pair thread-config pool-small latency_ns.p99 jobs_wait_p99_ns
pair thread-config pool-explosion rss_bytes most_at_once
pair tiny-tasks - latency_ns.p99 tasks
pair block-on slow latency_ns.p99
pair block-on channel latency_ns.p99
pair block-on deadlock latency_ns.p99
pair no-backpressure unbounded rss_bytes stored_p99_ns
pair no-backpressure no-timeout latency_ns.p99
pair no-backpressure no-cancel latency_ns.p99 cancel_p99_ns
[ "$failed" = 0 ]
