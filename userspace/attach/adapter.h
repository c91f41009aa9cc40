/* SPDX-License-Identifier: MIT */
/*
 * Runtime adapters: what differs between runtimes, as a table.
 *
 * An adapter looks at one file mapped into a target and says where its probe points are, what each means,
 * and where the arguments are at that point. Adding a runtime is adding an adapter to adapters[].
 */
#ifndef POLLSCOPE_ATTACH_ADAPTER_H
#define POLLSCOPE_ATTACH_ADAPTER_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

struct elf_file;

/* Which BPF program a point gets. */
enum probe_program { PROBE_POLL_START, PROBE_POLL_END, PROBE_SIGNAL, PROBE_PROGRAMS };

struct probe_point {
	enum probe_program program;
	uint64_t offset;           /* in the file */
	uint64_t semaphore_offset; /* 0: none */
	struct probe_site site;    /* source is filled in when it is attached */
};

/* What an adapter found in one file. */
struct probe_plan {
	const char *runtime; /* the adapter's name */
	char version[32];    /* "" where unknown */
	struct probe_point *points;
	size_t npoints;
	uint32_t capabilities; /* enum event_capability: signals that have a point */
	size_t unreadable;     /* points left out: an argument they need cannot be read */
};

struct adapter {
	const char *name;
	/*
	 * Fills *plan with the probe points of file; none: npoints is 0. The file must outlive the plan.
	 * Returns 0 or a negative errno (-ENOEXEC: damaged, -ENOMEM).
	 */
	int (*scan)(const struct elf_file *file, struct probe_plan *plan);
};

/* All adapters; ends with a NULL. */
extern const struct adapter *const adapters[];

/* The adapter called name, or NULL. */
const struct adapter *adapter_by_name(const char *name);

/* Releases what scan() filled in. */
void probe_plan_release(struct probe_plan *plan);

/* Whether a poll can be told from its plan: both its ends have points. */
int probe_plan_complete(const struct probe_plan *plan);

extern const struct adapter adapter_pollrt;

#endif
