/* SPDX-License-Identifier: MIT */
/* The probes where tasks wait: put on and taken off while a capture runs, their hits counted. */
#ifndef POLLSCOPE_ATTACH_AWAIT_LINKS_H
#define POLLSCOPE_ATTACH_AWAIT_LINKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/probe_links.h"

struct probe_plan;

struct await_place;

/* Those of a tracer; all zero but `use`, `sites` and links.multi: off, and none. */
struct await_links {
	struct probe_use use; /* no program: there are never any */
	int sites;            /* the map of probe sites */
	bool on;
	struct probe_links links;
	struct probe_links closing; /* by a thread: that takes tens of milliseconds */
	pthread_t closer;
	bool closes;
	struct await_place *places;
	size_t n;
};

/*
 * Takes the plan's points in, which are on from now on if the others are: probe_links_add() says the rest.
 * The path and the plan must stay until the source is removed. 0 or a negative errno: they are to be removed.
 */
int await_links_add(struct await_links *links, pid_t pid, const char *path,
		    const struct probe_plan *plan, uint16_t source, const uint32_t *cookies);

/* Takes those of a source off, for good. Its hits so far stay. */
void await_links_remove(struct await_links *links, uint16_t source);

/* Puts all on, or takes them off, at once. Those that the kernel refuses stay off. */
void await_links_switch(struct await_links *links, bool on);

/* What the hits so far have cost, each hit_ns where its instruction is emulated. */
uint64_t await_links_spent(struct await_links *links, uint64_t hit_ns);

/* The same, of each source whose probes were hit. each() returns non-zero to stop; returns that, or 0. */
int await_links_each(struct await_links *links, uint64_t hit_ns,
		     int (*each)(void *ctx, uint16_t source, uint64_t spent_ns), void *ctx);

/* Forgets all sources; links that are on stay until the next await_links_switch(). */
void await_links_forget(struct await_links *links);

void await_links_release(struct await_links *links);

#endif
