# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: the reference runtime's tables, and what the tracer itself needs.
pace_ms=5000 pace_rate=100000

pollrt_cost() {
	local names=(untraced limit pollscope) name loop=$build/tests/bench/poll_loop
	if bpftrace --version >/dev/null 2>&1; then
		names+=(polls facts)
	fi
	loop_copies "$loop" "${names[@]}"
	start untraced "$work/untraced.loop"
	start limit "$build/tests/bench/empty_probes" "$work/limit.loop"
	start pollscope "$pollscope" record -q --sample 1 -o "$work/pollscope.data" -- "$work/pollscope.loop"
	for name in "${names[@]:3}"; do
		bpftrace_start "$name"
	done
	rounds_run "${names[@]}"
	finish_all "${names[@]}"
	count_check pollscope "${asked[pollscope]}"
	for name in "${names[@]:3}"; do
		bpftrace_check "$name"
	done
	limit_check
	pollrt_print "${#names[@]}"
}

pollrt_print() {
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
	paced record "$pollscope" record -q --sample 1 -o "$work/record.data" -- "$build/tests/bench/poll_loop"
	count_check record "${asked[record]}"
	paced report "$pollscope" report -q --json --sample 1 -o "$work/report.json" -- "$build/tests/bench/poll_loop"
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
	"$pollscope" record -q -d 6s -o "$work/demo.data" -- "$build/examples/demo-server" \
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

pollrt_bench() {
	pollrt_cost
	echo 'The tracer itself'
	tracer_cpu
	flat_out
	demo
}
