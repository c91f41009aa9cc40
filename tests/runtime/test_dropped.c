// SPDX-License-Identifier: MIT
/* Nothing is left behind of an operation that was dropped: what it waited for wakes nobody any more. */
#include "helper_io.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "pollrt_select.h"
#include "sync_helper.h"

enum op { OP_READ, OP_LINE, OP_WRITE, OP_ACCEPT, OP_RECEIVE, OP_SIGNAL, OP_JOIN, OPS };

/* What one operation waits for, and one task that drops it. */
struct scene {
	enum op op;
	bool timeout; /* drops it, or else a select does */
	struct pollrt_io *pair[2], *listener, *udp, *own[2];
	struct pollrt_signal *signal;
	struct pollrt_join child;
	struct pollrt_notify go, later; /* for the child; for the task */
	struct pollrt_address from;
	struct pollrt_io *conn;
	struct pollrt_reader reader;
	char buffer[64], *line;
	ssize_t n;
	int status;
	unsigned int polls; /* of the task, since */
	bool done;
};

static enum pollrt_poll scene_poll(struct scene *scene, struct pollrt_cx *cx)
{
	switch (scene->op) {
	case OP_READ:
		return pollrt_read(scene->pair[0], scene->buffer, 1, &scene->n, cx);
	case OP_LINE:
		return pollrt_reader_line(&scene->reader, &scene->line, &scene->n, cx);
	case OP_WRITE:
		return pollrt_write(scene->pair[0], "x", 1, &scene->n, cx);
	case OP_ACCEPT:
		return pollrt_tcp_accept(scene->listener, &scene->conn, &scene->status, cx);
	case OP_RECEIVE:
		return pollrt_udp_recv_from(scene->udp, scene->buffer, 1, &scene->from, &scene->n,
					    cx);
	case OP_SIGNAL:
		return pollrt_signal_wait(scene->signal, &scene->status, cx);
	default:
		return pollrt_join(&scene->child, cx);
	}
}

/* Sends a byte, or connects, to where @io is. */
static void reach(const struct pollrt_io *io, int type)
{
	int fd = socket(AF_INET, type, 0);
	struct pollrt_address to;

	assert_int_equal(pollrt_local_address(io, &to), 0);
	assert_int_equal(connect(fd, &to.any, sizeof(to.v4)), 0);
	if (type == SOCK_DGRAM)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	close(fd);
}

static void make_ready(struct scene *scene)
{
	switch (scene->op) {
	case OP_READ:
	case OP_LINE:
		assert_int_equal(send(pollrt_io_fd(scene->pair[1]), "\n", 1, 0), 1);
		break;
	case OP_WRITE:
		while (recv(pollrt_io_fd(scene->pair[1]), scene->buffer, 64, 0) > 0)
			;
		break;
	case OP_ACCEPT:
		reach(scene->listener, SOCK_STREAM);
		break;
	case OP_RECEIVE:
		reach(scene->udp, SOCK_DGRAM);
		break;
	case OP_SIGNAL:
		raise(SIGUSR1);
		break;
	default:
		pollrt_notify_one(&scene->go);
	}
}

struct child {
	struct pollrt_async async;
	struct pollrt_notified go;
};

static POLLRT_ASYNC(child)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_notified(&self->go, cx));
	POLLRT_END();
}

static void scene_open(struct scene *scene, struct pollrt_runtime *rt)
{
	assert_int_equal(pollrt_unix_pair(scene->pair, rt, SOCK_STREAM), 0);
	assert_int_equal(pollrt_unix_pair(scene->own, rt, SOCK_STREAM), 0);
	assert_int_equal(pollrt_tcp_listen(&scene->listener, rt, "127.0.0.1", 0), 0);
	assert_int_equal(pollrt_udp_bind(&scene->udp, rt, "127.0.0.1", 0), 0);
	assert_int_equal(pollrt_signal_open(&scene->signal, rt, SIGUSR1), 0);
	pollrt_notify_init(&scene->go);
	pollrt_notify_init(&scene->later);
	assert_int_equal(pollrt_spawn(rt, &scene->child, child, .go.notify = &scene->go), 0);
	scene->reader = (struct pollrt_reader){
		.io = scene->pair[0], .buffer = scene->buffer, .size = sizeof(scene->buffer)};
	if (scene->op == OP_WRITE) {
		while (send(pollrt_io_fd(scene->pair[0]), scene->buffer, 64, 0) > 0)
			;
	}
}

static void scene_close(struct scene *scene)
{
	for (unsigned int i = 0; i < 2; i++) {
		pollrt_io_close(scene->pair[i]);
		pollrt_io_close(scene->own[i]);
	}
	pollrt_io_close(scene->listener);
	pollrt_io_close(scene->udp);
	pollrt_io_close(scene->conn);
	pollrt_signal_close(scene->signal);
	pollrt_join_detach(&scene->child);
}

/* Drops the operation, waits for something else, and tries it again. */
struct drops {
	struct pollrt_async async;
	struct scene *scene;
	struct pollrt_select select;
	struct pollrt_timeout timeout;
	struct pollrt_notified later;
};

static POLLRT_ASYNC(drops)
{
	struct scene *scene = self->scene;

	POLLRT_BEGIN();
	if (scene->timeout) {
		POLLRT_AWAIT_TIMEOUT(self->timeout, 0, scene_poll(scene, cx));
		assert_int_equal(self->timeout.status, -ETIMEDOUT);
	} else {
		POLLRT_SELECT_BIASED(self->select, scene_poll(scene, cx), POLLRT_READY);
		assert_int_equal(self->select.winner, 1);
	}
	self->later = (struct pollrt_notified){.notify = &scene->later};
	POLLRT_AWAIT((scene->polls++, pollrt_notified(&self->later, cx)));
	POLLRT_AWAIT(scene_poll(scene, cx));
	scene->done = true;
	POLLRT_END();
}

/* Makes ready what the other task does not wait for any more, and looks whether that is woken. */
struct watches {
	struct pollrt_async async;
	struct scene *scene;
	struct yields yields;
	struct pollrt_select select;
	char byte;
	ssize_t n;
};

static POLLRT_ASYNC(watches)
{
	struct scene *scene = self->scene;

	POLLRT_BEGIN();
	POLLRT_SELECT_BIASED(self->select, pollrt_read(scene->own[0], &self->byte, 1, &self->n, cx),
			     POLLRT_READY);
	POLLRT_CALL(self->yields, yields, .left = 3);
	assert_int_equal(scene->polls, 1);
	make_ready(scene);
	/* There was nothing to read before: it waits for an event, which comes after the other. */
	assert_int_equal(send(pollrt_io_fd(scene->own[1]), "x", 1, 0), 1);
	POLLRT_AWAIT(pollrt_read(scene->own[0], &self->byte, 1, &self->n, cx));
	POLLRT_CALL(self->yields, yields, .left = 3);
	assert_int_equal(scene->polls, 1);
	pollrt_notify_one(&scene->later);
	POLLRT_END();
}

static void what_was_dropped_wakes_nobody_and_can_be_tried_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * OPS; i++) {
		struct scene scene = {.op = i / 2, .timeout = i % 2};
		/* One thread: who is woken is polled before who yields has had three turns. */
		struct helper_io io = helper_io_begin(POLLRT_CURRENT_THREAD);
		struct pollrt_join handles[2];

		scene_open(&scene, io.rt);
		pollrt_spawn(io.rt, &handles[0], drops, .scene = &scene);
		pollrt_spawn(io.rt, &handles[1], watches, .scene = &scene);
		pollrt_block_on(
			io.rt, joins_all,
			&(struct joins_all){.joins = handles, .count = 2, .completed = true});
		assert_true(scene.done);
		scene_close(&scene);
		helper_io_end(&io);
	}
}

#define RACERS 4
#define BYTES 1000

/* Drops each read that has to wait, and comes again. */
struct races {
	struct pollrt_async async;
	struct pollrt_io *io;
	unsigned int got, drops;
	char byte;
	ssize_t n;
	struct pollrt_select select;
};

static POLLRT_ASYNC(races)
{
	POLLRT_BEGIN();
	while (self->got < BYTES && self->drops < 100 * BYTES) {
		POLLRT_SELECT_BIASED(self->select,
				     pollrt_read(self->io, &self->byte, 1, &self->n, cx),
				     POLLRT_READY);
		if (self->select.winner == 0) {
			assert_int_equal(self->n, 1);
			self->got++;
		} else {
			self->drops++;
			POLLRT_YIELD();
		}
	}
	for (; self->got < BYTES; self->got++)
		POLLRT_AWAIT(pollrt_read(self->io, &self->byte, 1, &self->n, cx));
	POLLRT_END();
}

static void *feed(void *argument)
{
	struct pollrt_io **ends = argument;

	for (unsigned int i = 0; i < RACERS * BYTES; i++) {
		while (send(pollrt_io_fd(ends[i % RACERS]), "x", 1, 0) != 1)
			sched_yield();
		if (i % 7 == 0)
			sched_yield();
	}
	return NULL;
}

static void no_byte_is_lost_to_drops_that_race_with_readiness(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct pollrt_io *pairs[RACERS][2], *ends[RACERS];
	struct pollrt_join handles[RACERS];
	pthread_t thread;

	(void)state;
	for (unsigned int i = 0; i < RACERS; i++) {
		assert_int_equal(pollrt_unix_pair(pairs[i], io.rt, SOCK_STREAM), 0);
		ends[i] = pairs[i][1];
		pollrt_spawn(io.rt, &handles[i], races, .io = pairs[i][0]);
	}
	pthread_create(&thread, NULL, feed, ends);
	pollrt_block_on(io.rt, joins_all,
			&(struct joins_all){.joins = handles, .count = RACERS, .completed = true});
	pthread_join(thread, NULL);
	for (unsigned int i = 0; i < RACERS; i++) {
		pollrt_io_close(pairs[i][0]);
		pollrt_io_close(pairs[i][1]);
	}
	helper_io_end(&io);
}

/* Waits for a descriptor that it does not own. */
struct borrows {
	struct pollrt_io *io;
	_Atomic bool *waits;
	char byte;
	ssize_t n;
};

static enum pollrt_poll borrows(struct borrows *self, struct pollrt_cx *cx)
{
	/* What is closed must not be touched again. */
	assert_false(atomic_load(self->waits));
	assert_int_equal(pollrt_read(self->io, &self->byte, 1, &self->n, cx), POLLRT_PENDING);
	atomic_store(self->waits, true);
	return POLLRT_PENDING;
}

static void a_task_ends_well_after_what_it_waited_for(void **state)
{
	struct helper_io io = helper_io_begin(POLLRT_MULTI_THREAD);
	struct pollrt_sleep nap = {.ns = POLLRT_MS(2)};
	_Atomic bool waits = false;
	struct pollrt_io *pair[2];
	struct pollrt_join handle;

	(void)state;
	assert_int_equal(pollrt_unix_pair(pair, io.rt, SOCK_STREAM), 0);
	pollrt_spawn(io.rt, &handle, borrows, .io = pair[0], .waits = &waits);
	while (!atomic_load(&waits))
		usleep(100);
	pollrt_io_close(pair[0]);
	pollrt_io_close(pair[1]);
	/* The driver frees what is closed when it turns. */
	assert_int_equal(pollrt_block_on(io.rt, pollrt_sleep, &nap), 0);
	pollrt_join_abort(&handle);
	pollrt_block_on(io.rt, joins_all, &(struct joins_all){.joins = &handle, .count = 1});
	helper_io_end(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_dropped_wakes_nobody_and_can_be_tried_again),
		cmocka_unit_test(no_byte_is_lost_to_drops_that_race_with_readiness),
		cmocka_unit_test(a_task_ends_well_after_what_it_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
