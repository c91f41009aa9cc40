// SPDX-License-Identifier: MIT
/* Workers that search, park and are notified, in every order: work that is there is always found. */
#define DEQUE_SIZE 4u
#define LINGER_LOOKS 1

/* First, as they are: what only counts is no point of interest. */
#include "pollrt.h"

#define pollrt_now_ns() ((uint64_t)1)

#include "sched/busy.h"
#include "sched/counters.h"

#include "interleave_points.h"

#include "probes.h"
#include "sched/runtime.h"
#include "sched/task.h"

#define PREEMPTIONS 2
#define WORKERS 2
#define TASKS 3

struct world {
	struct pollrt_runtime rt;
	struct worker workers[WORKERS];
	struct pollrt_task tasks[TASKS];
	uint32_t sleepers[WORKERS];
	bool driver_locked;
	bool driver_woken;
	bool ran[TASKS];
	unsigned int wanted;
	unsigned int
		awaits; /* the task that the first one waits for, asleep in its poll; 0: none */
};

static struct world world;

static bool model_driver_try_lock(void)
{
	bool free;

	interleave_point(&world.driver_locked, true, "driver_try_lock", __LINE__);
	free = !world.driver_locked;
	world.driver_locked = true;
	return free;
}

static void model_driver_unlock(void)
{
	interleave_point(&world.driver_locked, true, "driver_unlock", __LINE__);
	world.driver_locked = false;
}

static bool driver_was_woken(const struct interleave_op *op)
{
	(void)op;
	return world.driver_woken;
}

static void model_driver_turn(bool block)
{
	interleave_wait((struct interleave_op){.address = &world.driver_woken,
					       .write = true,
					       .what = "driver_turn",
					       .line = __LINE__,
					       .ready = block ? driver_was_woken : NULL});
	world.driver_woken = false;
}

static void model_driver_wake(void)
{
	interleave_point(&world.driver_woken, true, "driver_wake", __LINE__);
	world.driver_woken = true;
}

static void model_run(struct context *context, struct pollrt_task *task);
#define driver_try_lock(driver) ((void)(driver), model_driver_try_lock())
#define driver_unlock(driver) ((void)(driver), model_driver_unlock())
#define driver_turn(driver, block) ((void)(driver), model_driver_turn(block))
#define driver_wake(driver) ((void)(driver), model_driver_wake())
#define task_run(context, task) model_run(context, task)
#define calloc(n, size) ((void)((n) * (size)), (void *)world.sleepers)

#include "sched/deque.c"
#include "sched/idle.c"
#include "sched/inject.c"
#include "sched/parker.c"
#include "sched/worker.c"

#undef calloc

static bool has_run_what_it_awaits(const struct interleave_op *op)
{
	(void)op;
	return world.ran[world.awaits];
}

/* As stop_workers() does. */
static void stop(void)
{
	atomic_store_explicit(&world.rt.shutdown, true, memory_order_release);
	for (unsigned int i = 0; i < WORKERS; i++)
		parker_unpark(&world.workers[i].parker, &world.rt.driver);
}

static void model_run(struct context *context, struct pollrt_task *task)
{
	unsigned int self = (unsigned int)(task - world.tasks), ran = 0;

	interleave_point(&world.ran, true, "run", __LINE__);
	interleave_expect(!world.ran[self]);
	if (self == 0 && world.awaits) {
		for (unsigned int i = 1; i < TASKS; i++)
			worker_schedule(context->worker, &world.tasks[i]);
		interleave_wait((struct interleave_op){.address = &world.ran,
						       .write = true,
						       .what = "await",
						       .ready = has_run_what_it_awaits});
	}
	world.ran[self] = true;
	for (unsigned int i = 0; i < TASKS; i++)
		ran += world.ran[i];
	if (ran == world.wanted)
		stop();
}

static void begin(unsigned int wanted, unsigned int awaits)
{
	memset(&world, 0, sizeof(world));
	world.wanted = wanted;
	world.awaits = awaits;
	world.rt.id = 1;
	world.rt.workers = world.workers;
	world.rt.workers_count = WORKERS;
	inject_init(&world.rt.inject);
	idle_init(&world.rt.idle, WORKERS);
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_init(&world.workers[i], &world.rt, i);
}

static void first_worker(void *unused)
{
	(void)unused;
	worker_run(&world.workers[0]);
}

static void second_worker(void *unused)
{
	(void)unused;
	worker_run(&world.workers[1]);
}

static void schedule_outside(unsigned int task)
{
	inject_push(&world.rt.inject, &world.tasks[task]);
	worker_notify_one(&world.rt);
}

static void push_one(void *unused)
{
	(void)unused;
	schedule_outside(0);
}

static void push_two(void *unused)
{
	(void)unused;
	schedule_outside(0);
	schedule_outside(1);
}

static void end(void *unused)
{
	unsigned int ran = 0;

	(void)unused;
	for (unsigned int i = 0; i < TASKS; i++)
		ran += world.ran[i];
	assert_int_equal(ran, world.wanted);
}

static void explore(struct interleave_case test)
{
	test.end = end;
	test.world = &world;
	test.size = sizeof(world);
	test.local = (void **)&context_top;
	test.preemptions = PREEMPTIONS;
	assert_true(interleave_explore(&test) > 20);
}

static void begin_one(void *unused)
{
	(void)unused;
	begin(1, 0);
}

static void a_task_from_outside_is_run(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.begin = begin_one,
					 .threads = {first_worker, second_worker, push_one}});
}

static void begin_two(void *unused)
{
	(void)unused;
	begin(2, 0);
}

static void two_tasks_from_outside_are_run(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.begin = begin_two,
					 .threads = {first_worker, second_worker, push_two}});
}

/* The second task it schedules stays in the LIFO slot, the first goes where others can take it. */
static void begin_blocked(void *unused)
{
	(void)unused;
	begin(TASKS, 1);
}

static void a_worker_takes_what_waits_behind_a_blocked_poll(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.begin = begin_blocked,
					 .threads = {first_worker, second_worker, push_one}});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_from_outside_is_run),
		cmocka_unit_test(two_tasks_from_outside_are_run),
		cmocka_unit_test(a_worker_takes_what_waits_behind_a_blocked_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
