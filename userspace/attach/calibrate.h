/* SPDX-License-Identifier: MIT */
/* What the probes cost, measured on this very process before a capture. */
#ifndef POLLSCOPE_ATTACH_CALIBRATE_H
#define POLLSCOPE_ATTACH_CALIBRATE_H

#include <stdint.h>

struct tracer;

/* In ns a hit, program and record included. */
struct calibration {
	uint64_t poll_ns;       /* USDT: a poll's two probes */
	uint64_t skip_ns;       /* the same of one that sampling leaves out */
	uint64_t signal_ns;     /* any other probe */
	uint64_t tokio_poll_ns; /* an unmodified Tokio: a poll function's entry and return */
	uint64_t tokio_skip_ns; /* the same of one that sampling leaves out */
	uint64_t tokio_wake_ns; /* any other function's */
	uint64_t await_ns;      /* either, where a task waits, without a stack; 0: not traced */
};

/*
 * Puts the tracer's programs on instructions of ours and runs over them in other threads. Call it before
 * anything else is attached. Returns 0; -ENOTSUP: the probes attached but did not fire (kernels 6.6 to 6.9
 * match multi-uprobes to one thread only, fixed by commit 46ba0e49b642); or the kernel's refusal.
 */
int calibrate(struct tracer *tracer, struct calibration *result);

#endif
