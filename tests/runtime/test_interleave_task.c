// SPDX-License-Identifier: MIT
/* A task's life in every order of those who poll, wake, abort, await and drop it. */

/* First, as it is: what only counts is no point of interest. */
#include "sched/counters.h"

#include "interleave_points.h"

#include "sync/join_set.h"
#include "probes.h"
#include "sched/runtime.h"
#include "sched/scope.h"

/* The queues: one for all, and a task's place in the list of those owned. */
static void model_queue(struct pollrt_task *task);
static bool model_disown(void);
#define worker_schedule(worker, task) ((void)(worker), model_queue(task))
#define worker_defer(worker, task) ((void)(worker), model_queue(task))
#define worker_notify_one(rt) ((void)(rt))
#define worker_depth(worker) ((void)(worker), 0u)
#define inject_push(inject, task) ((void)(inject), model_queue(task))
#define inject_length(inject) ((void)(inject), 0u)
#define owned_remove(list, task) ((void)(task), model_disown())
/* What a tracer would see: no wake once the task has ended, and none later than the poll that it led to. */
static void model_woken(uint64_t id);
static void model_terminated(void);
#define probe_task_wake(id) model_woken(id)
#define probe_task_terminate(id, reason) ((void)(id), (void)(reason), model_terminated())
static void *model_alloc(size_t size);
static void model_free(void *memory);
static void model_notify(struct pollrt_task *task);
#define block_on_notify(task) model_notify(task)
#define malloc(size) model_alloc(size)
#define free(memory) model_free(memory)

#include "sched/join.c"
#include "sched/state.c"
#include "sched/task.c"

#define FLAG_A 1u
#define FLAG_B 2u
#define NEVER 4u /* a flag that nobody sets */

struct world {
	struct pollrt_runtime rt;
	struct worker worker;
	struct pollrt_task *task;
	struct pollrt_join join;
	struct pollrt_task *queue[4];
	unsigned int queued;
	_Atomic uint32_t flags; /* what the future waits for */
	uint32_t wanted;
	unsigned int polls;
	unsigned int wakes; /* as announced, the task's own */
	bool terminated;
	bool polling;
	bool owned;
	bool ended; /* its state was dropped */
	bool seen;  /* by who awaited it */
	bool notified;
	struct pollrt_task joiner; /* who does */
	_Alignas(max_align_t) char memory[512];
};

static struct world world;

static void *model_alloc(size_t size)
{
	assert_true(size <= sizeof(world.memory));
	return world.memory;
}

static void model_free(void *freed)
{
	interleave_expect(freed == world.memory);
	interleave_freed(world.memory, sizeof(world.memory));
}

static void model_queue(struct pollrt_task *task)
{
	interleave_point(&world.queue, true, "queue", __LINE__);
	for (unsigned int i = 0; i < world.queued; i++)
		interleave_expect(world.queue[i] != task);
	interleave_expect(!world.polling || interleave.running < 0 || context_polls(task));
	world.queue[world.queued++] = task;
}

static void model_woken(uint64_t id)
{
	if (id != world.task->id)
		return;
	interleave_point(&world.wakes, true, "announce a wake", __LINE__);
	interleave_expect(!world.terminated);
	world.wakes++;
}

static void model_terminated(void)
{
	interleave_point(&world.wakes, true, "announce the end", __LINE__);
	interleave_expect(!world.terminated);
	world.terminated = true;
}

static bool model_disown(void)
{
	bool owned;

	interleave_point(&world.owned, true, "disown", __LINE__);
	owned = world.owned;
	world.owned = false;
	return owned;
}

static enum pollrt_poll model_poll(void *state, struct pollrt_cx *cx)
{
	enum pollrt_poll poll;

	(void)state;
	(void)cx;
	interleave_expect(!world.polling && !world.ended);
	world.polling = true;
	world.polls++;
	interleave_expect(world.polls <= world.wakes + 1);
	poll = (atomic_load(&world.flags) & world.wanted) == world.wanted;
	world.polling = false;
	return poll;
}

static void model_drop(void *state)
{
	(void)state;
	interleave_expect(!world.polling && !world.ended);
	world.ended = true;
}

/* A task in the queue that waits for @wanted, with references for the list, the queue and @others. */
static void begin(uint32_t wanted, uint64_t others)
{
	memset(&world, 0, sizeof(world));
	world.rt.workers = &world.worker;
	world.rt.workers_count = 1;
	world.wanted = wanted;
	atomic_init(&world.rt.refs, 1);
	world.owned = true;
	world.task = task_new(&world.rt, TASK_SPAWNED, NULL, 0, 2 + others);
	/* Each run is the same. */
	world.task->id = 1;
	world.task->poll = model_poll;
	world.task->drop = model_drop;
	world.join.task = world.task;
	counters_add(&world.rt.shared, COUNTER_SPAWNS, 1);
	model_queue(world.task);
}

static bool has_work(const struct interleave_op *op)
{
	(void)op;
	return world.queued || world.ended;
}

static void work(void *unused)
{
	struct context context = {.rt = &world.rt, .worker = &world.worker};

	(void)unused;
	context_enter(&context);
	for (;;) {
		interleave_wait((struct interleave_op){
			.address = &world.queue, .write = true, .what = "take", .ready = has_work});
		if (!world.queued)
			break;
		task_run(&context, world.queue[--world.queued]);
	}
	context_leave(&context);
}

/* As a leaf future does: what is waited for, then the wake. */
static void set(uint32_t flag)
{
	atomic_fetch_or(&world.flags, flag);
	task_wake(world.task);
	task_unref(world.task);
}

static void set_a(void *unused)
{
	(void)unused;
	set(FLAG_A);
}

static void set_b(void *unused)
{
	(void)unused;
	set(FLAG_B);
}

static void abort_it(void *unused)
{
	(void)unused;
	pollrt_join_abort(&world.join);
	pollrt_join_detach(&world.join);
}

static void shut_down(void *unused)
{
	(void)unused;
	if (model_disown()) {
		task_shutdown(world.task);
		task_unref(world.task);
	}
}

static uint64_t count_of(enum counter which)
{
	return world.worker.counters.value[which] + world.rt.shared.value[which];
}

/* It ended once and is gone, and each wake led to a poll, or is counted as one that could not. */
static void end(void *unused)
{
	(void)unused;
	/* What still lay in a queue at shutdown. */
	while (world.queued)
		task_unref(world.queue[--world.queued]);
	assert_true(world.ended);
	assert_ptr_equal(interleave.freed, world.memory);
	/* This test's, and what the worker has in store. */
	assert_int_equal(world.rt.refs, 1 + world.worker.refs);
	assert_int_equal(count_of(COUNTER_POLLS), world.polls);
	assert_int_equal(count_of(COUNTER_COMPLETIONS) + count_of(COUNTER_CANCELLATIONS), 1);
	assert_int_equal(count_of(COUNTER_SPAWNS) + count_of(COUNTER_WAKES),
			 world.polls + count_of(COUNTER_DISCARDS));
}

static void end_completed(void *unused)
{
	end(unused);
	assert_int_equal(count_of(COUNTER_COMPLETIONS), 1);
}

static void explore(struct interleave_case test)
{
	test.world = &world;
	test.size = sizeof(world);
	test.local = (void **)&context_top;
	assert_true(interleave_explore(&test) > 20);
}

static void begin_both(void *unused)
{
	(void)unused;
	begin(FLAG_A | FLAG_B, 2);
}

static void no_wake_is_lost_among_two(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_both, .threads = {work, set_a, set_b}, .end = end_completed});
}

static void begin_one(void *unused)
{
	(void)unused;
	begin(FLAG_A, 1);
}

static void two_workers_never_poll_it_at_once(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_one, .threads = {work, work, set_a}, .end = end_completed});
}

static void begin_aborted(void *unused)
{
	(void)unused;
	begin(FLAG_A | NEVER, 2);
}

static void an_abort_ends_it_whatever_wakes_it(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_aborted, .threads = {work, set_a, abort_it}, .end = end});
}

static void a_shutdown_ends_it_beside_wakes_and_aborts(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_aborted, .threads = {shut_down, set_a, abort_it}, .end = end});
}

/* As block_on() does. */
static void model_notify(struct pollrt_task *task)
{
	interleave_point(&world.notified, true, "notify", __LINE__);
	interleave_expect(task == &world.joiner && !world.notified);
	world.notified = true;
}

static bool is_notified(const struct interleave_op *op)
{
	(void)op;
	return world.notified;
}

static enum pollrt_poll model_await(void *state, struct pollrt_cx *cx)
{
	(void)state;
	return pollrt_join(&world.join, cx);
}

static void begin_joined(void *unused)
{
	(void)unused;
	begin(FLAG_A, 2);
	world.joiner.rt = &world.rt;
	world.joiner.type = TASK_BLOCK_ON;
	world.joiner.poll = model_await;
	/* One reference too many: it is not freed. */
	state_init(&world.joiner.state, 2);
}

static void await_it(void *unused)
{
	struct context context = {.rt = &world.rt, .budget = CONTEXT_BUDGET};
	enum state_idle idle;

	(void)unused;
	context_enter(&context);
	while (task_poll_block_on(&context, &world.joiner, NULL, &idle) == POLLRT_PENDING) {
		if (idle == STATE_IDLE_QUEUE)
			continue;
		interleave_wait((struct interleave_op){.address = &world.notified,
						       .write = true,
						       .what = "wait",
						       .ready = is_notified});
		world.notified = false;
	}
	interleave_expect(world.ended && world.join.status == 0);
	world.seen = true;
	pollrt_join_detach(&world.join);
	context_leave(&context);
}

static void end_joined(void *unused)
{
	end_completed(unused);
	assert_true(world.seen);
	assert_int_equal(state_load(&world.joiner.state) / STATE_REF, 1);
}

static void who_awaits_it_is_woken(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_joined, .threads = {work, set_a, await_it}, .end = end_joined});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wake_is_lost_among_two),
		cmocka_unit_test(two_workers_never_poll_it_at_once),
		cmocka_unit_test(an_abort_ends_it_whatever_wakes_it),
		cmocka_unit_test(a_shutdown_ends_it_beside_wakes_and_aborts),
		cmocka_unit_test(who_awaits_it_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
