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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "tokio/timers.h"

struct elf_file;

/* Which BPF program a point gets. */
enum probe_program {
	PROBE_POLL_START,
	PROBE_POLL_END,
	PROBE_SIGNAL,
	PROBE_WAKE,           /* a signal that is taken off while polls are sampled */
	PROBE_TOKIO_POLL,     /* a task's poll function: entry and return */
	PROBE_TOKIO_JOB,      /* a blocking job's: entry and return */
	PROBE_TOKIO_WAKE,     /* a waker function's entry */
	PROBE_TOKIO_SHUTDOWN, /* a vtable's shutdown function's entry: cancels */
	PROBE_AWAIT,          /* where a task gives its waker away */
	PROBE_PROGRAMS
};

/* What the kernel does with the instruction that a probe replaces. */
enum probe_cost {
	PROBE_EMULATED, /* about half a microsecond a hit */
	PROBE_STEPPED,  /* single-stepped: ten */
};

struct probe_point {
	enum probe_program program;
	uint64_t offset;           /* in the file */
	uint64_t semaphore_offset; /* 0: none */
	enum probe_cost cost;
	struct probe_site site; /* source is filled in when it is attached */
};

/* What a kind is called. Strings are UTF-8 without control characters. */
struct kind_name {
	char *type;    /* short: app::echo_conn */
	char *verbose; /* the full type; NULL: no more is known */
	char *file;    /* "" where unknown */
	uint32_t line; /* 0 where unknown */
};

/* What an adapter found in one file. */
struct probe_plan {
	const char *runtime; /* the adapter's name */
	char version[32];    /* "" where unknown */
	struct probe_point *points;
	size_t npoints;
	uint32_t capabilities; /* enum event_capability: signals that have a point */
	size_t unreadable;     /* points left out: an argument they need cannot be read */
	size_t unprobed;       /* functions left out: nowhere in them may a probe be put */
	char found[160];    /* what the points are of, for doctor; "": the adapter's name says it */
	const char *unseen; /* what no point can show, for doctor; NULL: the capabilities say all */
	char refusal[160];  /* why a runtime that is there cannot be traced; "": nothing is wrong */
	/*
	 * For runtimes whose kinds are static objects of the file (an unmodified Tokio's vtables), which
	 * only userspace can name; NULL: the programs read what a kind is.
	 */
	struct kind_names *names;
	struct timers timers; /* Tokio's: these give a waker away also where their time has come */
};

/* Names of kinds by their link-time address; made lazily, for naming one takes long. */
struct kind_names {
	/* 0 and *name (kind_name_release); -ENOENT: nothing is known of it; -ENOMEM. */
	int (*name)(struct kind_names *names, uint64_t vaddr, struct kind_name *name);
	/*
	 * For doctor: how kinds get their names, and how many get none, in one line; looks all of them up.
	 * 0 or -ENOMEM. NULL: there is nothing to tell.
	 */
	int (*survey)(struct kind_names *names, char *line, size_t size);
	void (*free)(struct kind_names *names);
};

void kind_name_release(struct kind_name *name);

struct adapter {
	const char *name;
	bool usdt; /* its points are USDT probes: it takes a provider */
	/*
	 * Fills *plan with the probe points of file; none: npoints is 0. The file must outlive the plan.
	 * provider: of USDT probes, where the user has named one; NULL: the adapter's own. Returns 0 or a
	 * negative errno (-ENOEXEC: damaged, -ENOMEM).
	 */
	int (*scan)(const struct elf_file *file, const char *provider, struct probe_plan *plan);
};

/* All adapters, in the order in which they are tried: of several with one name, the first that has a
 * complete plan for a file is taken. Ends with a NULL. */
extern const struct adapter *const adapters[];

/* Which adapters are tried. All zero: all, each with its own provider. */
struct adapter_choice {
	const char *name;     /* those called so; NULL: whatever they are called */
	const char *provider; /* the USDT ones, with this provider; NULL: not chosen by that */
};

/*
 * Reads what a user chose: an adapter's name, or usdt:PROVIDER; *choice points into text. False: there is
 * no such adapter.
 */
bool adapter_choose(const char *text, struct adapter_choice *choice);

/* Whether an adapter is among those chosen. */
bool adapter_chosen(const struct adapter *adapter, const struct adapter_choice *choice);

/* Releases what scan() filled in. */
void probe_plan_release(struct probe_plan *plan);

/* Whether a poll can be told from its plan: both its ends have points. */
int probe_plan_complete(const struct probe_plan *plan);

extern const struct adapter adapter_pollrt;
extern const struct adapter adapter_tokio_usdt;
extern const struct adapter adapter_tokio;

#endif
