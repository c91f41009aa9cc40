/* SPDX-License-Identifier: MIT */
/*
 * Names of kinds that only userspace can name, told soon where that is of use: a recorder may be killed. A
 * thread looks them up, as a file's symbols are read for that, or fetched even: the rings are to be read
 * meanwhile. Of a file whose probes are found, the capture itself reads no more than its program headers.
 */
#ifndef POLLSCOPE_ATTACH_CAPTURE_KINDS_H
#define POLLSCOPE_ATTACH_CAPTURE_KINDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/kind_set.h"
#include "attach/targets.h"

#define KINDS_BATCH 64 /* that are looked up before any of them is told */

struct capture;

/* One of a batch, and what came of it. */
struct kind_naming {
	struct kind_ref ref;
	struct kind_place place;
	struct kind_name name;
	int err;
};

/* A capture's; all zero is the beginning. */
struct capture_kinds {
	struct kind_naming batch[KINDS_BATCH]; /* the thread's own while it runs */
	size_t n;
	size_t taken; /* of the kinds that were seen: those that were in a batch */
	pthread_t thread;
	bool runs;
	bool done; /* atomic: the thread's last store; capture_kinds_follow() pairs with it */
};

/* Tells what is named by now, and has what was seen since named: where the sink is to outlive us. */
int capture_kinds_follow(struct capture *capture, uint64_t now);

/* Names and tells all that are left, however long it takes. */
int capture_kinds_finish(struct capture *capture, uint64_t time);

/* Waits for the thread. The targets must still be there. */
void capture_kinds_release(struct capture_kinds *kinds);

#endif
