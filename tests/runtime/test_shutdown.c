// SPDX-License-Identifier: MIT
/* Shutdown ends each task once, whatever its state; LeakSanitizer fails the run on a leak. */
#include "helper.h"

#include "pollrt_io.h"

enum stage { STAGE_SLEEP, STAGE_TIMEOUT, STAGE_YIELD, STAGE_READ, STAGE_JOIN, STAGE_JOB, STAGES };

/* A task that never gets past the await of its stage. */
struct stuck {
	struct pollrt_async async;
	enum stage stage;
	_Atomic unsigned int *dropped;
	void *memory;
	struct pollrt_io *io;
	int other_end; /* of the pipe at `io`, kept open */
	char byte;
	ssize_t n;
	struct pollrt_join join;
	struct pollrt_sleep sleep;
	struct pollrt_timeout timeout;
};

struct nap {
	unsigned int us;
};

static void nap(struct nap *self)
{
	usleep(self->us);
}

static int spawn_stuck(struct pollrt_runtime *rt, struct pollrt_join *join, enum stage stage,
		       _Atomic unsigned int *dropped);

static POLLRT_ASYNC(stuck)
{
	POLLRT_BEGIN();
	switch (self->stage) {
	case STAGE_SLEEP:
		POLLRT_SLEEP(self->sleep, POLLRT_SEC(1000));
		break;
	case STAGE_TIMEOUT:
		POLLRT_AWAIT_TIMEOUT(
			self->timeout, POLLRT_SEC(2000),
			(self->sleep.ns = POLLRT_SEC(1000), pollrt_sleep(&self->sleep, cx)));
		break;
	case STAGE_YIELD:
		for (;;)
			POLLRT_YIELD();
		break;
	case STAGE_READ:
		POLLRT_AWAIT(pollrt_read(self->io, &self->byte, 1, &self->n, cx));
		break;
	case STAGE_JOIN:
		/* Refused where the first poll comes when the shutdown has begun. */
		if (spawn_stuck(NULL, &self->join, STAGE_SLEEP, self->dropped))
			POLLRT_SLEEP(self->sleep, POLLRT_SEC(1000));
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		break;
	default:
		pollrt_spawn_blocking(NULL, &self->join, nap, .us = 1000);
		for (;;)
			POLLRT_YIELD();
	}
	POLLRT_END();
}

static void stuck_drop(struct stuck *self)
{
	free(self->memory);
	pollrt_io_close(self->io);
	if (self->io)
		close(self->other_end);
	pollrt_join_detach(&self->join);
	++*self->dropped;
}

static int spawn_stuck(struct pollrt_runtime *rt, struct pollrt_join *join, enum stage stage,
		       _Atomic unsigned int *dropped)
{
	struct pollrt_io *io = NULL;
	void *memory = malloc(100);
	int fds[2] = {-1, -1}, err;

	if (stage == STAGE_READ) {
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(pollrt_io_open(&io, rt, fds[0]), 0);
	}
	err = pollrt_spawn_drop(rt, join, stuck, stuck_drop, .stage = stage, .dropped = dropped,
				.memory = memory, .io = io, .other_end = fds[1]);
	if (err) {
		close(fds[1]);
		free(memory);
		pollrt_io_close(io);
	}
	return err;
}

static void tasks_end_once_in(enum stage stage, enum pollrt_flavour flavour)
{
	struct pollrt_runtime *rt = helper_runtime(flavour, 2);
	_Atomic unsigned int dropped = 0;
	struct pollrt_metrics m;
	struct pollrt_join join;

	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(spawn_stuck(rt, i ? NULL : &join, stage, &dropped), 0);
	usleep(2000);
	pollrt_runtime_shutdown(rt);
	pollrt_metrics(rt, &m);
	assert_int_equal(m.cancellations, m.spawns);
	assert_int_equal(dropped, m.spawns);
	pollrt_join_detach(&join);
	helper_finish(rt);
}

static void tasks_end_once_in_every_state(void **state)
{
	(void)state;
	for (enum stage stage = 0; stage < STAGES; stage++) {
		tasks_end_once_in(stage, POLLRT_MULTI_THREAD);
		tasks_end_once_in(stage, POLLRT_CURRENT_THREAD);
	}
}

/* Spawns from its destructor, when nothing can be spawned any more. */
struct last_wish {
	_Atomic unsigned int *dropped;
	int *status;
};

static enum pollrt_poll last_wish(struct last_wish *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_PENDING;
}

static void last_wish_drop(struct last_wish *self)
{
	*self->status = pollrt_spawn(NULL, NULL, last_wish, .dropped = self->dropped);
	++*self->dropped;
}

static void destructors_run_in_the_runtime_but_cannot_spawn(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	_Atomic unsigned int dropped = 0;
	int status = 0;

	(void)state;
	pollrt_spawn_drop(rt, NULL, last_wish, last_wish_drop, .dropped = &dropped,
			  .status = &status);
	helper_finish(rt);
	assert_int_equal(dropped, 1);
	assert_int_equal(status, -ESHUTDOWN);
}

static void runtimes_can_churn(void **state)
{
	_Atomic unsigned int dropped = 0;

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		struct pollrt_runtime *rt = helper_runtime(i % 2, 1 + i % 5);

		spawn_stuck(rt, NULL, i % STAGES, &dropped);
		helper_finish(rt);
	}
	assert_true(dropped >= 200);
}

static void destroying_nothing_is_legal(void **state)
{
	(void)state;
	pollrt_runtime_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_end_once_in_every_state),
		cmocka_unit_test(destructors_run_in_the_runtime_but_cannot_spawn),
		cmocka_unit_test(runtimes_can_churn),
		cmocka_unit_test(destroying_nothing_is_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
