/* SPDX-License-Identifier: MIT */
/* Programs attached to points in files of a process, and what holds them there. */
#ifndef POLLSCOPE_ATTACH_PROBE_LINKS_H
#define POLLSCOPE_ATTACH_PROBE_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/adapter.h"

struct bpf_program;

struct probe_link;

/* All links of a tracer; zero everywhere but `multi` is none. */
struct probe_links {
	bool multi; /* one multi-uprobe link for all points of a program in a file; else one for each point */
	struct probe_link *list;
	size_t n;
};

/* When a program runs. The points of the last two are the first instructions of functions. */
enum probe_edge {
	PROBE_ENTRY,   /* as the instruction is reached */
	PROBE_RETURN,  /* as the function returns */
	PROBE_SESSION, /* both; multi only */
};

/* A program, and which points are its own. */
struct probe_use {
	struct bpf_program *program;
	enum probe_program which;
	enum probe_edge edge;
};

/*
 * Attaches a program to those of the plan's points that are its own. The cookie of point i is
 * cookies[i]. Returns 0, -ENOMEM, or the kernel's refusal; links made until then stay.
 */
int probe_links_add(struct probe_links *links, const struct probe_use *use, pid_t pid,
		    const char *path, const struct probe_plan *plan, uint16_t source,
		    const uint32_t *cookies);

/* Detaches all but the first `kept`. */
void probe_links_cut(struct probe_links *links, size_t kept);

/* Detaches those of a source. */
void probe_links_remove(struct probe_links *links, uint16_t source);

/* Detaches a program's, of all sources. */
void probe_links_stop(struct probe_links *links, enum probe_program which);

/* Detaches all. */
void probe_links_release(struct probe_links *links);

/* Whether the kernel knows PROBE_SESSION. That it fires there is for calibrate() to see. */
bool probe_links_session(void);

#endif
