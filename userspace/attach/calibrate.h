/* SPDX-License-Identifier: MIT */
/* What the probes cost, measured on this very process before a capture. */
#ifndef POLLSCOPE_ATTACH_CALIBRATE_H
#define POLLSCOPE_ATTACH_CALIBRATE_H

#include <stdint.h>

struct tracer;

struct calibration {
	uint64_t poll_ns;   /* a poll's two probes, program and record included */
	uint64_t signal_ns; /* any other probe */
};

/*
 * Puts the tracer's programs on two instructions of ours and runs over them in a second thread. Call it
 * before anything else is attached. Returns 0; -ENOTSUP: the probes attached but did not fire (kernels 6.6
 * to 6.9 match multi-uprobes to one thread only, fixed by commit 46ba0e49b642); or the kernel's refusal.
 */
int calibrate(struct tracer *tracer, struct calibration *result);

#endif
