#!/bin/bash
# SPDX-License-Identifier: MIT
# bench.sh BUILD: what tracing costs, against the goals set for it. A goal that is missed is said
# and no failure: machines differ. A measurement that cannot be right (a probe that does not fire, a
# wrong count) is one. ROUNDS, SECONDS_FLAT and ECHO_ROUNDS (defaults below) change how long it
# takes; ONLY=pollrt, tokio or unwind leaves the others out.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
build=$(cd "$1" && pwd)
rounds=${ROUNDS:-100} turn=20000 flat_seconds=${SECONDS_FLAT:-10} echo_rounds=${ECHO_ROUNDS:-10}
pollscope=$build/pollscope
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" != 0 ]; then
	echo 'bench: tracing needs root: sudo make bench' >&2
	exit 1
fi
cpus=$(nproc)
ticks=$(getconf CLK_TCK)
work=$(mktemp -d "$build/bench.XXXXXX")
. tests/bench/rounds.sh
. tests/bench/load.sh
. tests/bench/pollrt.sh
. tests/bench/tokio.sh
. tests/bench/unwind.sh
trap stop_all EXIT
trap '' PIPE

echo "pollscope on $cpus CPUs, kernel $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
[ "${ONLY:-pollrt}" != pollrt ] || pollrt_bench
[ "${ONLY:-tokio}" != tokio ] || tokio_bench
[ "${ONLY:-unwind}" != unwind ] || unwind_bench
