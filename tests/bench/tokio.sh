# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: the tables of an unmodified Tokio.
tokio=$build/tokio

tokio_cost() {
	local names=(untraced limit exact without sampled) loop=$tokio/release/poll_loop
	if bpftrace --version >/dev/null 2>&1; then
		names+=(tokio)
	fi
	loop_copies "$loop" "${names[@]}"
	start untraced "$work/untraced.loop"
	start limit "$build/tests/bench/empty_probes" "$work/limit.loop"
	start exact "$pollscope" record -q --sample 1 -o "$work/exact.data" -- "$work/exact.loop"
	start without "$pollscope" record -q --sample 1 --await-stacks 0 -o "$work/without.data" \
		-- "$work/without.loop"
	start sampled "$pollscope" record -q --sample 16 -o "$work/sampled.data" -- "$work/sampled.loop"
	[ ${#names[@]} = 5 ] || bpftrace_start tokio
	rounds_run "${names[@]}"
	finish_all "${names[@]}"
	limit_check
	count_check exact "${asked[exact]}"
	[ "$(number exact events)" -ge $((2 * asked[exact] - 1000 * rounds)) ] ||
		broken 'exact: wakes are missing'
	count_check without "${asked[without]}"
	count_check sampled "${asked[sampled]}"
	[ "$(number sampled events)" -le $((asked[sampled] / 8)) ] || broken 'sampled: it is not'
	[ ${#names[@]} = 5 ] || bpftrace_check tokio
	tokio_print "${#names[@]}"
}

tokio_print() {
	echo "A poll on Tokio (entry, return and a wake): medians of $rounds rounds"
	row 'untraced' "$(column 1)" ns
	row 'empty programs: the limit' "$(column 2)" ns
	row 'pollscope, exact' "$(column 3)" ns
	row '' "$(column 3 2)" 'x the limit' '<= 1.15'
	row '  without await stacks' "$(column 4)" ns
	row '  what they add' "$(awk '{ print 100 * ($3 / $4 - 1) }' "$work/rounds" | median |
		awk '{ printf "%.1f", $1 }')" % '<= 2'
	row 'pollscope, one in 16' "$(column 5)" ns
	row '  its cost against that of exact' "$(awk '{ print ($5 - $1) / ($3 - $1) }' "$work/rounds" |
		median | awk '{ printf "%.3f", $1 }')" 'x exact' '<= 0.5'
	if [ "$1" = 5 ]; then
		row 'bpftrace' - 'not installed'
		return
	fi
	row 'bpftrace, counting and timing each task' "$(column 6)" ns
	row '  pollscope against that' "$(column 3 6)" 'x bpftrace'
}

# ready NAME: waits for it to say so.
ready() {
	local line
	read -r -t 20 line <&"${out[$1]}" || broken "$1 does not answer" "$work/$1.log"
	[ "${line%% *}" = ready ] || broken "$1 says: $line"
}

# load_traced NAME OPTION...: the same, with the server recorded.
load_traced() {
	local name=$1 found
	shift
	"$pollscope" record "$@" -p "${pid[echo]}" -o "$work/$name.data" 2>"$work/tracer.log" &
	pid[tracer]=$!
	# Meanwhile it attaches, and finds whether to sample.
	load echo 3
	load echo 1
	stop tracer
	report "$name"
	# A message takes a poll, but for one that comes while the last is being answered.
	found=$(polls "$name")
	[ "$found" -ge $((messages * 9 / 10)) ] || [ "$(number "$name" events_lost)" != 0 ] ||
		broken "$name: $found polls for $messages messages" "$work/tracer.log"
}

# In turns: a tracer that is there costs other processes a little too.
tokio_echo() {
	local messages seen untraced traced round
	start_piped echo "$tokio/release/echo"
	ready echo
	server_port echo
	load echo 1
	: >"$work/rounds"
	for ((round = 0; round < echo_rounds; round++)); do
		load echo 1
		untraced=$seen
		load_traced echo
		traced=$seen
		load_traced echo_exact --sample 1
		echo "$untraced $traced $seen" >>"$work/rounds"
	done
	stop echo
	echo_print
}

# echo_row WHAT FIRST-COLUMN
echo_row() {
	row "$1" "$(printf '%.0f' "$(column "$2")")" messages/s
	row '  latency p50, p99' "$(printf '%.0f, %.0f' "$(column $(($2 + 1)))" \
		"$(column $(($2 + 2)))")" us
	row "  server's CPU time for one" "$(column $(($2 + 3)))" us
}

# echo_loss FIRST-COLUMN: how much less than the untraced server, in %.
echo_loss() {
	awk -v a="$1" '{ print 100 * (1 - $a / $1) }' "$work/rounds" | median |
		awk '{ printf "%.1f", $1 }'
}

echo_print() {
	local one_in
	one_in=$(sed -n 's/^ *"one_in": \([0-9]*\).*/\1/p' "$work/echo.json")
	echo "An echo server on Tokio, $connections connections: medians of $echo_rounds rounds"
	echo_row 'untraced' 1
	echo_row "pollscope, by itself ${one_in:+timing one poll in }${one_in:-exact}" 5
	row '  throughput lost' "$(echo_loss 5)" % '<= 10'
	echo_row 'pollscope, exact' 9
	row '  throughput lost' "$(echo_loss 9)" %
}

# attach NAME POINTS GOAL-MS: to process NAME, which must have so many points. Of a task's type they are
# two, its poll function and its shutdown function.
attach() {
	local size points us
	size=$(stat -L -c %s "/proc/${pid[$1]}/exe")
	for _ in 1 2 3 4 5; do
		"$build/tests/bench/attach_time" "${pid[$1]}" 2>"$work/$1.log" ||
			broken "attaching to $1 failed" "$work/$1.log"
	done >"$work/attach"
	points=$(cut -d' ' -f1 "$work/attach" | median)
	us=$(cut -d' ' -f2 "$work/attach" | median)
	[ "$points" -ge "$2" ] || broken "$1 has $points points, and should have $2" "$work/$1.log"
	row "$((points / 2)) poll functions, $((size / 1000000)) MB" "$(awk -v us="$us" \
		'BEGIN { printf "%.0f", us / 1000 }')" ms "<= $3"
}

tokio_attach() {
	echo 'Attaching to a process: medians of 5'
	start_piped mix "$tokio/release/mix" 100000
	# What it does would be measured too.
	ready mix
	kill -STOP "${pid[mix]}"
	attach mix 100 100
	kill -CONT "${pid[mix]}"
	stop mix
	start_piped kinds "$tokio/large/kinds"
	ready kinds
	attach kinds 10000 1000
	stop kinds
}

tokio_bench() {
	tokio_cost
	tokio_echo
	tokio_attach
}
