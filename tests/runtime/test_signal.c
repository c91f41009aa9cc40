// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <signal.h>
#include <sys/wait.h>

struct told {
	struct pollrt_async async;
	struct pollrt_signal *signal;
	unsigned int expected; /**< times */
	unsigned int i;
	atomic_uint *times;
	int status;
	struct pollrt_timeout timeout;
};

/* Is told that often, and then no more. */
static POLLRT_ASYNC(told)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->expected; self->i++) {
		POLLRT_AWAIT(pollrt_signal_wait(self->signal, &self->status, cx));
		assert_int_equal(self->status, 0);
		atomic_fetch_add(self->times, 1);
	}
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(10),
			     pollrt_signal_wait(self->signal, &self->status, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	POLLRT_END();
}

static void wait_for(const atomic_uint *times, unsigned int expected)
{
	while (atomic_load(times) < expected)
		usleep(100);
}

static void every_listener_is_told_once(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct pollrt_runtime *other = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_signal *signals[4];
	struct pollrt_join handles[4];
	atomic_uint times = 0, others = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct pollrt_runtime *rt = i % 2 ? other : io.rt;

		assert_int_equal(pollrt_signal_open(&signals[i], rt, i < 3 ? SIGUSR1 : SIGUSR2), 0);
		pollrt_spawn(rt, &handles[i], told, .signal = signals[i],
			     .expected = i < 3 ? 20 : 1, .times = i < 3 ? &times : &others);
	}
	for (unsigned int i = 1; i <= 20; i++) {
		kill(getpid(), SIGUSR1);
		wait_for(&times, 3 * i);
		assert_int_equal(atomic_load(&times), 3 * i);
	}
	assert_int_equal(atomic_load(&others), 0);
	raise(SIGUSR2);
	wait_for(&others, 1);
	for (unsigned int i = 0; i < 4; i++)
		pollrt_block_on(
			i % 2 ? other : io.rt, joins_all,
			&(struct joins_all){.joins = &handles[i], .count = 1, .completed = true});
	for (unsigned int i = 0; i < 4; i++)
		pollrt_signal_close(signals[i]);
	helper_finish(other);
	helper_io_end(&io);
	assert_int_equal(atomic_load(&times), 60);
}

static void signals_that_come_before_they_are_awaited_count_as_one(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		atomic_uint times = 0;
		struct told future = {.expected = 1, .times = &times};

		assert_int_equal(pollrt_signal_open(&future.signal, io.rt, SIGHUP), 0);
		for (unsigned int i = 0; i < 5; i++)
			raise(SIGHUP);
		pollrt_block_on(io.rt, told, &future);
		assert_int_equal(atomic_load(&times), 1);
		raise(SIGHUP);
		future = (struct told){.signal = future.signal, .expected = 1, .times = &times};
		pollrt_block_on(io.rt, told, &future);
		pollrt_signal_close(future.signal);
		helper_io_end(&io);
	}
}

static void what_was_set_before_is_set_again(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct pollrt_signal *a, *b;
	struct sigaction action;

	(void)state;
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(pollrt_signal_open(&a, io.rt, SIGUSR1), 0);
	assert_int_equal(pollrt_signal_open(&b, io.rt, SIGUSR1), 0);
	pollrt_signal_close(a);
	sigaction(SIGUSR1, NULL, &action);
	assert_true(action.sa_handler != SIG_IGN);
	assert_true(action.sa_flags & SA_RESTART);
	pollrt_signal_close(b);
	sigaction(SIGUSR1, NULL, &action);
	assert_true(action.sa_handler == SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
	pollrt_signal_close(NULL);
	helper_io_end(&io);
}

static void signals_that_cannot_be_awaited_are_refused(void **state)
{
	static const int bad[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				  SIGTRAP, SIGSYS,  0,       -1,     32,     NSIG};
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct pollrt_signal *signal;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(pollrt_signal_open(&signal, io.rt, bad[i]), -EINVAL);
	assert_int_equal(pollrt_signal_open(&signal, NULL, SIGHUP), -EINVAL);
	assert_int_equal(pollrt_signal_open(&signal, io.rt, SIGRTMIN + 1), 0);
	pollrt_signal_close(signal);
	helper_io_end(&io);
}

static void a_child_process_tells_nobody(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	atomic_uint times = 0;
	struct told future = {.expected = 0, .times = &times};
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pollrt_signal_open(&future.signal, io.rt, SIGUSR1), 0);
	pid = fork();
	if (!pid) {
		raise(SIGUSR1);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	pollrt_block_on(io.rt, told, &future);
	pollrt_signal_close(future.signal);
	helper_io_end(&io);
}

struct storm {
	pthread_t target;
	atomic_bool end;
};

static void *raise_many(void *argument)
{
	struct storm *storm = argument;

	while (!atomic_load(&storm->end)) {
		raise(SIGUSR2);
		pthread_kill(storm->target, SIGUSR2);
		usleep(10);
	}
	return NULL;
}

struct tell_once {
	struct pollrt_async async;
	int signum;
	struct pollrt_signal *signal;
	unsigned int i;
	int status;
};

static POLLRT_ASYNC(tell_once)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 200; self->i++) {
		assert_int_equal(pollrt_signal_open(&self->signal, NULL, self->signum), 0);
		POLLRT_AWAIT(pollrt_signal_wait(self->signal, &self->status, cx));
		assert_int_equal(self->status, 0);
		pollrt_signal_close(self->signal);
	}
	POLLRT_END();
}

static void listeners_come_and_go_while_signals_arrive(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct storm storms[2];
	struct pollrt_signal *lasting;
	pthread_t threads[2];
	struct tell_once here = {.signum = SIGUSR2};
	struct pollrt_join join;

	(void)state;
	/* So that the signal never ends the process. */
	assert_int_equal(pollrt_signal_open(&lasting, io.rt, SIGUSR2), 0);
	for (unsigned int i = 0; i < 2; i++) {
		storms[i].target = pthread_self();
		atomic_init(&storms[i].end, false);
		pthread_create(&threads[i], NULL, raise_many, &storms[i]);
	}
	pollrt_spawn(io.rt, &join, tell_once, .signum = SIGUSR2);
	pollrt_block_on(io.rt, tell_once, &here);
	assert_int_equal(here.i, 200);
	pollrt_block_on(io.rt, joins_all,
			&(struct joins_all){.joins = &join, .count = 1, .completed = true});
	for (unsigned int i = 0; i < 2; i++) {
		atomic_store(&storms[i].end, true);
		pthread_join(threads[i], NULL);
	}
	pollrt_signal_close(lasting);
	helper_io_end(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_listener_is_told_once),
		cmocka_unit_test(signals_that_come_before_they_are_awaited_count_as_one),
		cmocka_unit_test(what_was_set_before_is_set_again),
		cmocka_unit_test(signals_that_cannot_be_awaited_are_refused),
		cmocka_unit_test(a_child_process_tells_nobody),
		cmocka_unit_test(listeners_come_and_go_while_signals_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
