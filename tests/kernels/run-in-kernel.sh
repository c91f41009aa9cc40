#!/bin/bash
# SPDX-License-Identifier: MIT
# run-in-kernel.sh [-t SECONDS] [-m MEMORY] [-f FILE[:DEST]]... VMLINUZ COMMAND
#
# Boots VMLINUZ in QEMU, without KVM, on a root file system in memory that holds busybox and each
# FILE (at DEST, or where it is here) with the libraries it links; a folder is copied whole. Runs
# COMMAND there as root, shows its output, and ends with its status; 124: ran into the limit, 125:
# the guest died. Needs no root.
set -eu -o pipefail

limit=60 memory=1G files=()
while getopts t:m:f: option; do
	case $option in
	t) limit=$OPTARG ;;
	m) memory=$OPTARG ;;
	f) files+=("$OPTARG") ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
kernel=$1
command=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
console=$work/console

# copy FILE DEST: with the libraries that ldd names, at the paths where the dynamic loader looks.
copy() {
	local library
	mkdir -p "$root/$(dirname "$2")"
	cp -aL "$1" "$root/$2"
	[ ! -d "$1" ] || return 0
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || :); do
		[ -e "$root/$library" ] || {
			mkdir -p "$root/$(dirname "$library")"
			cp -L "$library" "$root/$library"
		}
	done
}

mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,etc,root,var/tmp}
copy "$(command -v busybox)" /bin/busybox
for file in "${files[@]}"; do
	copy "${file%%:*}" "${file#*:}"
done
printf '%s\n' "$command" >"$root/command"
printf '%s\n' root:x:0:0:root:/root:/bin/sh \
	nobody:x:65534:65534:nobody:/nonexistent:/bin/false >"$root/etc/passwd"
printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
ulimit -l unlimited
sysctl -qw kernel.panic_on_oops=1
# The output has a line of its own, free of the kernel's messages and of newline conversion.
stty -F /dev/ttyS1 raw -echo
cd /root
setsid sh /command </dev/null >/dev/ttyS1 2>&1
echo "<1>GUEST-STATUS=$?" >/dev/kmsg
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/initrd"

status=0
timeout -k 5 "$limit" \
	qemu-system-x86_64 -accel tcg,thread=multi -cpu max,la57=off -smp 2 -m "$memory" \
	-nodefaults -display none -no-reboot -kernel "$kernel" -initrd "$work/initrd" \
	-append 'console=ttyS0 loglevel=5 panic=-1' -serial "file:$console" \
	-chardev stdio,id=output,signal=off -serial chardev:output \
	</dev/null 2>"$work/qemu" | cat || status=$?
if [ "$status" = 124 ] || [ "$status" = 137 ]; then
	echo "run-in-kernel: not done after $limit s; the guest's console ends:" >&2
	tail -n 20 "$console" >&2
	exit 124
fi
status=$(tr -d '\r' <"$console" | sed -n 's/.*GUEST-STATUS=\([0-9]*\)$/\1/p' | tail -n 1)
if [ -z "$status" ]; then
	echo "run-in-kernel: the guest died; its console ends:" >&2
	cat "$work/qemu" >&2
	tail -n 40 "$console" >&2
	exit 125
fi
exit "$status"
