#!/bin/bash
# SPDX-License-Identifier: MIT
# fetch.sh DIR SUITE: prints the path of the kernel image of that Debian suite, fetching it to
# DIR/SUITE if it is not there. Nothing is installed, and the machine's apt sources stay as they
# are.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
. tests/tools/apt-private.sh
dir=$1
suite=$2

if ! compgen -G "$dir/$suite/vmlinuz-*" >/dev/null; then
	{
		private_apt_setup "$dir/apt" "$suite"
		# The metapackage's only dependency is the suite's kernel of today.
		package=$(private_apt "$dir/apt" apt-cache show "linux-image-cloud-amd64/$suite" |
			sed -n 's/^Depends: \([^ ]*\) (= \([^)]*\)).*/\1=\2/p' | head -n 1)
		rm -rf "$dir/$suite"
		mkdir -p "$dir/$suite"
		(cd "$dir/$suite" && private_apt "$OLDPWD/$dir/apt" apt-get -qq download "$package")
		dpkg-deb --fsys-tarfile "$dir/$suite"/*.deb |
			tar -x -C "$dir/$suite" --wildcards --strip-components=2 './boot/vmlinuz-*'
		rm -f "$dir/$suite"/*.deb
	} >&2
fi
compgen -G "$dir/$suite/vmlinuz-*" | head -n 1
