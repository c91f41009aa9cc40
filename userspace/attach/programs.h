/* SPDX-License-Identifier: MIT */
/* Which of the BPF programs are loaded, what each is for, and which of their runs the kernel left out. */
#ifndef POLLSCOPE_ATTACH_PROGRAMS_H
#define POLLSCOPE_ATTACH_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/probe_links.h"
#include "bpf/events.h"

struct pollscope_bpf;

/* enum bpf_attach_type, of which older headers know less */
enum program_type {
	PROGRAM_PERF = 0,
	PROGRAM_MULTI = 48,
	PROGRAM_SESSION = 57,
};

/* Before loading: how the programs on probes are going to be attached (tracer_options). */
void programs_choose(struct pollscope_bpf *skel, bool multi, bool session);

#define PROGRAM_USES 10

/*
 * What is attached for a plan, in this order: ends come before starts, for a start without its end would
 * leave a poll open. Returns how many.
 */
size_t programs_uses(const struct pollscope_bpf *skel, struct probe_use uses[PROGRAM_USES]);

/* Runs that the kernel left out, as the program was running already: by what each would have written. */
void programs_missed(const struct pollscope_bpf *skel, uint64_t missed[WIRE_TYPES]);

#endif
