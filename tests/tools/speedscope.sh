#!/bin/bash
# SPDX-License-Identifier: MIT
# speedscope.sh DIR FILE: opens FILE in speedscope, in a headless Chromium, and prints the page as it is
# then. speedscope is fetched into DIR by npm, once. Fails with status 77 where it cannot be had.
set -eu -o pipefail
version=1.25.0
sha512=7297fd1d64d97f58a32d7049ae4f3b55eff9e2d9d8c7aae57f48144e1be7de8a\
24ea1eb784b5d539088c7f8e0f4fe5e8579d3770f7ef7e24f980fe6fa23a7a02
mkdir -p "$1"
dir=$(cd "$1" && pwd)
file=$2

missing() {
	echo "$1" >&2
	exit 77
}

# Never half of it: what is there has been checked.
fetch() {
	rm -rf "$dir/part"
	mkdir "$dir/part"
	(cd "$dir/part" && npm pack --silent --fetch-retries=1 --fetch-timeout=20000 \
		"speedscope@$version" >&2) || missing "npm cannot fetch speedscope $version"
	echo "$sha512  $dir/part/speedscope-$version.tgz" | sha512sum --check --quiet >&2 ||
		missing "what npm fetched is not speedscope $version as it was"
	tar -xzf "$dir/part/speedscope-$version.tgz" -C "$dir/part"
	mv "$dir/part/package" "$dir/$version"
	rm -rf "$dir/part"
}

for command in npm chromium; do
	command -v $command >/dev/null || missing "there is no $command"
done
exec 9>"$dir/lock"
flock 9
[ -d "$dir/$version" ] || fetch
flock -u 9

run=$(mktemp -d "$dir/run.XXXXXX")
trap 'rm -rf "$run"' EXIT
printf 'speedscope.loadFileFromBase64("%s", "%s")\n' "${file##*/}" "$(base64 -w0 "$file")" \
	>"$run/load.js"
sandbox=
[ "$(id -u)" != 0 ] || sandbox=--no-sandbox
# Time in the page passes at once, but waits for what it loads.
timeout 150 chromium --headless=new $sandbox --disable-gpu --user-data-dir="$run/chromium" \
	--virtual-time-budget=10000 --dump-dom \
	"file://$dir/$version/dist/release/index.html#localProfilePath=$run/load.js" 2>"$run/errors" ||
	{
		tail -n 20 "$run/errors" >&2
		exit 1
	}
