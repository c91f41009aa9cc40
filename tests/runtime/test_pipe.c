// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <signal.h>

#define SIZE ((size_t)1 << 20)

struct pours {
	struct pollrt_async async;
	struct pollrt_io *writer;
	const char *data;
	_Atomic unsigned int *gave_up;
	struct pollrt_write_all write;
	struct pollrt_timeout timeout;
};

static void pours_drop(struct pours *self)
{
	pollrt_io_close(self->writer);
}

/* Gives up when the pipe is full, and goes on from where it was. */
static POLLRT_ASYNC(pours)
{
	POLLRT_BEGIN();
	self->write =
		(struct pollrt_write_all){.io = self->writer, .buffer = self->data, .size = SIZE};
	do {
		POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(1),
				     pollrt_write_all(&self->write, cx));
		if (self->timeout.status)
			atomic_fetch_add(self->gave_up, 1);
	} while (self->timeout.status);
	assert_int_equal(self->write.status, 0);
	POLLRT_END();
}

struct drinks {
	struct pollrt_async async;
	char *data, *copy;
	struct pollrt_io *reader, *writer;
	_Atomic unsigned int gave_up;
	struct pollrt_sleep sleep;
	size_t got;
	ssize_t n;
};

static POLLRT_ASYNC(drinks)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_pipe(&self->reader, &self->writer, NULL), 0);
	pollrt_spawn_drop(NULL, NULL, pours, pours_drop, .writer = self->writer, .data = self->data,
			  .gave_up = &self->gave_up);
	while (!atomic_load(&self->gave_up))
		POLLRT_SLEEP(self->sleep, POLLRT_MS(1));
	while (self->got < SIZE) {
		POLLRT_AWAIT(pollrt_read(self->reader, self->copy + self->got,
					 SIZE - self->got < 5000 ? SIZE - self->got : 5000,
					 &self->n, cx));
		assert_true(self->n > 0);
		self->got += (size_t)self->n;
	}
	POLLRT_AWAIT(pollrt_read(self->reader, self->copy, 1, &self->n, cx));
	assert_int_equal(self->n, 0);
	pollrt_io_close(self->reader);
	POLLRT_END();
}

static void a_pipe_carries_all_and_ends(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct drinks future = {.data = malloc(SIZE), .copy = malloc(SIZE)};

		for (size_t i = 0; i < SIZE; i++)
			future.data[i] = (char)(i * 131 >> 3);
		pollrt_block_on(io.rt, drinks, &future);
		assert_memory_equal(future.data, future.copy, SIZE);
		free(future.data);
		free(future.copy);
		helper_io_end(&io);
	}
}

struct breaks {
	struct pollrt_async async;
	struct pollrt_io *reader, *writer;
	char byte;
	ssize_t n;
};

static POLLRT_ASYNC(breaks)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_pipe(&self->reader, &self->writer, NULL), 0);
	POLLRT_AWAIT(pollrt_write(self->writer, "a", 1, &self->n, cx));
	assert_int_equal(self->n, 1);
	pollrt_io_close(self->reader);
	POLLRT_AWAIT(pollrt_write(self->writer, "b", 1, &self->n, cx));
	assert_int_equal(self->n, -EPIPE);
	POLLRT_AWAIT(pollrt_write(self->writer, "c", 1, &self->n, cx));
	assert_int_equal(self->n, -EPIPE);
	POLLRT_AWAIT(pollrt_read(self->writer, &self->byte, 1, &self->n, cx));
	assert_int_equal(self->n, -EBADF);
	pollrt_io_close(self->writer);
	POLLRT_END();
}

static void a_write_without_a_reader_is_an_error_and_no_signal(void **state)
{
	sigset_t set, old, pending;
	struct sigaction action;
	struct helper_io io;

	(void)state;
	/* Who started the test may have had it ignored. */
	signal(SIGPIPE, SIG_DFL);
	io = helper_io_begin(POLLRT_CURRENT_THREAD);
	pollrt_block_on(io.rt, breaks, &(struct breaks){0});
	sigaction(SIGPIPE, NULL, &action);
	assert_true(action.sa_handler == SIG_DFL);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));

	/* One that the program has held back on its own is not taken from it. */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	raise(SIGPIPE);
	pollrt_block_on(io.rt, breaks, &(struct breaks){0});
	sigpending(&pending);
	assert_true(sigismember(&pending, SIGPIPE));
	assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGPIPE);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	helper_io_end(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_carries_all_and_ends),
		cmocka_unit_test(a_write_without_a_reader_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
