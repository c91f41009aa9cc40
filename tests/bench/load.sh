# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: echo servers, and the load on them. Set before: what rounds.sh needs, and tokio.
connections=16
declare -A address

# server_start NAME COMMAND...: one that says "port N".
server_start() {
	start_piped "$@"
	server_port "$1"
}

# server_port NAME: learns where it listens.
server_port() {
	local line
	read -r -t 10 line <&"${out[$1]}" || broken "the echo server $1 does not answer" "$work/$1.log"
	address[$1]=127.0.0.1:${line#port }
}

# load NAME SECONDS: on that server; leaves in $messages how many were echoed, and in $seen what the
# clients saw: messages/s, p50 and p99 of how many us each took; then the us of CPU time that the server
# took for one.
load() {
	local numbers before after
	before=$(cpu_ms "${pid[$1]}")
	"$tokio/release/load" "${address[$1]}" $connections "$2" >"$work/load" 2>"$work/load.log" ||
		broken 'the load on the echo server failed' "$work/load.log"
	after=$(cpu_ms "${pid[$1]}")
	read -ra numbers < <(sed 's/"[a-z0-9_]*":/ /g; s/[^0-9]\{1,\}/ /g' "$work/load")
	messages=${numbers[0]:-0}
	[ "$messages" -gt 0 ] || broken "the load on the echo server says: $(cat "$work/load")"
	seen="${numbers[1]} $((numbers[2] / 1000)) $((numbers[3] / 1000))"
	seen+=" $(awk -v ms=$((after - before)) -v n="$messages" 'BEGIN { print 1000 * ms / n }')"
}
