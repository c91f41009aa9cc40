// SPDX-License-Identifier: MIT
/* Operations that are given up, in all ways there are, or that fail for want of descriptors. */
#include "helper_io.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "pollrt_select.h"

struct naps {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(naps)
{
	POLLRT_BEGIN();
	POLLRT_SLEEP(self->sleep, POLLRT_SEC(3600));
	POLLRT_END();
}

/* Loses operations of all kinds, again and again, and checks that none had an effect. */
struct loses {
	struct pollrt_async async;
	unsigned int index, i, bytes;
	struct pollrt_io *pair[2], *from[2], *listener;
	struct pollrt_io *conn;
	struct pollrt_token *token;
	struct pollrt_file *file;
	char byte, data[1000];
	ssize_t n;
	int status;
	struct pollrt_cancelled cancelled;
	struct pollrt_sleep sleep;
	struct pollrt_file_open open;
	struct pollrt_file_read read;
	struct pollrt_guard sleeper;
	struct pollrt_select select;
};

static void loses_drop(struct loses *self)
{
	pollrt_io_close(self->pair[0]);
	pollrt_io_close(self->pair[1]);
	pollrt_io_close(self->from[0]);
	pollrt_io_close(self->from[1]);
	pollrt_io_close(self->listener);
	pollrt_file_close(self->file);
	pollrt_token_release(self->token);
}

static void loses_open(struct loses *self)
{
	assert_int_equal(pollrt_unix_pair(self->pair, NULL, SOCK_STREAM), 0);
	assert_int_equal(pollrt_pipe(&self->from[0], &self->from[1], NULL), 0);
	assert_int_equal(pollrt_tcp_listen(&self->listener, NULL, "127.0.0.1", 0), 0);
	assert_int_equal(pollrt_token_create(&self->token), 0);
}

static POLLRT_ASYNC(loses)
{
	POLLRT_BEGIN();
	loses_open(self);
	POLLRT_CALL(self->open, pollrt_file_open, .path = "/proc/self/exe", .flags = O_RDONLY);
	assert_int_equal(self->open.status, 0);
	self->file = self->open.file;
	pollrt_spawn(NULL, &self->sleeper.join, naps);
	pollrt_guard(&self->sleeper, cx);
	for (self->i = 0; self->i < 300; self->i++) {
		if ((self->i + self->index) % 3 == 0) {
			POLLRT_AWAIT(pollrt_write(self->pair[1], "x", 1, &self->n, cx));
			assert_int_equal(self->n, 1);
		}
		self->cancelled = (struct pollrt_cancelled){.token = self->token};
		self->sleep = (struct pollrt_sleep){.ns = POLLRT_US(self->i * 7)};
		self->open = (struct pollrt_file_open){.path = "/dev/null", .flags = O_RDONLY};
		self->read = (struct pollrt_file_read){
			.file = self->file, .buffer = self->data, .size = sizeof(self->data)};
		POLLRT_SELECT(self->select,
			      pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx),
			      pollrt_read(self->from[0], &self->byte, 1, &self->n, cx),
			      pollrt_read(self->pair[0], &self->byte, 1, &self->n, cx),
			      pollrt_file_read(&self->read, cx), pollrt_file_open(&self->open, cx),
			      pollrt_cancelled(&self->cancelled, cx),
			      pollrt_join(&self->sleeper.join, cx), pollrt_sleep(&self->sleep, cx));
		assert_in_range(self->select.winner, 2, 7);
		assert_true(self->select.winner != 5 && self->select.winner != 6);
		if (self->select.winner == 2)
			self->bytes++;
		if (self->select.winner == 3)
			assert_int_equal(self->read.n, sizeof(self->data));
		if (self->select.winner == 4) {
			assert_int_equal(self->open.status, 0);
			pollrt_file_close(self->open.file);
		}
	}
	/* No byte was lost: what was not won is still there. */
	for (; self->bytes < 100; self->bytes++)
		POLLRT_AWAIT(pollrt_read(self->pair[0], &self->byte, 1, &self->n, cx));
	POLLRT_AWAIT(pollrt_write(self->pair[1], "y", 1, &self->n, cx));
	POLLRT_AWAIT(pollrt_read(self->pair[0], &self->byte, 1, &self->n, cx));
	assert_int_equal(self->byte, 'y');
	POLLRT_END();
}

static void operations_that_lose_have_no_effect(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct pollrt_join handles[6];

		for (unsigned int i = 0; i < 6; i++)
			pollrt_spawn_drop(io.rt, &handles[i], loses, loses_drop, .index = i);
		pollrt_block_on(
			io.rt, joins_all,
			&(struct joins_all){.joins = handles, .count = 6, .completed = true});
		helper_io_end(&io);
	}
}

/* All the descriptors that there are, of which there are fewer than usual. */
struct hoard {
	struct rlimit limit;
	int fds[256];
	unsigned int count;
};

static void hoard_take(struct hoard *hoard)
{
	struct rlimit limit;
	int fd;

	getrlimit(RLIMIT_NOFILE, &hoard->limit);
	limit = hoard->limit;
	limit.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (hoard->count = 0; (fd = dup(0)) >= 0; hoard->count++)
		hoard->fds[hoard->count] = fd;
	assert_int_equal(errno, EMFILE);
}

static void hoard_give(struct hoard *hoard)
{
	while (hoard->count)
		close(hoard->fds[--hoard->count]);
	setrlimit(RLIMIT_NOFILE, &hoard->limit);
}

struct lacks {
	struct pollrt_async async;
	struct hoard *hoard;
	struct pollrt_io *listener, *conn;
	struct pollrt_tcp_connect connect;
	struct pollrt_file_open open;
	int status;
};

static POLLRT_ASYNC(lacks)
{
	struct pollrt_signal *signal;
	struct pollrt_io *pair[2];

	POLLRT_BEGIN();
	assert_int_equal(pollrt_tcp_listen(&self->listener, NULL, "127.0.0.1", 0), 0);
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1",
		    .port = (uint16_t)pollrt_tcp_port(self->listener));
	assert_int_equal(self->connect.status, 0);
	hoard_take(self->hoard);
	POLLRT_AWAIT(pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx));
	assert_int_equal(self->status, -EMFILE);
	assert_int_equal(pollrt_pipe(&pair[0], &pair[1], NULL), -EMFILE);
	assert_int_equal(pollrt_unix_pair(pair, NULL, SOCK_STREAM), -EMFILE);
	assert_int_equal(pollrt_unix_connect(pair, NULL, "@nobody"), -EMFILE);
	assert_int_equal(pollrt_udp_bind(pair, NULL, "127.0.0.1", 0), -EMFILE);
	assert_int_equal(pollrt_signal_open(&signal, NULL, SIGUSR1), -EMFILE);
	POLLRT_CALL(self->open, pollrt_file_open, .path = "/dev/null", .flags = O_RDONLY);
	assert_int_equal(self->open.status, -EMFILE);
	pollrt_io_close(self->connect.io);
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1", .port = 1);
	assert_int_equal(self->connect.status, -ECONNREFUSED);
	/* With the one that is free now the connection is accepted, which was not lost. */
	POLLRT_AWAIT(pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx));
	assert_int_equal(self->status, 0);
	POLLRT_CALL(self->connect, pollrt_tcp_connect, .address = "127.0.0.1", .port = 1);
	assert_int_equal(self->connect.status, -EMFILE);
	hoard_give(self->hoard);
	pollrt_io_close(self->conn);
	pollrt_io_close(self->listener);
	POLLRT_END();
}

static void a_lack_of_descriptors_is_an_error_and_leaks_none(void **state)
{
	(void)state;
	for (int flavour = 0; flavour < 2; flavour++) {
		struct helper_io io = helper_io_begin(flavour);
		struct hoard hoard;

		pollrt_block_on(io.rt, lacks, &(struct lacks){.hoard = &hoard});
		helper_io_end(&io);
	}
}

enum wait { WAIT_SIGNAL, WAIT_DATAGRAM, WAIT_LINE, WAIT_SET, WAIT_TOKEN, WAIT_FILE, WAITS };

/* Waits for what never comes. */
struct waits {
	struct pollrt_async async;
	enum wait wait;
	_Atomic unsigned int *waiting;
	struct pollrt_signal *signal;
	struct pollrt_io *io, *other;
	struct pollrt_token *token;
	struct pollrt_join_set *set;
	struct pollrt_address from;
	char buffer[8], *line;
	struct pollrt_reader reader;
	struct pollrt_cancelled cancelled;
	struct pollrt_join_next next;
	struct pollrt_file_open open;
	const char *fifo;
	struct pollrt_select select;
	int status;
	ssize_t n;
};

static void waits_drop(struct waits *self)
{
	pollrt_signal_close(self->signal);
	pollrt_io_close(self->io);
	pollrt_io_close(self->other);
	pollrt_token_release(self->token);
	atomic_fetch_sub(self->waiting, 1);
}

static void waits_open(struct waits *self, struct pollrt_cx *cx)
{
	assert_int_equal(pollrt_signal_open(&self->signal, NULL, SIGUSR1), 0);
	if (self->wait == WAIT_DATAGRAM)
		assert_int_equal(pollrt_udp_bind(&self->io, NULL, "127.0.0.1", 0), 0);
	else
		assert_int_equal(pollrt_pipe(&self->io, &self->other, NULL), 0);
	self->reader = (struct pollrt_reader){.io = self->io, .buffer = self->buffer, .size = 8};
	assert_int_equal(pollrt_token_create(&self->token), 0);
	self->cancelled = (struct pollrt_cancelled){.token = self->token};
	assert_int_equal(pollrt_join_set_open(&self->set, cx), 0);
	assert_int_equal(pollrt_join_set_spawn(NULL, self->set, naps), 0);
	self->next = (struct pollrt_join_next){.set = self->set};
	self->open = (struct pollrt_file_open){.path = self->fifo, .flags = O_RDONLY};
	atomic_fetch_add(self->waiting, 1);
}

static enum pollrt_poll waits_poll(struct waits *self, struct pollrt_cx *cx)
{
	switch (self->wait) {
	case WAIT_SIGNAL:
		return pollrt_signal_wait(self->signal, &self->status, cx);
	case WAIT_DATAGRAM:
		return pollrt_udp_recv_from(self->io, self->buffer, 8, &self->from, &self->n, cx);
	case WAIT_LINE:
		return pollrt_reader_line(&self->reader, &self->line, &self->n, cx);
	case WAIT_SET:
		return pollrt_join_next(&self->next, cx);
	case WAIT_TOKEN:
		return pollrt_cancelled(&self->cancelled, cx);
	default:
		return pollrt_file_open(&self->open, cx);
	}
}

static POLLRT_ASYNC(waits)
{
	POLLRT_BEGIN();
	waits_open(self, cx);
	POLLRT_SELECT(self->select, waits_poll(self, cx), POLLRT_PENDING);
	fail();
	POLLRT_END();
}

struct opener {
	const char *fifo;
	_Atomic unsigned int waiting;
	int fd;
};

/* Lets the jobs in open(2), which shutdown waits for, end once the tasks have. */
static void *open_writer(void *argument)
{
	struct opener *opener = argument;

	while (atomic_load(&opener->waiting))
		usleep(100);
	opener->fd = open(opener->fifo, O_WRONLY);
	assert_true(opener->fd >= 0);
	return NULL;
}

static void tasks_that_wait_end_at_shutdown(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct helper_path path = helper_path_make();
	struct opener opener = {.fifo = path.path};
	struct pollrt_metrics metrics;
	pthread_t thread;

	(void)state;
	assert_int_equal(mkfifo(path.path, 0600), 0);
	for (unsigned int i = 0; i < 2 * WAITS; i++)
		pollrt_spawn_drop(io.rt, NULL, waits, waits_drop, .wait = i % WAITS,
				  .waiting = &opener.waiting, .fifo = path.path);
	do {
		usleep(100);
		pollrt_metrics(io.rt, &metrics);
	} while (atomic_load(&opener.waiting) < 2 * WAITS || metrics.blocking_runs < 2);
	pthread_create(&thread, NULL, open_writer, &opener);
	pollrt_runtime_shutdown(io.rt);
	pthread_join(thread, NULL);
	close(opener.fd);
	helper_path_remove(&path);
	helper_io_end(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_that_lose_have_no_effect),
		cmocka_unit_test(a_lack_of_descriptors_is_an_error_and_leaks_none),
		cmocka_unit_test(tasks_that_wait_end_at_shutdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
