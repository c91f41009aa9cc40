#!/bin/sh
# SPDX-License-Identifier: MIT
# Traces the example server under load for 10 s: demo.sh BUILD. Everything goes to BUILD/demo.
set -eu
build=$1
out=$build/demo
seconds=10

if [ "$(id -u)" != 0 ]; then
	echo "demo: tracing needs root: sudo make demo" >&2
	exit 1
fi

mkdir -p "$out"
: >"$out/server.log"
"$build/examples/demo-server" --port 0 --dir "$out" >"$out/server.log" 2>&1 &
server=$!
load=
cleanup() {
	for pid in $load $server; do
		kill "$pid" && wait "$pid" || true
	done 2>/dev/null
}
trap cleanup EXIT
trap 'exit 130' INT TERM

port=
for _ in 1 2 3 4 5 6 7 8 9 10; do
	port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$out/server.log")
	[ -z "$port" ] || break
	sleep 0.2
done
if [ -z "$port" ]; then
	echo "demo: the example server did not start: see $out/server.log" >&2
	exit 1
fi
"$build/examples/demo-load" --port "$port" --connections 40 --think-ms 20 \
	--duration $((seconds + 5)) >"$out/load.log" 2>&1 &
load=$!
sleep 1

echo "\$ pollscope record -p $server -d ${seconds}s -o $out/demo.data"
"$build/pollscope" record -p "$server" -d "${seconds}s" -o "$out/demo.data"
echo "\$ pollscope report $out/demo.data"
"$build/pollscope" report "$out/demo.data"
"$build/pollscope" flame "$out/demo.data" -o "$out/demo.folded"
"$build/pollscope" flame "$out/demo.data" --format svg -o "$out/demo.svg"
cat <<END

The recording        $out/demo.data
Folded stacks        $out/demo.folded     (flamegraph.pl, speedscope)
The flamegraph       $out/demo.svg        (open it in a browser)

The example server writes an audit log from inside a task, with fdatasync: find it above.
END
