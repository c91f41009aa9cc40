# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced: an apt configuration of our own beside the machine's, for suites that the machine does
# not list. It uses the mirror and the keys that the machine's own sources use, and leaves those
# as they are.

# private_apt_codename: the release this machine runs, "bookworm" say.
private_apt_codename() {
	(. /etc/os-release && echo "${VERSION_CODENAME:?}")
}

# private_apt_setup DIR SUITE...: makes DIR an apt configuration with the machine's Debian suites
# and SUITE... besides. Afterwards "private_apt DIR apt-get ..." uses it. Needs the machine's
# lists to be there.
private_apt_setup() {
	local dir=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg option='' release mirror suite
	shift
	[ ! -e "$keyring" ] || option="[signed-by=$keyring] "
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/parts"
	release=$(private_apt_codename)
	# Where the release itself comes from is where its backports and neighbours are.
	mirror=$(private_apt_targets | sed -n "s,^\(.*\) [^ ]* $release main\$,\1,p" | head -n 1)
	if [ -z "$mirror" ]; then
		echo "apt names no mirror of Debian $release: run apt-get update" >&2
		return 1
	fi
	{
		private_apt_targets | sed "s,^\(.*\) \([^ ]*\) [^ ]* \([^ ]*\)\$,deb $option\1 \2 \3,"
		for suite; do
			echo "deb $option$mirror $suite main"
		done
	} | sort -u >"$dir/sources.list"
	cp -n /var/lib/apt/lists/*_* "$dir/lists/" 2>/dev/null || :
	private_apt "$dir" apt-get -qq update
}

# Lines "URI RELEASE CODENAME COMPONENT" of the Debian archives in the machine's sources.
private_apt_targets() {
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' 'Target-Of: deb' | sed -n 's,^Debian ,,p'
}

# private_apt DIR COMMAND ARG...: runs an apt command with the configuration in DIR.
private_apt() {
	local dir command
	dir=$(cd "$1" && pwd)
	command=$2
	shift 2
	# Files under a private folder are not always readable by apt's sandbox user.
	"$command" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts="$dir/parts" \
		-o Dir::State::lists="$dir/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Dir::Cache::archives="$dir/archives" -o Dir::Etc::preferences="$dir/preferences" \
		-o APT::Sandbox::User=root \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@"
}
