/* SPDX-License-Identifier: MIT */
/* Names of system calls, of the machine that this was built for. */
#ifndef POLLSCOPE_UTIL_SYSCALLS_H
#define POLLSCOPE_UTIL_SYSCALLS_H

#include <stdint.h>

/* The name of system call `number` on arch (uname's machine; ours only), or NULL. */
const char *syscall_name(const char *arch, int32_t number);

/* The number of a system call here, or -1. */
int32_t syscall_number(const char *name);

#endif
