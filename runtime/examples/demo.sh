#!/bin/sh
# SPDX-License-Identifier: MIT
# Traces the example server under load for 10 s: demo.sh BUILD. Everything goes to BUILD/demo.
set -eu
demo=demo
build=$1
out=$build/demo
seconds=10

. "$(dirname "$0")/demo-server.sh"

demo_begin
demo_serve 's/^listening on .*:\([0-9]*\)$/\1/p' \
	"$build/examples/demo-server" --port 0 --dir "$out"
demo_load "$build/examples/demo-load" --port "$port" --connections 40 --think-ms 20 \
	--duration $((seconds + 5))

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
