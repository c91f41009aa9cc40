/* SPDX-License-Identifier: MIT */
/*
 * The BPF programs, loaded: their rings, probe links and lifecycle. Knows nothing of runtimes.
 *
 * Everything is held by file descriptors of this process: when it ends, by whatever signal, nothing is
 * left in the kernel or in the target.
 *
 *	tracer_open -> tracer_register, tracer_attach ... -> tracer_start -> (read the rings) ...
 *	-> tracer_stop -> (read the rings) -> tracer_free
 */
#ifndef POLLSCOPE_ATTACH_TRACER_H
#define POLLSCOPE_ATTACH_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/adapter.h"

struct await_links;
struct elf_file;
struct kallsyms;
struct map_entry;
struct tracer;

struct tracer_options {
	size_t ring_bytes;     /* for each CPU; rounded up to a power of two of pages */
	uint32_t sample_hz;    /* 0: no samples */
	uint32_t await_stacks; /* a second of each kind of task; 0: none, nor their probes */
	bool frame_pointers;   /* user stacks are followed by them, not by tables */
	bool multi;   /* multi-uprobe links (kernel 6.6); else a perf event for each point */
	bool session; /* entry and return of a function in one link (kernel 6.13); needs multi */
	/* To tell interrupts from wakers; may be one that cannot be read. */
	struct kallsyms *kallsyms;
};

/*
 * Loads the programs, attaches those on the scheduler and the sampling clock; nothing is recorded yet.
 * Returns 0, or a negative errno with one line in why.
 */
int tracer_open(struct tracer **out, const struct tracer_options *options, char *why,
		size_t why_len);
void tracer_free(struct tracer *tracer);

/* The rings, one for each CPU that is online; they belong to the tracer. */
const int *tracer_rings(const struct tracer *tracer, size_t *n);

/*
 * Takes the threads of a process in that are not yet, under a number of the caller's for this image of it.
 * 0; -ESRCH; other negative errno.
 */
int tracer_register(struct tracer *tracer, pid_t pid, uint16_t process);

/*
 * Attaches a plan's points in one process; source is the caller's number for it. All or nothing, but for those
 * where tasks wait: where the kernel refuses one of these none is attached, and its refusal is in *refused, else 0.
 * Returns 0; -ENOSPC: out of sites (PROBE_SITES); or the kernel's refusal.
 */
int tracer_attach(struct tracer *tracer, pid_t pid, const struct elf_file *file,
		  const struct probe_plan *plan, uint16_t source, int *refused);

/* Takes the probes of a source off, and frees their sites. */
void tracer_detach(struct tracer *tracer, uint16_t source);

/*
 * The stacks of a process are unwound by what it has mapped from now on: n entries and the files behind them
 * (attach/unwind_maps.h); so are those of threads that are asleep. Nothing with frame pointers. 0 or a negative errno: some stacks will end early.
 */
int tracer_unwind(struct tracer *tracer, pid_t pid, uint16_t process,
		  const struct map_entry *entries, const struct elf_file *const *files, size_t n);
void tracer_unwind_forget(struct tracer *tracer, uint16_t process);

/* Stacks so far that ended where a process had no file mapped when it was looked at last. */
uint64_t tracer_unwound_nowhere(const struct tracer *tracer);

/* Begins to record; returns the time of the start. */
uint64_t tracer_start(struct tracer *tracer);

/* Walks the threads of a process to have each named, after tracer_start. */
int tracer_name_threads(struct tracer *tracer, pid_t pid, uint16_t process);

/*
 * Ends recording, detaches everything, and has the open polls and sleeps of the given processes written.
 * Returns the time of the end.
 */
uint64_t tracer_stop(struct tracer *tracer, const pid_t *pids, const uint16_t *processes, size_t n);

/* The probes where tasks wait, which are on from the beginning. */
struct await_links *tracer_awaits(struct tracer *tracer);

/*
 * From now on one poll in one_in is recorded, and no wake (their probes are taken off). Returns the time.
 * There is no way back.
 */
uint64_t tracer_sample(struct tracer *tracer, uint32_t one_in);

/* Polls left out by sampling so far, by kind. each() returns non-zero to stop; returns that, or 0. */
int tracer_skipped(const struct tracer *tracer,
		   int (*each)(void *ctx, uint16_t source, uint64_t kind, uint64_t polls),
		   void *ctx);

/* Records lost so far by wire type, including probe hits that the kernel skipped. */
void tracer_lost(const struct tracer *tracer, uint64_t lost[WIRE_TYPES]);

/*
 * For calibration: records one poll in one_in in the state before tracer_start; 0: stops doing so, and
 * forgets what was lost and left out meanwhile. What was attached for it is taken off with all else at the
 * end: nobody is to come by there again.
 */
void tracer_rehearse(struct tracer *tracer, uint32_t one_in);

#endif
