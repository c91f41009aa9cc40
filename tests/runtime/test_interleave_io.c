// SPDX-License-Identifier: MIT
/* An operation that waits, in every order of those who make it ready, drop it and close what it waits for. */

/* First, as it is: what only counts is no point of interest. */
#include "sched/counters.h"

#include "interleave_points.h"

#include <sys/epoll.h>

#include "io/io.h"
#include "probes.h"
#include "sched/runtime.h"
#include "sched/scope.h"
#include "sched/task.h"

static void model_wake(struct pollrt_task *task);
static void model_release(struct pollrt_io *io);
static void model_free(void *memory);
#define task_wake(task) model_wake(task)
#define runtime_unref(rt) ((void)(rt))
#define driver_release(driver, io) ((void)(driver), model_release(io))
#define free(memory) model_free(memory)

#include "io/io.c"

struct world {
	struct pollrt_runtime rt;
	struct pollrt_io io;
	unsigned int bytes; /* there to be read */
	bool pieces;        /* of which a read gets one only, and no event tells of the next */
	bool woken;
	unsigned int got, wanted;
	struct pollrt_io *closed; /* but perhaps in events that were fetched */
	bool freed;
	struct pollrt_task task; /* who waits; its end is open */
};

static struct world world;

static void model_wake(struct pollrt_task *task)
{
	interleave_point(&world.woken, true, "wake", __LINE__);
	interleave_expect(task == &world.task);
	world.woken = true;
}

static void model_free(void *memory)
{
	interleave_expect(memory == &world.io);
	world.freed = true;
	interleave_freed(&world.io, sizeof(world.io));
}

static void model_release(struct pollrt_io *io)
{
	interleave_point(&world.closed, true, "release", __LINE__);
	world.closed = io;
}

static ssize_t model_attempt(struct pollrt_io *io, void *unused, bool *drained)
{
	unsigned int n;

	(void)io, (void)unused;
	interleave_point(&world.bytes, true, "attempt", __LINE__);
	n = world.pieces && world.bytes ? 1 : world.bytes;
	world.bytes -= n;
	/* As of a stream that had less than was asked for. */
	*drained = n;
	return n ? (ssize_t)n : -EAGAIN;
}

static enum pollrt_poll poll_once(struct pollrt_scope *scope)
{
	struct pollrt_cx cx = {.task = &world.task, .scope = scope};
	enum pollrt_poll poll;
	ssize_t n;

	poll = io_attempt(&world.io, IO_READ, model_attempt, NULL, &n, &cx);
	if (poll == POLLRT_READY)
		world.got += (unsigned int)n;
	return poll;
}

static void begin(void *unused)
{
	(void)unused;
	memset(&world, 0, sizeof(world));
	world.wanted = 1;
	state_init(&world.task.state, 1);
	/* There is none to be closed. */
	world.io.fd = world.rt.driver.epoll_fd = -1;
	world.io.rt = &world.rt;
	for (unsigned int i = 0; i < IO_DIRECTIONS; i++)
		world.io.sides[i].io = &world.io;
}

static bool was_woken(const struct interleave_op *op)
{
	(void)op;
	return world.woken;
}

/* Waits for what the driver will tell. */
static void read_it(void *unused)
{
	struct context context = {.rt = &world.rt, .task = &world.task, .budget = CONTEXT_BUDGET};

	(void)unused;
	context_enter(&context);
	while (world.got < world.wanted) {
		if (poll_once(&world.task.scope) == POLLRT_READY)
			continue;
		interleave_wait((struct interleave_op){.address = &world.woken,
						       .write = true,
						       .what = "wait",
						       .ready = was_woken});
		world.woken = false;
	}
	interleave_expect(LIST_EMPTY(&world.task.scope));
	context_leave(&context);
}

/* Polls, and if that is not ready drops it. */
static void poll_and_drop(void)
{
	struct pollrt_scope scope = LIST_HEAD_INITIALIZER(scope);
	struct context context = {.rt = &world.rt, .task = &world.task, .budget = CONTEXT_BUDGET};

	context_enter(&context);
	poll_once(&scope);
	scope_end(&scope);
	context_leave(&context);
}

static void drop_it(void *unused)
{
	(void)unused;
	poll_and_drop();
	interleave_expect(!world.io.sides[IO_READ].waiter && !world.io.sides[IO_READ].scoped);
}

static void drop_and_read_it(void *unused)
{
	poll_and_drop();
	read_it(unused);
}

/* Gives it up in a scope that goes on, as only a hand-written future can, and closes it. */
static void give_up_and_close(void *unused)
{
	struct context context = {.rt = &world.rt, .task = &world.task, .budget = CONTEXT_BUDGET};

	(void)unused;
	context_enter(&context);
	poll_once(&world.task.scope);
	pollrt_io_close(&world.io);
	interleave_expect(LIST_EMPTY(&world.task.scope));
	context_leave(&context);
}

static void make_ready(void *unused)
{
	(void)unused;
	interleave_point(&world.bytes, true, "bytes", __LINE__);
	world.bytes++;
	io_ready(&world.io, EPOLLIN);
}

static bool is_closed(const struct interleave_op *op)
{
	(void)op;
	return world.closed;
}

/* The turn after that in which it was closed. */
static void release_it(void *unused)
{
	(void)unused;
	interleave_wait((struct interleave_op){
		.address = &world.closed, .write = true, .what = "turn", .ready = is_closed});
	io_release_list(world.closed);
}

static void make_ready_then_release(void *unused)
{
	make_ready(unused);
	release_it(unused);
}

static void close_it(void *unused)
{
	(void)unused;
	pollrt_io_close(&world.io);
}

/* It waits already. */
static void begin_waiting(void *unused)
{
	struct context context = {.rt = &world.rt, .task = &world.task, .budget = CONTEXT_BUDGET};

	begin(unused);
	context_enter(&context);
	poll_once(&world.task.scope);
	context_leave(&context);
}

static void end_scope(void *unused)
{
	(void)unused;
	scope_end(&world.task.scope);
}

/* Nothing is left of it. */
static void end(void *unused)
{
	(void)unused;
	assert_null(world.io.sides[IO_READ].waiter);
	assert_null(world.io.sides[IO_READ].scoped);
	assert_int_equal(state_load(&world.task.state) / STATE_REF, 1);
}

static void end_read(void *unused)
{
	end(unused);
	assert_int_equal(world.got, world.wanted);
}

static void end_freed(void *unused)
{
	end(unused);
	assert_true(world.freed);
}

static void explore(struct interleave_case test)
{
	test.begin = test.begin ? test.begin : begin;
	test.world = &world;
	test.size = sizeof(world);
	test.local = (void **)&context_top;
	assert_true(interleave_explore(&test) > 5);
}

static void who_waits_is_woken(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.threads = {read_it, make_ready}, .end = end_read});
}

static void begin_two(void *unused)
{
	begin(unused);
	world.wanted = 2;
}

static void make_ready_twice(void *unused)
{
	make_ready(unused);
	make_ready(unused);
}

static void after_a_short_read_the_next_event_counts(void **unused)
{
	(void)unused;
	explore((struct interleave_case){
		.begin = begin_two, .threads = {read_it, make_ready_twice}, .end = end_read});
}

static void begin_pieces(void *unused)
{
	begin_two(unused);
	world.pieces = true;
}

/* A byte, something urgent, a byte. */
static void make_ready_in_pieces(void *unused)
{
	(void)unused;
	interleave_point(&world.bytes, true, "bytes", __LINE__);
	world.bytes = 2;
	io_ready(&world.io, EPOLLIN | EPOLLPRI);
}

static void what_no_event_tells_of_is_read(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.begin = begin_pieces,
					 .threads = {read_it, make_ready_in_pieces},
					 .end = end_read});
}

static void what_is_dropped_leaves_nothing(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.threads = {drop_it, make_ready}, .end = end});
}

static void what_was_dropped_can_be_tried_again(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.threads = {drop_and_read_it, make_ready},
					 .end = end_read});
}

static void what_was_given_up_can_be_closed(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.threads = {give_up_and_close, make_ready_then_release},
					 .end = end_freed});
}

static void what_is_dropped_can_be_closed_meanwhile(void **unused)
{
	(void)unused;
	explore((struct interleave_case){.begin = begin_waiting,
					 .threads = {end_scope, close_it, make_ready_then_release},
					 .end = end_freed});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_is_woken),
		cmocka_unit_test(after_a_short_read_the_next_event_counts),
		cmocka_unit_test(what_no_event_tells_of_is_read),
		cmocka_unit_test(what_is_dropped_leaves_nothing),
		cmocka_unit_test(what_was_dropped_can_be_tried_again),
		cmocka_unit_test(what_was_given_up_can_be_closed),
		cmocka_unit_test(what_is_dropped_can_be_closed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
