/* SPDX-License-Identifier: MIT */
/* What the tests of decoding share: a machine's fault handlers, and a record of time off the CPU. */
#ifndef POLLSCOPE_TESTS_DECODING_H
#define POLLSCOPE_TESTS_DECODING_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "events/check.h"
#include "events/decode.h"

#define FAULT 0xffffffff81001000ull
#define ELSEWHERE 0xffffffff81800000ull
#define USER 0x55d0c0de1000ull

static const struct address_range fault_handlers[] = {
	{0xffffffff81f00000, 0xffffffff81f00100},
	{FAULT, FAULT + 0x200},
};
static const struct decode_context context = {fault_handlers, 2};

static inline struct wire_offcpu offcpu(uint8_t reason, uint8_t flags, uint64_t kernel_frame)
{
	return (struct wire_offcpu){
		.h = {.type = WIRE_OFFCPU, .flags = flags, .source = 1, .tid = 77, .time = 900},
		.task = 5,
		.kind = 0x4000,
		.out = 100,
		.wake = 600,
		.waker = WIRE_WAKER_INTERRUPT,
		.reason = reason,
		.syscall = 75,
		.nkernel = 2,
		.nuser = 1,
		.file_name = "log",
		.frames = {ELSEWHERE, kernel_frame, USER},
	};
}

static inline size_t offcpu_size(const struct wire_offcpu *wire)
{
	return offsetof(struct wire_offcpu, frames) + 8 * (size_t)(wire->nkernel + wire->nuser);
}

#endif
