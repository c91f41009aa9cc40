# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: variants of a loop that take turns, what they took, and the rows that tell of it. Set
# before: build, work (a folder), rounds, turn (polls), pollscope, cpus, ticks (a second).
#
# In each round every variant of the same loop runs on the same CPU, while the others wait; so what
# disturbs the machine disturbs all of them. A turn is long enough that what the other variants did
# to the caches does not count.
declare -A pid in out asked

stop_all() {
	local name
	for name in "${!pid[@]}"; do
		kill "${pid[$name]}" 2>/dev/null || :
	done
	rm -rf "$work"
}

broken() {
	echo "bench: broken measurement: $1" >&2
	[ ! -s "${2:-}" ] || tail -n 5 "$2" | sed 's/^/  | /' >&2
	exit 1
}

# start_piped NAME COMMAND...: with its input and output at hand.
start_piped() {
	local name=$1 writer reader
	shift
	mkfifo "$work/$name.in" "$work/$name.out"
	"$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.log" &
	pid[$name]=$!
	exec {writer}>"$work/$name.in" {reader}<"$work/$name.out"
	in[$name]=$writer out[$name]=$reader
}

# start NAME COMMAND...: a variant of the loop, ready to be asked.
start() {
	start_piped "$@"
	asked[$1]=0
	ask "$1" run 1000 0
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

# finish_all NAME...: those that were started last come first.
finish_all() {
	local i
	for ((i = $#; i > 0; i--)); do
		finish "${!i}"
	done
}

# loop_copies LOOP NAME...: a file for each variant, so that none has probes that are another's.
loop_copies() {
	local loop=$1 name
	shift
	for name; do
		cp "$loop" "$work/$name.loop"
	done
}

# stop NAME: ends what would run on.
stop() {
	kill -TERM "${pid[$1]}" || broken "$1 ended" "$work/$1.log"
	wait "${pid[$1]}" || :
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

# cpu_ms PID: CPU time of a process in ms, all its threads, without its children.
cpu_ms() {
	sed 's/.*) //' "/proc/$1/stat" | awk -v ticks="$ticks" \
		'{ print int(($12 + $13) * 1000 / ticks) }'
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

# bpftrace_start NAME [SED-SCRIPT]: tests/bench/NAME.bt on a loop of its own.
bpftrace_start() {
	local name=$1
	sed "s|PROGRAM|$work/$name.loop|g; ${2:-}" "tests/bench/$name.bt" >"$work/$name.bt"
	start "$name" bpftrace -o "$work/$name.txt" -c "$work/$name.loop" "$work/$name.bt"
}

bpftrace_check() {
	local found
	found=$(awk -F': ' '/^@polls/ { sum += $2 } END { printf "%.0f", sum }' "$work/$1.txt")
	[ "$found" = "${asked[$1]}" ] ||
		broken "$1.bt: counted $found of ${asked[$1]} polls" "$work/$1.log"
}

# rounds_run NAME...: the rounds of these variants, the first of which is not traced; leaves the ns
# that a poll took as the columns of a table.
rounds_run() {
	local names=("$@") round i name polls n=$#
	local -A took
	: >"$work/rounds"
	for ((round = -5; round < rounds; round++)); do
		for ((i = 0; i < n; i++)); do
			name=${names[(i + round + 5) % n]}
			polls=$turn
			[ "$name" != "${names[0]}" ] || polls=1000000
			ask "$name" run $polls $(((round + 5) % cpus))
			took[$name]=$(awk -v ns="$ns" -v polls=$polls 'BEGIN { print ns / polls }')
		done
		[ $round -ge 0 ] || continue
		for name in "${names[@]}"; do
			echo "${took[$name]}"
		done | paste -sd' ' >>"$work/rounds"
	done
}

# limit_check: whether the second variant, of which the programs are empty, has any.
limit_check() {
	awk -v a="$(column 1)" -v b="$(column 2)" 'BEGIN { exit b < a + 50 }' ||
		broken 'the empty programs do not run: a poll costs no more with them'
}
