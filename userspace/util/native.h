/* SPDX-License-Identifier: MIT */
/* The processor that this is built for: what kernels and files call it. */
#ifndef POLLSCOPE_UTIL_NATIVE_H
#define POLLSCOPE_UTIL_NATIVE_H

#include <elf.h>
#include <linux/audit.h>

#if defined(__x86_64__)
#define NATIVE_NAME "x86_64" /* uname(2) */
#define NATIVE_MACHINE EM_X86_64
#define NATIVE_AUDIT AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_NAME "aarch64"
#define NATIVE_MACHINE EM_AARCH64
#define NATIVE_AUDIT AUDIT_ARCH_AARCH64
#else
#error "neither x86-64 nor arm64"
#endif

#endif
