# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by bench.sh: unwinding.

# unwind_table NAME FILE GOAL-MS
unwind_table() {
	local size us rows bytes
	for _ in 1 2 3 4 5; do
		"$build/tests/bench/unwind_table" "$2" 2>"$work/unwind.log" ||
			broken "no unwind table of $2" "$work/unwind.log"
	done >"$work/unwind"
	us=$(cut -d' ' -f2 "$work/unwind" | median)
	read -r size _ rows bytes <"$work/unwind"
	[ "$rows" -gt 1000 ] || broken "$2 has $rows rows" "$work/unwind.log"
	row "$1, $((size / 1000000)) MB, $((rows / 1000)) k rows" "$(awk -v us="$us" \
		'BEGIN { printf "%.1f", us / 1000 }')" ms "<= $3"
	row "$1, in the kernel" "$(awk -v bytes="$bytes" -v rows="$rows" \
		'BEGIN { printf "%.2f", bytes / rows }')" 'bytes a row' '<= 8'
}

# symbolize_bench NAME FILE: ten thousand addresses of it.
symbolize_bench() {
	local size us named
	for _ in 1 2 3 4 5; do
		"$build/tests/bench/symbolize" "$2" 10000 2>"$work/unwind.log" ||
			broken "no symbols of $2" "$work/unwind.log"
	done >"$work/symbolize"
	us=$(cut -d' ' -f2 "$work/symbolize" | median)
	read -r size _ named _ <"$work/symbolize"
	[ "$named" -gt 1000 ] || broken "$2 has names for $named addresses" "$work/unwind.log"
	row "10,000 addresses of $1, $((size / 1000000)) MB" "$(awk -v us="$us" \
		'BEGIN { printf "%.0f", us / 1000 }')" ms '<= 2000'
}

# unwind_cost TARGET [fp]: what its stacks cost, into $samples and $intervals: number, ns, user frames.
unwind_cost() {
	# shellcheck disable=SC2086 # a command and its arguments
	"$build"/tests/e2e/targets/$1 >/dev/null &
	pid[target]=$!
	sleep 0.2
	"$build/tests/bench/unwind_cost" "${pid[target]}" 3 "${@:2}" >"$work/unwind" 2>"$work/unwind.log" ||
		broken "no stacks of $1" "$work/unwind.log"
	stop target 2>/dev/null
	{ read -r samples && read -r intervals; } <"$work/unwind"
	[ "${samples%% *}" -gt 20 ] || broken "few stacks of $1"
}

# field NUMBER TEXT
field() {
	echo "$2" | cut -d' ' -f"$1"
}

# What a sample costs is what its programs do, and its frames.
unwind_frames() {
	local shallow
	unwind_cost 'chains spin 10 1000000'
	shallow=$samples
	unwind_cost 'chains spin 100 1000000'
	row 'a frame, of 16 to 106' "$(echo "$shallow $samples" |
		awk '{ printf "%.0f", ($5 - $2) / ($6 - $3) }')" ns '<= 120'
}

unwind_interval() {
	unwind_cost 'causes nanosleep 1000000' "${@:2}"
	[ "${intervals%% *}" -gt 100 ] || broken 'few intervals off the CPU'
	row "interval off CPU, $1, $(field 3 "$intervals") frames" "$(field 2 "$intervals")" ns
}

unwind_compare() {
	"$build"/tests/e2e/targets/chains spin 30 1000000 >/dev/null &
	pid[target]=$!
	sleep 0.2
	"$build/tests/bench/unwind_compare" "${pid[target]}" 300 >"$work/unwind" 2>"$work/unwind.log" ||
		cat "$work/unwind.log"
	stop target 2>/dev/null
	row 'stacks that are as elfutils has them' "$(sed 's/.*(\(.*\)%).*/\1/' "$work/unwind")" \
		"% of $(cut -d' ' -f1 "$work/unwind")" '>= 99.5'
}

unwind_bench() {
	echo 'Unwind tables: medians of 5'
	unwind_table libc "$(ldd "$build/pollscope" | awk '/libc\.so/ { print $3 }')" 20
	unwind_table 'ten thousand kinds' "$build/tokio/large/kinds" 300
	echo 'Symbols: medians of 5'
	symbolize_bench pollscope "$build/pollscope"
	symbolize_bench 'ten thousand kinds' "$build/tokio/large/kinds"
	echo 'Stacks, in the programs'
	unwind_frames
	unwind_interval 'by tables'
	unwind_interval 'by frame pointers' fp
	unwind_compare
}
