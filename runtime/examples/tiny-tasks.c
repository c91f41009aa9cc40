// SPDX-License-Identifier: MIT
/*
 * The third mistake: a task for each item.
 *
 * A task is cheap, but it is not free: memory for it, a place in a queue, a wake, a poll, another
 * wake for who awaits it, and on several workers each of these may cost a cache miss. That is about
 * a microsecond, which is nothing for a connection and very much for an item that takes no longer
 * itself. Whoever spawns a task for each line of an order spawns more than works, fills the queues
 * so that others wait behind thousands of tiny polls, and runs out of CPUs at a fraction of the
 * load.
 *
 * The fix: split the work by the number of workers, not by the number of items. A task gets a batch
 * that takes long compared with a microsecond and short compared with a millisecond or two.
 *
 * The server prices orders, 2500 a second, of 4000 lines each; a line takes some 20 ns.
 */
#include "common/stage.h"
#include "pollrt_select.h"

#define LINES 4000
#define BATCH 2000

static const struct example tiny_tasks = {
	.name = "tiny-tasks",
	.lesson = "A task for each line of an order, though a line takes less than a task does.\n"
		  "Fixed: a task for each batch of lines.",
};

static const struct stream streams[] = {
	{.name = "orders", .connections = 50, .period_ns = POLLRT_US(400)},
	{0},
};

struct shop {
	struct stage stage;
	_Atomic uint64_t lines;
	_Atomic uint64_t tasks;
};

/* Stands for a look at a table and some arithmetic. */
static __attribute__((noinline)) uint64_t price_line(uint64_t line)
{
	for (unsigned int i = 0; i < 8; i++)
		line = (line ^ (line >> 29)) * 0xbf58476d1ce4e5b9u;
	return line;
}

/* Lines first to first + count - 1 of an order. */
struct price_lines {
	struct pollrt_async async;
	struct shop *shop;
	uint64_t first;
	uint64_t count;
	uint64_t sum;
};

static POLLRT_ASYNC(price_lines)
{
	POLLRT_BEGIN();
	for (uint64_t i = 0; i < self->count; i++)
		self->sum += price_line(self->first + i);
	self->shop->lines += self->count;
	POLLRT_END();
}

struct price_order {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_join_set *parts;
	uint64_t sum;
	struct pollrt_join_next next;
};

static POLLRT_ASYNC(price_order)
{
	/* The mistake is this number. */
	uint64_t batch = self->shop->stage.options.fixed ? BATCH : 1, spawned = 0;
	struct price_lines *part;

	POLLRT_BEGIN();
	for (uint64_t first = 0; first < LINES; first += batch)
		spawned +=
			!pollrt_join_set_spawn(NULL, self->parts, price_lines, .shop = self->shop,
					       .first = first, .count = batch);
	self->shop->tasks += spawned;
	while (pollrt_join_set_count(self->parts)) {
		POLLRT_CALL(self->next, pollrt_join_next, .set = self->parts);
		part = pollrt_join_state(&self->next.join);
		self->sum += part->sum;
		pollrt_join_detach(&self->next.join);
	}
	POLLRT_END();
}

struct handle_conn {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_io *io;
	struct pollrt_join_set *parts;
	struct receive receive;
	struct price_order price;
	struct reply reply;
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(handle_conn)
{
	POLLRT_BEGIN();
	if (pollrt_join_set_open(&self->parts, cx))
		POLLRT_RETURN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		POLLRT_CALL(self->price, price_order, .shop = self->shop, .parts = self->parts);
		POLLRT_CALL(self->reply, reply, .io = self->io, .message = self->receive.message);
		if (self->reply.status)
			break;
	}
	POLLRT_END();
}

static int spawn_handler(struct server *server, struct pollrt_io *conn)
{
	return pollrt_spawn_drop(NULL, NULL, handle_conn, handle_conn_drop, .shop = server->context,
				 .io = conn);
}

int main(int argc, char **argv)
{
	struct shop shop = {
		.stage =
			{
				.options = options_parse(&tiny_tasks, argc, argv),
				.config = {.workers = STAGE_CPUS},
				.server = {.spawn = spawn_handler, .context = &shop},
				.streams = streams,
			},
	};
	int err;

	err = stage_start(&shop.stage);
	if (!err)
		err = stage_load(&shop.stage);
	stage_stop(&shop.stage);
	if (err)
		return 1;
	stage_begin_truth(&shop.stage);
	truth_number("lines", shop.lines);
	truth_number("tasks", shop.tasks);
	truth_end();
	return 0;
}
