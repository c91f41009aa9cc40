// SPDX-License-Identifier: MIT
#include "helper_io.h"

#include <netinet/in.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include "pollrt_select.h"

struct floods {
	struct pollrt_async async;
	struct pollrt_write_all write;
	char buffer[1 << 16];
};

static POLLRT_ASYNC(floods)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_write_all(&self->write, cx));
	POLLRT_END();
}

struct io_pair {
	struct pollrt_io *a, *b;
};

static struct io_pair open_pair(struct pollrt_runtime *rt)
{
	struct io_pair pair;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(pollrt_io_open(&pair.a, rt, fds[0]), 0);
	assert_int_equal(pollrt_io_open(&pair.b, rt, fds[1]), 0);
	return pair;
}

static void a_write_without_a_reader_waits(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	size_t size = (size_t)8 << 20, got = 0;
	struct pollrt_join join;
	char *data = calloc(1, size), *copy = malloc(size);

	(void)state;
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31);
	pollrt_spawn(rt, &join, floods, .write = {.io = pair.a, .buffer = data, .size = size});
	/* Reads on a thread of its own, with the plain call. */
	while (got < size) {
		ssize_t n = read(pollrt_io_fd(pair.b), copy + got, size - got);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			usleep(100);
			continue;
		}
		got += (size_t)n;
	}
	assert_memory_equal(data, copy, size);
	pollrt_block_on(rt, joins_all,
			&(struct joins_all){.joins = &join, .count = 1, .completed = true});
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	free(data);
	free(copy);
	helper_finish(rt);
}

static void a_write_to_a_gone_peer_is_an_error(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_CURRENT_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	struct pollrt_write_all write = {.io = pair.a, .buffer = "x", .size = 1};

	(void)state;
	pollrt_io_close(pair.b);
	pollrt_block_on(rt, pollrt_write_all, &write);
	assert_int_equal(write.status, -EPIPE);
	pollrt_io_close(pair.a);
	helper_finish(rt);
}

struct reads_late {
	struct pollrt_async async;
	struct pollrt_io *io, *peer;
	_Atomic bool gave_up;
	struct pollrt_timeout timeout;
	char byte;
	ssize_t n;
};

static POLLRT_ASYNC(reads_late)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_MS(2),
			     pollrt_read(self->io, &self->byte, 1, &self->n, cx));
	assert_int_equal(self->timeout.status, -ETIMEDOUT);
	atomic_store(&self->gave_up, true);
	POLLRT_AWAIT(pollrt_read(self->io, &self->byte, 1, &self->n, cx));
	POLLRT_END();
}

static void *write_a_byte(void *argument)
{
	struct reads_late *future = argument;

	while (!atomic_load(&future->gave_up))
		usleep(100);
	usleep(1000);
	assert_int_equal(write(pollrt_io_fd(future->peer), "y", 1), 1);
	return NULL;
}

static void a_read_can_time_out_and_be_tried_again(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);
	struct reads_late future = {.io = pair.a, .peer = pair.b};
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, write_a_byte, &future);
	pollrt_block_on(rt, reads_late, &future);
	pthread_join(thread, NULL);
	assert_int_equal(future.n, 1);
	assert_int_equal(future.byte, 'y');
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	helper_finish(rt);
}

static void a_descriptor_may_be_closed_after_its_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct io_pair pair = open_pair(rt);

	(void)state;
	helper_finish(rt);
	pollrt_io_close(pair.a);
	pollrt_io_close(pair.b);
	pollrt_io_close(NULL);
}

static void what_epoll_cannot_watch_is_refused(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	char path[] = "/tmp/pollrt-test-XXXXXX";
	struct pollrt_io *io;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(pollrt_io_open(&io, rt, fd), -EPERM);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	assert_int_equal(pollrt_io_open(&io, rt, fd), -EBADF);
	helper_finish(rt);
}

struct hears {
	struct pollrt_async async;
	unsigned int i;
	int fds[2];
	pthread_t thread;
	struct pollrt_io *io;
	char buffer[64];
	size_t got;
	ssize_t n;
	struct pollrt_timeout timeout;
};

/* In all the orders that there may be. */
static void *says_and_goes(void *argument)
{
	const struct hears *hears = argument;

	if (hears->i % 2)
		sched_yield();
	assert_int_equal(write(hears->fds[0], "abc", 3), 3);
	if (hears->i % 3)
		sched_yield();
	close(hears->fds[0]);
	return NULL;
}

static POLLRT_ASYNC(hears)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < 300; self->i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, self->fds), 0);
		assert_int_equal(pollrt_io_open(&self->io, NULL, self->fds[1]), 0);
		pthread_create(&self->thread, NULL, says_and_goes, self);
		self->got = 0;
		do {
			POLLRT_AWAIT_TIMEOUT(self->timeout, POLLRT_SEC(10),
					     pollrt_read(self->io, self->buffer, 64, &self->n, cx));
			assert_int_equal(self->timeout.status, 0);
			assert_true(self->n >= 0);
			self->got += (size_t)self->n;
		} while (self->n);
		assert_int_equal(self->got, 3);
		pthread_join(self->thread, NULL);
		pollrt_io_close(self->io);
	}
	POLLRT_END();
}

static void the_end_is_seen_after_a_short_read(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);

		pollrt_block_on(io.rt, hears, &(struct hears){0});
		helper_io_end(&io);
	}
}

enum busy_with {
	BUSY_STREAM,
	BUSY_DATAGRAM,
	BUSY_LINES,
	BUSY_LONG,
	BUSY_EXACT,
	BUSY_TOKEN,
	BUSIES
};

/* Does what is always ready, until another task has had its turn. */
struct busy {
	struct pollrt_async async;
	enum busy_with with;
	const bool *turn;
	struct pollrt_io *pair[2];
	struct pollrt_token *token;
	struct pollrt_cancelled cancelled;
	struct pollrt_reader reader;
	struct pollrt_reader_exact exact;
	char lines[8], byte, *line;
	ssize_t n;
};

static enum pollrt_poll busy_poll(struct busy *self, struct pollrt_cx *cx)
{
	switch (self->with) {
	case BUSY_TOKEN:
		self->cancelled = (struct pollrt_cancelled){.token = self->token};
		return pollrt_cancelled(&self->cancelled, cx);
	case BUSY_LINES:
		memset(self->lines, '\n', sizeof(self->lines));
		self->reader.start = self->reader.scanned = 0;
		return pollrt_reader_line(&self->reader, &self->line, &self->n, cx);
	case BUSY_LONG:
		return pollrt_reader_line(&self->reader, &self->line, &self->n, cx);
	case BUSY_EXACT:
		self->reader.start = self->reader.scanned = 0;
		self->exact = (struct pollrt_reader_exact){
			.reader = &self->reader, .buffer = &self->byte, .size = 1};
		return pollrt_reader_exact(&self->exact, cx);
	default:
		if (send(pollrt_io_fd(self->pair[0]), "x", 1, 0) != 1)
			assert_int_equal(errno, EAGAIN);
		return pollrt_read(self->pair[1], &self->byte, 1, &self->n, cx);
	}
}

static POLLRT_ASYNC(busy)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_unix_pair(self->pair, NULL,
					  self->with == BUSY_STREAM ? SOCK_STREAM : SOCK_DGRAM),
			 0);
	assert_int_equal(pollrt_token_create(&self->token), 0);
	pollrt_token_cancel(self->token);
	self->reader = (struct pollrt_reader){
		.io = self->pair[0], .buffer = self->lines, .size = 8, .end = 7};
	while (!*self->turn)
		POLLRT_AWAIT(busy_poll(self, cx));
	pollrt_io_close(self->pair[0]);
	pollrt_io_close(self->pair[1]);
	pollrt_token_release(self->token);
	POLLRT_END();
}

struct turn {
	bool *turn;
};

static enum pollrt_poll turn(struct turn *self, struct pollrt_cx *cx)
{
	(void)cx;
	*self->turn = true;
	return POLLRT_READY;
}

static void what_is_always_ready_leaves_others_their_turn(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < BUSIES; i++) {
		struct helper_io io = helper_io_begin(POLLRT_CURRENT_THREAD);
		struct pollrt_join handles[2];
		bool had_turn = false;

		pollrt_spawn(io.rt, &handles[0], busy, .with = i, .turn = &had_turn);
		pollrt_spawn(io.rt, &handles[1], turn, .turn = &had_turn);
		pollrt_block_on(
			io.rt, joins_all,
			&(struct joins_all){.joins = handles, .count = 2, .completed = true});
		assert_true(had_turn);
		helper_io_end(&io);
	}
}

struct reads_two {
	struct pollrt_async async;
	struct pollrt_io *io;
	struct pollrt_sleep sleep;
	struct pollrt_timeout timeout;
	char buffer[64];
	ssize_t n;
	size_t got;
};

static POLLRT_ASYNC(reads_two)
{
	POLLRT_BEGIN();
	/* There will be no event after the one for all that is there. */
	POLLRT_SLEEP(self->sleep, POLLRT_MS(20));
	while (self->got < 2) {
		POLLRT_AWAIT_TIMEOUT(
			self->timeout, POLLRT_SEC(5),
			pollrt_read(self->io, self->buffer, sizeof(self->buffer), &self->n, cx));
		assert_int_equal(self->timeout.status, 0);
		assert_int_equal(self->n, 1);
		self->got++;
	}
	POLLRT_END();
}

/* Of a stream from which one read() gets one byte, with another behind it. Takes over @fd. */
static void read_both(int fd)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct reads_two future = {0};

	assert_int_equal(pollrt_io_open(&future.io, rt, fd), 0);
	pollrt_block_on(rt, reads_two, &future);
	pollrt_io_close(future.io);
	helper_finish(rt);
}

static void a_read_that_ends_at_a_passed_descriptor_is_not_the_last(void **state)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec one = {.iov_base = "a", .iov_len = 1};
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*passed = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
				   .cmsg_type = SCM_RIGHTS,
				   .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(passed), &fds[0], sizeof(int));
	assert_int_equal(sendmsg(fds[0], &message, 0), 1);
	assert_int_equal(write(fds[0], "b", 1), 1);
	read_both(fds[1]);
	close(fds[0]);
}

static void a_read_that_ends_at_urgent_data_is_not_the_last(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&to, &(socklen_t){sizeof(to)});
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(client, "a", 1, 0), 1);
	assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(client, "b", 1, 0), 1);
	read_both(accept(listener, NULL, NULL));
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_without_a_reader_waits),
		cmocka_unit_test(a_write_to_a_gone_peer_is_an_error),
		cmocka_unit_test(a_read_can_time_out_and_be_tried_again),
		cmocka_unit_test(a_descriptor_may_be_closed_after_its_runtime),
		cmocka_unit_test(what_epoll_cannot_watch_is_refused),
		cmocka_unit_test(the_end_is_seen_after_a_short_read),
		cmocka_unit_test(what_is_always_ready_leaves_others_their_turn),
		cmocka_unit_test(a_read_that_ends_at_a_passed_descriptor_is_not_the_last),
		cmocka_unit_test(a_read_that_ends_at_urgent_data_is_not_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
