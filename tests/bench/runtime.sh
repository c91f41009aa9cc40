#!/bin/bash
# SPDX-License-Identifier: MIT
# runtime.sh BUILD: the reference runtime beside Tokio, the same benchmarks on both, at 1 and 2
# workers. They take turns within a round, and a row tells the medians of all rounds, also of their
# ratio: what disturbs the machine disturbs both. A goal that is missed is said and no failure.
# ROUNDS and ECHO_ROUNDS (defaults below) change how long it takes; ONLY="NAME..." runs only these.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
rounds=${ROUNDS:-25} echo_rounds=${ECHO_ROUNDS:-10} turn_ms=40 limit=2
tokio=$build/tokio
ticks=$(getconf CLK_TCK)
work=$(mktemp -d "$build/bench.XXXXXX")
. tests/bench/rounds.sh
. tests/bench/load.sh
trap stop_all EXIT

declare -A program=([pollrt]=$build/tests/bench/runtime [tokio]=$tokio/release/runtime)
benches=(spawn_many_local spawn_many_remote_idle spawn_many_remote_busy1 spawn_many_remote_busy2
	yield_many ping_pong chained_spawn wake_many_remote)

# wanted NAME
wanted() {
	[[ " ${ONLY:-$1} " = *" $1 "* ]]
}

# turn SIDE BENCH WORKERS: leaves the ns that an operation took in $ns; if it does not get done in
# time that is what it took at least, and $over says so.
turn() {
	local ops=1 status=0
	ns=$((limit * 1000000000)) over=
	timeout $limit "${program[$1]}" "$2" "$3" $turn_ms >"$work/$1" 2>"$work/$1.log" || status=$?
	case $status in
	0) read -r ops ns <"$work/$1" ;;
	124) over=$1 ;;
	*) broken "$2 on $1 failed" "$work/$1.log" ;;
	esac
	ns=$(awk -v ns="$ns" -v ops="$ops" 'BEGIN { printf "%.2f", ns / ops }')
}

# both ROUND COMMAND ARG...: of each side, which takes turns at being first; a line of the rounds is
# what it left in $ns.
both() {
	local round=$1 command=$2 side
	local -A took
	shift 2
	for side in $( ((round % 2)) && echo pollrt tokio || echo tokio pollrt); do
		"$command" "$side" "$@"
		took[$side]=$ns
		[ -z "$over" ] || unfinished[$side]=yes
	done
	echo "${took[pollrt]} ${took[tokio]}" >>"$work/rounds"
}

# cell SIDE VALUE
cell() {
	[ -z "${unfinished[$1]:-}" ] && echo "$2" || echo 'not done'
}

# print NAME WORKERS
print() {
	local ratio verdict='NOT MET'
	ratio=$(column 2 1)
	if [ -n "${unfinished[tokio]:-}" ]; then
		[ -n "${unfinished[pollrt]:-}" ] || verdict=met
		ratio=-
	elif awk -v v="$ratio" 'BEGIN { exit v < 1 }'; then
		verdict=met
	fi
	printf '  %-24s %7s %12s %12s %9s  %s\n' "$1" "$2" "$(cell pollrt "$(column 1)")" \
		"$(cell tokio "$(column 2)")" "$ratio" "$verdict"
}

# bench NAME WORKERS
bench() {
	local round over
	local -A unfinished=()
	wanted "$1" || return 0
	: >"$work/rounds"
	for ((round = 0; round < rounds; round++)); do
		both $round turn "$1" "$2"
		# Once is enough to know.
		[ ${#unfinished[@]} = 0 ] || break
	done
	print "$1" "$2"
}

# echoed SIDE: leaves the ns that a message took in $ns.
echoed() {
	load "$1" 1
	ns=$(awk -v rate="${seen%% *}" 'BEGIN { printf "%.2f", 1e9 / rate }')
}

# echo_bench WORKERS
echo_bench() {
	local side round over='' messages seen
	local -A unfinished=()
	wanted echo || return 0
	: >"$work/rounds"
	for side in pollrt tokio; do
		server_start $side "${program[$side]}" echo "$1"
		load $side 0.5
	done
	for ((round = 0; round < echo_rounds; round++)); do
		both $round echoed
	done
	stop pollrt
	stop tokio
	rm "$work"/{pollrt,tokio}.{in,out}
	print echo "$1"
}

echo "pollrt beside Tokio on $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg): medians of $rounds rounds, of echo $echo_rounds"
printf '  %-24s %7s %12s %12s %9s  %s\n' benchmark workers 'pollrt ns/op' 'Tokio ns/op' 'x Tokio' \
	'goal >= 1'
for workers in 1 2; do
	for name in "${benches[@]}"; do
		bench "$name" $workers
	done
	echo_bench $workers
done
