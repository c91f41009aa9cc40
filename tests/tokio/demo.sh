#!/bin/sh
# SPDX-License-Identifier: MIT
# Attaches to a Tokio server that runs already, is under load, and has no symbols: demo.sh BUILD.
set -eu
demo=demo-tokio
build=$1
out=$build/demo
echo_server=$build/tokio/fat-stripped/echo
seconds=5

. "$(dirname "$0")/../../runtime/examples/demo-server.sh"

demo_begin "$out/messages.log"
demo_serve 's/^port //p' "$echo_server" 127.0.0.1:0 "$out/messages.log"
demo_load "$build/tokio/release/load" "127.0.0.1:$port" 40 $((seconds + 5)) 20

echo "\$ file $echo_server"
file -b "$echo_server" 2>/dev/null || echo '(file is not installed)'
echo "\$ pollscope report -p $server -d ${seconds}s"
"$build/pollscope" report -p "$server" -d "${seconds}s"
cat <<END

The server writes every 16th message of a connection to a file, with fdatasync, inside the poll: find it
above. Its source is tests/tokio/src/bin/echo.rs; the binary knows nothing of it but panic messages.
END
