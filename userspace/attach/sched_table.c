// SPDX-License-Identifier: MIT
#include "attach/sched_table.h"

#include <stddef.h>
#include <string.h>

#include "util/syscalls.h"

static const char *const descriptor_calls[] = {
	"read",           "write",      "pread64",    "pwrite64",        "readv",
	"writev",         "preadv",     "pwritev",    "preadv2",         "pwritev2",
	"fsync",          "fdatasync",  "syncfs",     "sync_file_range", "fallocate",
	"ftruncate",      "flock",      "fcntl",      "ioctl",           "close",
	"lseek",          "getdents64", "recvfrom",   "recvmsg",         "recvmmsg",
	"sendto",         "sendmsg",    "sendmmsg",   "accept",          "accept4",
	"connect",        "shutdown",   "epoll_wait", "epoll_pwait",     "epoll_pwait2",
	"sendfile",       "splice",     "tee",        "vmsplice",        "copy_file_range",
	"io_uring_enter", NULL,
};

static const char *const waker_calls[] = {
	"futex",
	"futex_wake",
	"futex_requeue",
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"connect",
	"accept",
	"accept4",
	"close",
	"shutdown",
	"sendfile",
	"splice",
	"tee",
	"vmsplice",
	"copy_file_range",
	"io_uring_enter",
	"epoll_ctl",
	"kill",
	"tkill",
	"tgkill",
	"rt_sigqueueinfo",
	"rt_tgsigqueueinfo",
	"pidfd_send_signal",
	"msgsnd",
	"msgrcv",
	"semop",
	"semtimedop",
	"mq_timedsend",
	"mq_timedreceive",
	"exit",
	"exit_group",
	"flock",
	"fcntl",
	"munmap",
	"ioctl",
	NULL,
};

static void bits_of(const char *const *names, __u64 bits[SCHED_TABLE_WORDS])
{
	memset(bits, 0, SCHED_TABLE_WORDS * sizeof(bits[0]));
	for (; *names; names++) {
		int32_t n = syscall_number(*names);

		if (n >= 0 && n < SCHED_TABLE_WORDS * 64)
			bits[n / 64] |= 1ULL << (n % 64);
	}
}

void sched_table_descriptors(__u64 bits[SCHED_TABLE_WORDS])
{
	bits_of(descriptor_calls, bits);
}

void sched_table_wakers(__u64 bits[SCHED_TABLE_WORDS])
{
	bits_of(waker_calls, bits);
}
