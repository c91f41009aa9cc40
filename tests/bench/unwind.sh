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

unwind_bench() {
	echo 'Unwind tables: medians of 5'
	unwind_table libc "$(ldd "$build/pollscope" | awk '/libc\.so/ { print $3 }')" 20
	unwind_table 'ten thousand kinds' "$build/tokio/large/kinds" 300
}
