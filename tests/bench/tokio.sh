# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: the tables of an unmodified Tokio.
tokio=$build/tokio
connections=16

tokio_cost() {
	local names=(untraced limit exact sampled) loop=$tokio/release/poll_loop
	if bpftrace --version >/dev/null 2>&1; then
		names+=(tokio)
	fi
	loop_copies "$loop" "${names[@]}"
	start untraced "$work/untraced.loop"
	start limit "$build/tests/bench/empty_probes" "$work/limit.loop"
	start exact "$pollscope" record -q --sample 1 -o "$work/exact.data" -- "$work/exact.loop"
	start sampled "$pollscope" record -q --sample 16 -o "$work/sampled.data" -- "$work/sampled.loop"
	[ ${#names[@]} = 4 ] || bpftrace_start tokio
	rounds_run "${names[@]}"
	finish_all "${names[@]}"
	limit_check
	count_check exact "${asked[exact]}"
	[ "$(number exact events)" -ge $((2 * asked[exact] - 1000 * rounds)) ] ||
		broken 'exact: wakes are missing'
	count_check sampled "${asked[sampled]}"
	[ "$(number sampled events)" -le $((asked[sampled] / 8)) ] || broken 'sampled: it is not'
	[ ${#names[@]} = 4 ] || bpftrace_check tokio
	tokio_print "${#names[@]}"
}

tokio_print() {
	echo "A poll on Tokio (entry, return and a wake): medians of $rounds rounds"
	row 'untraced' "$(column 1)" ns
	row 'empty programs: the limit' "$(column 2)" ns
	row 'pollscope, exact' "$(column 3)" ns
	row '' "$(column 3 2)" 'x the limit' '<= 1.15'
	row 'pollscope, one in 16' "$(column 4)" ns
	row '  its cost against that of exact' "$(awk '{ print ($4 - $1) / ($3 - $1) }' "$work/rounds" |
		median | awk '{ printf "%.3f", $1 }')" 'x exact' '<= 0.5'
	if [ "$1" = 4 ]; then
		row 'bpftrace' - 'not installed'
		return
	fi
	row 'bpftrace, counting and timing each task' "$(column 5)" ns
	row '  pollscope against that' "$(column 3 5)" 'x bpftrace'
}

# ready NAME: waits for it to say so.
ready() {
	local line
	read -r -t 20 line <&"${out[$1]}" || broken "$1 does not answer" "$work/$1.log"
	[ "${line%% *}" = ready ] || broken "$1 says: $line"
}

# serve NAME: an echo server; leaves where it listens in ${address[NAME]}.
serve() {
	local port
	start_piped "$1" "$tokio/release/echo"
	ready "$1"
	read -r -t 10 port <&"${out[$1]}" || broken "$1 does not answer" "$work/$1.log"
	address[$1]=127.0.0.1:${port#port }
	messages[$1]=0
}

# load NAME SECONDS: leaves in $seen what its clients saw: messages/s, p50 and p99 of how many us
# each took.
load() {
	local numbers
	"$tokio/release/load" "${address[$1]}" $connections "$2" >"$work/load" 2>"$work/load.log" ||
		broken "the load on $1 failed" "$work/load.log"
	read -ra numbers < <(sed 's/"[a-z0-9_]*":/ /g; s/[^0-9]\{1,\}/ /g' "$work/load")
	[ ${#numbers[@]} = 4 ] && [ "${numbers[0]}" -gt 0 ] ||
		broken "the load on $1 says: $(cat "$work/load")"
	messages[$1]=$((messages[$1] + numbers[0]))
	seen="${numbers[1]} $((numbers[2] / 1000)) $((numbers[3] / 1000))"
}

# trace NAME OPTION...: records the server of that name from now on.
trace() {
	local name=$1
	shift
	"$pollscope" record "$@" -p "${pid[$name]}" -o "$work/$name.data" 2>"$work/$name.tracer.log" &
	pid[$name.tracer]=$!
}

# A message takes a poll of its server's task, but for those that come while another is answered.
echo_check() {
	local found
	stop "$1.tracer"
	report "$1"
	found=$(polls "$1")
	[ "$found" -ge $((messages[$1] * 9 / 10)) ] || [ "$(number "$1" events_lost)" != 0 ] ||
		broken "$1: $found polls for ${messages[$1]} messages" "$work/$1.tracer.log"
}

tokio_echo() {
	local names=(untraced traced exact) round i name n=3 seen
	local -A address messages sees
	for name in "${names[@]}"; do
		serve "echo_$name"
	done
	trace echo_traced
	trace echo_exact --sample 1
	sleep 2
	# While this runs, pollscope finds whether to sample.
	for name in "${names[@]}"; do
		load "echo_$name" 2
	done
	: >"$work/rounds"
	for ((round = 0; round < echo_rounds; round++)); do
		for ((i = 0; i < n; i++)); do
			name=${names[(i + round) % n]}
			load "echo_$name" 0.5
			sees[$name]=$seen
		done
		echo "${sees[untraced]} ${sees[traced]} ${sees[exact]}" >>"$work/rounds"
	done
	echo_check echo_traced
	echo_check echo_exact
	for name in "${names[@]}"; do
		stop "echo_$name"
	done
	echo_print
}

# echo_row WHAT FIRST-COLUMN
echo_row() {
	row "$1" "$(printf '%.0f' "$(column "$2")")" messages/s
	row '  latency p50, p99' "$(printf '%.0f, %.0f' "$(column $(($2 + 1)))" \
		"$(column $(($2 + 2)))")" us
}

# echo_loss FIRST-COLUMN: how much less than the untraced server, in %.
echo_loss() {
	awk -v a="$1" '{ print 100 * (1 - $a / $1) }' "$work/rounds" | median |
		awk '{ printf "%.1f", $1 }'
}

echo_print() {
	local one_in
	one_in=$(sed -n 's/^ *"one_in": \([0-9]*\).*/\1/p' "$work/echo_traced.json")
	echo "An echo server on Tokio, $connections connections: medians of $echo_rounds rounds"
	echo_row 'untraced' 1
	echo_row "pollscope, by itself ${one_in:+timing one poll in }${one_in:-exact}" 4
	row '  throughput lost' "$(echo_loss 4)" % '<= 10'
	echo_row 'pollscope, exact' 7
	row '  throughput lost' "$(echo_loss 7)" %
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
