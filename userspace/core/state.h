/* SPDX-License-Identifier: MIT */
/*
 * What the correlator knows, shared by its parts. All times in it are since the capture's start.
 */
#ifndef POLLSCOPE_CORE_STATE_H
#define POLLSCOPE_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alive.h"
#include "core/awaits.h"
#include "core/best.h"
#include "core/causes.h"
#include "core/correlate.h"
#include "core/kinds.h"
#include "core/lookahead.h"
#include "core/names.h"
#include "core/pool.h"
#include "core/sampling.h"
#include "core/source.h"
#include "core/stacks.h"
#include "core/task.h"
#include "core/thread.h"
#include "core/weights.h"

#define NUMBERS (UINT16_MAX + 1) /* processes or sources that a number can name */

/* Names that are always there. */
enum { NAME_UNKNOWN, NAME_SPAWNED, NAME_FIXED };

struct correlator {
	struct event_sink sink;
	struct correlate_options options;
	struct model_capture capture; /* counts, and what the capture's start told */
	bool started, ended;
	uint64_t origin; /* CLOCK_MONOTONIC of the capture's start */
	uint64_t now;    /* of the latest event */
	uint64_t end;
	/* Polls that begin then or later are sampled; UINT64_MAX: none is. */
	uint64_t sampled_since;
	uint64_t lost[EVENT_TYPES];
	struct event_overhead overhead; /* of sources that have none of their own */

	struct process *processes[NUMBERS];
	struct source *sources[NUMBERS];
	unsigned int nprocesses, nsources; /* one past the highest number there is */
	struct names names;
	struct kinds kinds;
	struct causes causes;
	struct stacks stacks;
	struct weights weights;
	struct threads threads;
	struct pool task_pool;
	struct lookahead lookahead;
	struct graveyard graveyard;
	struct alive alive;
	struct awaits awaits;
	uint64_t ntasks; /* ever made */
	struct best best;

	struct model_module *modules; /* processes as events number them */
	size_t nmodules, module_room;
	struct model_symbol *symbols; /* likewise */
	size_t nsymbols, symbol_room;
};

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Since the capture's start, within bounds that a capture can have. */
uint64_t correlator_time(const struct correlator *correlator, uint64_t time);

/* What `number` names, made up where it was not described. NULL without memory. */
struct source *correlator_source(struct correlator *correlator, uint16_t number);
struct process *correlator_process(struct correlator *correlator, uint16_t number);

/* Finds or adds a weighted stack of a kind, rooted as the options say. NULL without memory. */
struct weight *correlator_weight(struct correlator *correlator, uint32_t what, struct kind *kind,
				 uint64_t task, uint32_t tid, uint32_t stack, uint32_t cause);

/* Adds to one, where the kind is of a type that was asked for. */
int correlator_weigh(struct correlator *correlator, uint32_t what, struct kind *kind, uint64_t task,
		     uint32_t tid, uint32_t stack, uint32_t cause, uint64_t count, uint64_t ns);

/* Keeps a stack of an event on `thread`, MODEL_NO_STACK for none, and counts how it ends. Returns 0 or -ENOMEM. */
int correlator_intern(struct correlator *correlator, const struct event *event,
		      const struct thread *thread, const struct event_stack *stack,
		      uint32_t *number);

/* One task's wait in a queue that ended on thread `tid`, 0: nowhere. `waker` is a code of task.c.
 */
int correlator_weigh_wait(struct correlator *correlator, const struct task *task, uint32_t tid,
			  uint32_t waker, uint64_t ns);

/* Takes the events that wait. Returns 0 or -ENOMEM. */
int correlator_flush(struct correlator *correlator);

/* Events that describe. Each returns 0 or -ENOMEM. */
int describe_take(struct correlator *correlator, const struct event *event);

/* Ends all tasks of a source: MODEL_IDLE if they live on beyond the capture. */
int source_end(struct correlator *correlator, struct source *source, uint64_t time,
	       enum model_state state);

/* EVENT_POLL, EVENT_OFFCPU, EVENT_SAMPLE. */
int poll_take(struct correlator *correlator, const struct event *event);
int offcpu_take(struct correlator *correlator, const struct event *event);
int sample_take(struct correlator *correlator, const struct event *event);

/* EVENT_BLOCKING_*; a poll told of a thread that is in a job; what is still open at the capture's end. */
int job_take(struct correlator *correlator, const struct event *event);
void job_polls(struct correlator *correlator, struct thread *thread);
int jobs_finish(struct correlator *correlator, struct source *source);

/* Parts of the model, made in this order once all is ended. Each returns 0 or -ENOMEM. */
int build_places(struct correlator *correlator, struct model *model);
int build_types(struct correlator *correlator, struct model *model);
int build_tasks(struct correlator *correlator, struct model *model);
int build_weights(struct correlator *correlator, struct model *model);
int build_symbols(struct correlator *correlator, struct model *model);
int build_capture(struct correlator *correlator, struct model *model);

#endif
