#!/bin/sh
# SPDX-License-Identifier: MIT
# Attaches to a Tokio server that runs already, is under load, and has no symbols: demo.sh BUILD.
set -eu
build=$1
out=$build/demo
echo_server=$build/tokio/fat-stripped/echo
seconds=5

if [ "$(id -u)" != 0 ]; then
	echo "demo-tokio: tracing needs root: sudo make demo-tokio" >&2
	exit 1
fi

mkdir -p "$out"
: >"$out/echo.log"
"$echo_server" 127.0.0.1:0 "$out/messages.log" >"$out/echo.log" 2>&1 &
server=$!
load=
cleanup() {
	for pid in $load $server; do
		kill "$pid" && wait "$pid" || true
	done 2>/dev/null
	rm -f "$out/messages.log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

port=
for _ in 1 2 3 4 5 6 7 8 9 10; do
	port=$(sed -n 's/^port //p' "$out/echo.log")
	[ -z "$port" ] || break
	sleep 0.2
done
if [ -z "$port" ]; then
	echo "demo-tokio: the server did not start: see $out/echo.log" >&2
	exit 1
fi
"$build/tokio/release/load" "127.0.0.1:$port" 40 $((seconds + 5)) 20 >"$out/load.log" 2>&1 &
load=$!
sleep 1

echo "\$ file $echo_server"
file -b "$echo_server" 2>/dev/null || echo '(file is not installed)'
echo "\$ pollscope report -p $server -d ${seconds}s"
"$build/pollscope" report -p "$server" -d "${seconds}s"
cat <<END

The server writes every 16th message of a connection to a file, with fdatasync, inside the poll: find it
above. Its source is tests/tokio/src/bin/echo.rs; the binary knows nothing of it but panic messages.
END
