# SPDX-License-Identifier: MIT
# A server under load for a demo: read by those, which set `demo`, their name, and `out`, a folder.

server=
load=
leftover=

demo_clean() {
	for pid in $load $server; do
		kill "$pid" && wait "$pid" || true
	done 2>/dev/null
	[ -z "$leftover" ] || rm -f "$leftover"
}

# Makes the folder; what is started from here on ends with the demo, and the file $1, if any, goes.
demo_begin() {
	if [ "$(id -u)" != 0 ]; then
		echo "$demo: tracing needs root: sudo make $demo" >&2
		exit 1
	fi
	mkdir -p "$out"
	leftover=${1:-}
	trap demo_clean EXIT
	trap 'exit 130' INT TERM
}

# demo_serve SCRIPT COMMAND...: starts a server, and sets `port` to what the sed script finds in what it prints.
demo_serve() {
	found=$1
	shift
	: >"$out/server.log"
	"$@" >"$out/server.log" 2>&1 &
	server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$(sed -n "$found" "$out/server.log")
		[ -z "$port" ] || return 0
		sleep 0.2
	done
	echo "$demo: the server did not start: see $out/server.log" >&2
	exit 1
}

# demo_load COMMAND...: starts the load, and gives it time to be one.
demo_load() {
	"$@" >"$out/load.log" 2>&1 &
	load=$!
	sleep 1
}
