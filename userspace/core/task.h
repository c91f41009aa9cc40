/* SPDX-License-Identifier: MIT */
/*
 * One task's life.
 *
 * A poll is told at its end, but the wakes inside it at once, so that a wake may turn out to lie
 * before the next poll or in it: wakes are kept until that poll is told. A probe contract that
 * tells each effective wake gives one before a poll and one in it at most; of more, the first and
 * the last are known.
 *
 * A task's time is accounted up to `since`, all of it to exactly one of scheduled, polling and
 * idle: what comes late and overlaps that is cut off, and counted as uncertain.
 */
#ifndef POLLSCOPE_CORE_TASK_H
#define POLLSCOPE_CORE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "core/kinds.h"
#include "core/model.h"
#include "core/observe.h"
#include "core/source.h"

struct correlator;

enum task_flag {
	TASK_SPAWNED = 1 << 0, /* its birth was seen */
	TASK_FRESH = 1 << 1, /* its next poll needs no wake: the first that is known of it, or of a
				block_on */
	TASK_POLLED = 1 << 2,
	TASK_READY = 1 << 3, /* last poll completed it */
	TASK_OPEN = 1 << 4,  /* last poll was in progress at the end */
	TASK_DYING =
		1 << 5, /* terminated at `death`, perhaps inside of a poll that is not told yet */
	TASK_CANCELLED = 1 << 6,
	TASK_AGAIN = 1 << 7, /* seen after its end, and counted then */
};

/* In the order of use: wakes touch the first of three cache lines. */
struct task {
	uint64_t since; /* accounted until then */
	uint64_t first_wake, last_wake;
	uint64_t first_waker, last_waker; /* WAKER_KIND, _NAME or _TASK with a number; 0 */
	uint64_t pending; /* wakes not resolved; spawning is one; a wake in a poll is one at its end
			   */
	uint64_t wakes;
	struct kind *kind; /* NULL: none known yet */

	struct source *source;
	uint64_t last_start; /* of its last poll */
	uint64_t birth;
	uint64_t scheduled_ns, polling_ns, blocked_ns, runqueue_ns;
	uint16_t place; /* in the graveyard, while it is dying */
	uint8_t flags;  /* enum task_flag */
	uint32_t await; /* number of its gap (core/strata.h), where its last poll left it waiting at
			   a known place; 0 */

	uint64_t polls, max_poll_ns;
	uint64_t redundant_wakes;
	uint64_t id;
	uint64_t death;
	uint64_t serial;
	uint64_t woken; /* first_wake, and when that was moved to a poll's end, where it was */
	uint32_t first_tid, last_tid; /* threads of the wakers; 0: unknown */
};

_Static_assert(sizeof(struct task) == 3 * 64, "struct task: cache lines");

struct task_summary {
	struct kind *kind;
	struct model_task task;
};

/* Who woke a task: what, in the upper bits, and its number. */
#define WAKER_SHIFT 62
#define WAKER_KIND (UINT64_C(1) << WAKER_SHIFT) /* a task of a kind */
#define WAKER_NAME (UINT64_C(2) << WAKER_SHIFT) /* a thread, or otherwise, by name */
#define WAKER_TASK                                                                                 \
	(UINT64_C(3) << WAKER_SHIFT) /* a task of the same source, of a kind not known yet */

#define DYING_TASKS 1024
#define GRAVES (1 << 16)

struct grave {
	uint64_t id;
	uint64_t death;
	struct kind *kind; /* NULL: empty */
};

/*
 * The dying wait here for the poll that they may have ended in; where polls overlap, for any. The
 * dead are remembered for a while: a wake can race with its task's end and be told after it, and
 * must not bring the task back.
 */
struct graveyard {
	struct task *dying[DYING_TASKS]; /* a ring */
	uint32_t next;
	struct grave *graves; /* GRAVES of them, by hash; newer replace older */
};

/* A poll as far as it counts. */
struct poll_span {
	struct task *task;
	struct kind *kind;
	uint64_t start, end;
	uint64_t ran_ns; /* of [start, end], what was not accounted before */
	uint64_t blocked_ns, runqueue_ns, on_cpu_ns;
	bool sampled; /* it stands for others, too */
};

/* Life (life.c). Each returns 0 or -ENOMEM. */

/* Makes a task, alive from `birth` on; NULL without memory. */
struct task *task_new(struct correlator *correlator, struct source *source, uint64_t id,
		      uint64_t birth, uint64_t now);
int task_spawn(struct correlator *correlator, const struct event *event, uint64_t time);
int task_enter(struct correlator *correlator, const struct event *event, uint64_t time);
int task_terminate(struct correlator *correlator, struct source *source,
		   const struct event_terminate *end, uint64_t time);

/*
 * Accounts a task until `end` and frees it. `state` is how it ended; MODEL_IDLE for one that lives
 * on beyond the capture.
 */
int task_end(struct correlator *correlator, struct task *task, uint64_t end,
	     enum model_state state);

/* Ends one that is dying where it died. */
int task_bury(struct correlator *correlator, struct task *task);
int tasks_bury_all(struct correlator *correlator);

/* Of a task that is gone, NULL if it is not known to be. */
struct grave *grave_find(struct correlator *correlator, const struct source *source, uint64_t id);

/* Waits and polls (task.c). Each returns 0 or -ENOMEM. */

int task_wake(struct correlator *correlator, const struct event *event, uint64_t time);

/* Finds or makes the task that a poll is of; NULL in *task if it is long gone, the poll then too
 * late. */
int task_polled(struct correlator *correlator, const struct event *event, uint64_t start,
		uint64_t end, struct task **task);

/* Accounts the gap before the poll, and the poll's ran_ns; sets task->since to its end. */
int task_poll(struct correlator *correlator, struct task *task, const struct event *event,
	      struct poll_span *span);

/* Accounts the gap until `until`, not before `since`. `tid`: where the wait ended, 0: nowhere. */
int task_gap(struct correlator *correlator, struct task *task, uint64_t until, uint32_t tid);

/* Whether its wakes are told at `time`. */
bool task_tells_wakes(const struct correlator *correlator, const struct task *task, uint64_t time);

/* For observers. Its kind must be known. */
struct observed_task task_observed(const struct task *task);

/* Gives a task a kind as long as it has none that is known and counted on. */
int task_set_kind(struct correlator *correlator, struct task *task, uint64_t address,
		  bool block_on);

/* Order of struct task_summary: longest poll, longest life, id. */
int task_compare(const void *a, const void *b);

#endif
