/* SPDX-License-Identifier: MIT */
/*
 * How much task time lies in a stretch of the capture.
 *
 * After a loss every gap or poll that overlaps the stretch in which events were lost is uncertain
 * there. Gaps and polls tile each task's lifetime, so that this is the integral of the number of
 * live tasks, and need not be looked for task by task. Its course is remembered in steps of a
 * millisecond.
 */
#ifndef POLLSCOPE_CORE_ALIVE_H
#define POLLSCOPE_CORE_ALIVE_H

#include <stdint.h>

#define ALIVE_MARKS 4096

struct alive_mark {
	uint64_t time;
	uint64_t area; /* task time until then */
	uint64_t tasks;
};

/* All zero: nobody lives, at time 0. */
struct alive {
	struct alive_mark now;
	struct alive_mark marks[ALIVE_MARKS]; /* a ring, ascending in time */
	uint64_t nmarks;                      /* ever made */
	uint64_t told;                        /* until where alive_uncertain() has counted */
};

/* A task lives from `since`, which may be in the past. */
void alive_born(struct alive *alive, uint64_t since, uint64_t now);

/* A task that lives was found to have been alive since `since`, earlier than its birth. */
void alive_older(struct alive *alive, uint64_t since, uint64_t birth);

void alive_died(struct alive *alive, uint64_t now);

/* Task time in [since, until], of it what no earlier call has counted. */
uint64_t alive_uncertain(struct alive *alive, uint64_t since, uint64_t until);

#endif
