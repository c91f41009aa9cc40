#!/bin/bash
# SPDX-License-Identifier: MIT
# bench.sh BUILD: what tracing costs, against the goals set for it. A goal that is missed is said
# and no failure: machines differ. A measurement that cannot be right (a probe that does not fire, a
# wrong count) is one. ROUNDS, SECONDS_FLAT (defaults below) change how long it takes.
#
# What a poll costs is measured in rounds. In each, every variant of the same loop runs on the same
# CPU, while the others wait; so what disturbs the machine disturbs all of them. A turn is long
# enough that what the other variants did to the caches does not count.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
rounds=${ROUNDS:-100} turn=20000 flat_seconds=${SECONDS_FLAT:-10}
pace_ms=5000 pace_rate=100000
pollscope=$build/pollscope
loop=$build/tests/bench/poll_loop
PATH=$PATH:/usr/sbin:/sbin

declare -A pid in out asked
stop_all() {
	local name
	for name in "${!pid[@]}"; do
		kill "${pid[$name]}" 2>/dev/null || :
	done
	rm -rf "$work"
}
work=$(mktemp -d "$build/bench.XXXXXX")
trap stop_all EXIT
trap '' PIPE

broken() {
	echo "bench: broken measurement: $1" >&2
	[ ! -s "${2:-}" ] || tail -n 5 "$2" | sed 's/^/  | /' >&2
	exit 1
}

# start NAME COMMAND...: a variant of the loop, ready to be asked.
start() {
	local name=$1 writer reader
	shift
	mkfifo "$work/$name.in" "$work/$name.out"
	"$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.log" &
	pid[$name]=$!
	exec {writer}>"$work/$name.in" {reader}<"$work/$name.out"
	in[$name]=$writer out[$name]=$reader
	asked[$name]=0
	ask "$name" run 1000 0
}

# ask NAME COMMAND ARG...: leaves the CPU time it took in $ns.
ask() {
	local name=$1 polls
	shift
	echo "$*" >&"${in[$name]}" || broken "$name ended" "$work/$name.log"
	read -r -t 60 polls ns <&"${out[$name]}" || broken "$name does not answer" "$work/$name.log"
	asked[$name]=$((asked[$name] + polls))
}

finish() {
	echo quit >&"${in[$1]}" || :
	wait "${pid[$1]}" || broken "$1 failed" "$work/$1.log"
	unset "pid[$1]"
}

# column NUMBER [NUMBER]: the median of a column of the rounds, or of its ratio to another.
median() {
	sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

column() {
	awk -v a="$1" -v b="${2:-0}" '{ print b ? $a / $b : $a }' "$work/rounds" | median |
		awk -v digits=$((${2:-0} ? 3 : 1)) '{ printf "%.*f", digits, $1 }'
}

# row WHAT VALUE UNIT [GOAL]: GOAL is "<= N" or ">= N".
row() {
	local verdict=
	if [ -n "${4:-}" ]; then
		verdict="goal $4: $(awk -v v="$2" -v op="${4%% *}" -v goal="${4##* }" 'BEGIN {
			print (op == "<=" ? v <= goal : v >= goal) ? "met" : "NOT MET" }')"
	fi
	printf '  %-44s %12s %-15s %s\n' "$1" "$2" "$3" "$verdict" | sed 's/ *$//'
}

# report NAME: the report of recording NAME, as JSON.
report() {
	"$pollscope" report "$work/$1.data" --json -o "$work/$1.json" 2>"$work/$1.log" ||
		broken "the report of $1 failed" "$work/$1.log"
}

# number NAME KEY: of the capture that the report is of.
number() {
	sed -n "s/^    \"$2\": \([0-9]*\),\{0,1\}\$/\1/p" "$work/$1.json" | head -n 1
}

# polls NAME: how many polls the report tells of.
polls() {
	awk '/^  "task_types": / { inside = 1 } /^  \]/ { inside = 0 }
		inside && /^      "polls": / { gsub(/[^0-9]/, ""); sum += $0 }
		END { printf "%.0f", sum }' "$work/$1.json"
}

# count_check NAME EXPECTED: every poll is in the recording, or counted as lost.
count_check() {
	local lost found
	report "$1"
	found=$(polls "$1") lost=$(number "$1" events_lost)
	[ "$lost" != 0 ] || [ "$found" = "$2" ] ||
		broken "$1: $2 polls, $found of them recorded and none counted as lost"
	[ "$found" -gt 0 ] || broken "$1: nothing was recorded" "$work/$1.log"
}

bpftrace_start() {
	local name=$1
	sed "s|PROGRAM|$work/$name.loop|" "tests/bench/$name.bt" >"$work/$name.bt"
	start "$name" bpftrace -o "$work/$name.txt" -c "$work/$name.loop" "$work/$name.bt"
}

bpftrace_check() {
	local found
	found=$(awk -F': ' '/^@polls/ { sum += $2 } END { printf "%.0f", sum }' "$work/$1.txt")
	[ "$found" = "${asked[$1]}" ] ||
		broken "$1.bt: counted $found of ${asked[$1]} polls" "$work/$1.log"
}

cost_measure() {
	local names=("$@") round i name n=$#
	local -A took
	for ((round = -5; round < rounds; round++)); do
		for ((i = 0; i < n; i++)); do
			name=${names[(i + round + n) % n]}
			case $name in
			untraced) ask "$name" run 1000000 $(((round + 5) % cpus)) ;;
			*) ask "$name" run $turn $(((round + 5) % cpus)) ;;
			esac
			took[$name]=$ns
		done
		[ $round -ge 0 ] || continue
		for name in "${names[@]}"; do
			case $name in
			untraced) echo "${took[$name]}e-6" ;;
			*) awk -v ns="${took[$name]}" -v turn=$turn 'BEGIN { print ns / turn }' ;;
			esac
		done | paste -sd' ' >>"$work/rounds"
	done
}

cost() {
	local names=(untraced limit pollscope) name i
	if bpftrace --version >/dev/null 2>&1; then
		names+=(polls facts)
	fi
	# Each variant has a file of its own, so that none has probes that are another's.
	for name in "${names[@]}"; do
		cp "$loop" "$work/$name.loop"
	done
	start untraced "$work/untraced.loop"
	start limit "$build/tests/bench/empty_probes" "$work/limit.loop"
	start pollscope "$pollscope" record -q --sample 1 -o "$work/pollscope.data" -- "$work/pollscope.loop"
	for name in "${names[@]:3}"; do
		bpftrace_start "$name"
	done
	cost_measure "${names[@]}"
	for ((i = ${#names[@]} - 1; i >= 0; i--)); do
		finish "${names[i]}"
	done
	count_check pollscope "${asked[pollscope]}"
	for name in "${names[@]:3}"; do
		bpftrace_check "$name"
	done
	awk -v a="$(column 1)" -v b="$(column 2)" 'BEGIN { exit b < a + 50 }' ||
		broken 'the empty programs do not run: a poll costs no more with them'
	cost_print "${#names[@]}"
}

cost_print() {
	echo "A poll (two probes): medians of $rounds rounds"
	row 'untraced' "$(column 1)" ns
	row 'empty programs: the limit' "$(column 2)" ns
	row 'pollscope' "$(column 3)" ns
	row '' "$(column 3 2)" 'x the limit' '<= 1.12'
	if [ "$1" = 3 ]; then
		row 'bpftrace' - 'not installed'
		return
	fi
	row 'bpftrace, counting and timing each task' "$(column 4)" ns
	row '  pollscope against that' "$(column 3 4)" 'x bpftrace' '<= 0.6'
	row '  the limit against that' "$(column 2 4)" 'x bpftrace'
	row 'bpftrace, with all that pollscope reports' "$(column 5)" ns
	row '  pollscope against that' "$(column 3 5)" 'x bpftrace' '<= 0.6'
}

# cpu_ms PID: CPU time of a process in ms, all its threads, without its children.
cpu_ms() {
	sed 's/.*) //' "/proc/$1/stat" | awk -v ticks="$ticks" \
		'{ print int(($12 + $13) * 1000 / ticks) }'
}

# paced NAME COMMAND...: what the tracer uses while the loop under it polls at a fixed rate.
paced() {
	local name=$1 before after started elapsed_us share
	start "$@"
	started=${EPOCHREALTIME/[.,]/}
	before=$(cpu_ms "${pid[$name]}")
	ask "$name" pace $pace_rate $pace_ms
	after=$(cpu_ms "${pid[$name]}")
	elapsed_us=$((${EPOCHREALTIME/[.,]/} - started))
	finish "$name"
	[ $elapsed_us -lt $((pace_ms * 1050)) ] ||
		echo "  (the loop needed $((elapsed_us / 1000)) ms for $pace_ms ms: a busy machine)"
	share=$(awk -v ms=$((after - before)) -v us=$elapsed_us \
		'BEGIN { printf "%.1f", 1e5 * ms / us }')
	row "tracer CPU at $pace_rate polls/s, $name" "$share" '% of a core' '<= 15'
}

tracer_cpu() {
	paced record "$pollscope" record -q --sample 1 -o "$work/record.data" -- "$loop"
	count_check record "${asked[record]}"
	paced report "$pollscope" report -q --json --sample 1 -o "$work/report.json" -- "$loop"
	[ "$(polls report)" = "${asked[report]}" ] || [ "$(number report events_lost)" != 0 ] ||
		broken "report: $(polls report) of ${asked[report]} polls, and none counted as lost"
}

flat_out() {
	local true_polls seconds
	true_polls=$("$pollscope" record -q --sample 1 -o "$work/flat.data" -- "$build/tests/bench/flat_out" \
		"$flat_seconds" 2>"$work/flat.log") || broken 'flat_out failed' "$work/flat.log"
	count_check flat "$true_polls"
	row "polls in $flat_seconds s, a worker on each of $cpus CPUs" "$true_polls" polls
	row '  events' "$(number flat events)" events
	row '  events lost' "$(number flat events_lost)" events '<= 0'
	seconds=$(for _ in 1 2 3; do
		started=${EPOCHREALTIME/[.,]/}
		report flat
		echo $((${EPOCHREALTIME/[.,]/} - started))
	done | median)
	row '  report of that recording' "$(awk -v n="$(number flat events)" -v us="$seconds" \
		'BEGIN { printf "%.1f", n / us }')" 'M events/s' '>= 5'
}

demo() {
	local port=$((20000 + $$ % 10000)) load found bytes
	(
		sleep 1
		exec "$build/examples/demo-load" --port $port --duration 4
	) >/dev/null 2>"$work/load.log" &
	load=$!
	pid[load]=$load
	"$pollscope" record -q -d 6 -o "$work/demo.data" -- "$build/examples/demo-server" \
		--port $port --dir "$work" --duration 6 >/dev/null 2>"$work/demo.log" ||
		broken 'the demo failed' "$work/demo.log"
	wait $load || broken 'the load generator failed' "$work/load.log"
	unset 'pid[load]'
	report demo
	found=$(polls demo)
	[ "$found" -gt 0 ] || broken 'the demo was not recorded' "$work/demo.log"
	bytes=$(awk -v bytes="$(stat -c %s "$work/demo.data")" -v polls="$found" \
		'BEGIN { printf "%.1f", bytes / polls }')
	row "recording of the demo, $found polls" "$bytes" 'bytes a poll' '<= 8'
}

if [ "$(id -u)" != 0 ]; then
	echo 'bench: tracing needs root: sudo make bench' >&2
	exit 1
fi
cpus=$(nproc)
ticks=$(getconf CLK_TCK)
echo "pollscope on $cpus CPUs, kernel $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
cost
echo 'The tracer itself'
tracer_cpu
flat_out
demo
