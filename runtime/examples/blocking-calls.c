// SPDX-License-Identifier: MIT
/*
 * The first mistake: blocking calls on worker threads.
 *
 * A worker runs one poll at a time, and a poll ends only when it returns. Whatever makes the thread
 * wait or compute for long inside a poll, a file that is synced, a password that is hashed, a mutex
 * that somebody holds for long, keeps every other task of that worker waiting, though these have
 * nothing to do with it. With as many such calls at once as there are workers the whole server
 * stands still. Nothing looks wrong: the calls are correct, CPUs may be idle, the average is fine;
 * only some requests, innocent ones, take a hundred times as long.
 *
 * The fix is not to make the call faster, but to make it elsewhere: on the blocking pool, whose
 * threads exist to be blocked, while the task awaits the job. What computes takes a CPU there too:
 * of such jobs no more may run at once than leave one to the workers. And what is to be held while
 * one waits is an async lock: who does not get it returns from its poll, and its worker goes on.
 *
 * The server answers lookups all the time; every 750 ms eight requests come that need such a call:
 *
 *	fsync	an upload, whose every record is made durable before the next
 *	hash	a log-in, whose password hash takes 40 ms of CPU
 *	lock	a change of prices: the table stays locked while the supplier is asked
 *
 * latency_ns is that of the lookups.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/stage.h"
#include "pollrt_sync.h"

#define RECORDS 256
#define RECORD_SIZE 512
#define HASH_NS POLLRT_MS(40)
#define SUPPLIER_NS POLLRT_MS(25)

enum variant { FSYNC, HASH, LOCK };

static const struct example blocking_calls = {
	.name = "blocking-calls",
	.lesson = "Handlers that block their worker: a file that is synced, a password that is "
		  "hashed,\na lock that is held for long. Fixed: the blocking pool, an async lock.",
	.variants = {[FSYNC] = "fsync", [HASH] = "hash", [LOCK] = "lock"},
};

enum { LOOKUPS, CALLS };

static const struct stream streams[] = {
	[LOOKUPS] = {.name = "lookups", .connections = 24, .period_ns = POLLRT_US(500)},
	[CALLS] = {.name = "calls", .connections = 8, .burst = 8, .period_ns = POLLRT_MS(750)},
	{0},
};

struct shop {
	struct stage stage;
	int file;
	pthread_mutex_t table_lock;
	struct pollrt_mutex async_table_lock;
	_Atomic uint64_t uploads;
	_Atomic uint64_t fsyncs;
	_Atomic uint64_t fsync_ns;
	_Atomic uint64_t blocked_ns; /* in fsync, by wall clock, without what it took of a CPU */
	_Atomic uint64_t hashes;
	_Atomic uint64_t hash_ns; /* of CPU */
	_Atomic uint64_t lock_held_ns;
	_Atomic uint64_t lock_wait_ns; /* with the thread asleep */
};

/* ---- what blocks: each is a job of the blocking pool too ---- */

struct append_records {
	struct shop *shop;
};

static __attribute__((noinline)) void append_records(struct append_records *self)
{
	struct shop *shop = self->shop;
	char record[RECORD_SIZE] = "a record";

	shop->uploads++;
	for (unsigned int i = 0; i < RECORDS; i++) {
		uint64_t start = pollrt_now_ns(), cpu = thread_cpu_ns(), took;

		if (write(shop->file, record, sizeof(record)) < 0 || fsync(shop->file))
			perror("blocking-calls: the file");
		took = pollrt_now_ns() - start;
		cpu = thread_cpu_ns() - cpu;
		shop->fsyncs++;
		shop->fsync_ns += took;
		shop->blocked_ns += took > cpu ? took - cpu : 0;
	}
}

struct hash_password {
	struct shop *shop;
	uint64_t digest;
};

/* Takes as many rounds as HASH_NS allow, as the cost of password hashes is chosen by their time. */
static __attribute__((noinline)) void hash_password(struct hash_password *self)
{
	self->shop->hash_ns += compute(HASH_NS, &self->digest);
	self->shop->hashes++;
}

struct ask_supplier {
	struct shop *shop;
};

/* A client library that knows nothing of async: it sleeps until the supplier has answered. */
static __attribute__((noinline)) void ask_supplier(struct ask_supplier *self)
{
	(void)self;
	thread_sleep(SUPPLIER_NS);
}

static __attribute__((noinline)) void lock_table(struct shop *shop)
{
	uint64_t start = pollrt_now_ns();

	pthread_mutex_lock(&shop->table_lock);
	shop->lock_wait_ns += pollrt_now_ns() - start;
}

/* ---- the three requests, wrong and fixed ---- */

struct upload {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_join *job;
};

static POLLRT_ASYNC(upload)
{
	POLLRT_BEGIN();
	if (!self->shop->stage.options.fixed) {
		append_records(&(struct append_records){.shop = self->shop});
	} else {
		pollrt_spawn_blocking(NULL, self->job, append_records, .shop = self->shop);
		POLLRT_AWAIT(pollrt_join(self->job, cx));
		pollrt_join_detach(self->job);
	}
	POLLRT_END();
}

struct log_in {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_join *job;
};

static POLLRT_ASYNC(log_in)
{
	POLLRT_BEGIN();
	if (!self->shop->stage.options.fixed) {
		hash_password(&(struct hash_password){.shop = self->shop});
	} else {
		pollrt_spawn_blocking(NULL, self->job, hash_password, .shop = self->shop);
		POLLRT_AWAIT(pollrt_join(self->job, cx));
		pollrt_join_detach(self->job);
	}
	POLLRT_END();
}

struct change_prices {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_join *job;
	uint64_t locked_ns;
	struct pollrt_lock lock;
};

static POLLRT_ASYNC(change_prices)
{
	struct shop *shop = self->shop;

	POLLRT_BEGIN();
	if (!shop->stage.options.fixed) {
		lock_table(shop);
		self->locked_ns = pollrt_now_ns();
		ask_supplier(&(struct ask_supplier){.shop = shop});
		shop->lock_held_ns += pollrt_now_ns() - self->locked_ns;
		pthread_mutex_unlock(&shop->table_lock);
	} else {
		POLLRT_LOCK(self->lock, &shop->async_table_lock);
		self->locked_ns = pollrt_now_ns();
		pollrt_spawn_blocking(NULL, self->job, ask_supplier, .shop = shop);
		POLLRT_AWAIT(pollrt_join(self->job, cx));
		pollrt_join_detach(self->job);
		shop->lock_held_ns += pollrt_now_ns() - self->locked_ns;
		pollrt_lock_release(&self->lock);
	}
	POLLRT_END();
}

/* ---- the server ---- */

struct handle_conn {
	struct pollrt_async async;
	struct shop *shop;
	struct pollrt_io *io;
	struct pollrt_join job;
	struct receive receive;
	struct reply reply;
	union {
		struct upload upload;
		struct log_in log_in;
		struct change_prices change_prices;
	};
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_join_detach(&self->job);
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(handle_conn)
{
	struct shop *shop = self->shop;

	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		if (self->receive.message.stream == CALLS) {
			if (shop->stage.options.variant == FSYNC)
				POLLRT_CALL(self->upload, upload, .shop = shop, .job = &self->job);
			else if (shop->stage.options.variant == HASH)
				POLLRT_CALL(self->log_in, log_in, .shop = shop, .job = &self->job);
			else
				POLLRT_CALL(self->change_prices, change_prices, .shop = shop,
					    .job = &self->job);
		}
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

/* On a disk: /tmp may be memory, where nothing has to be synced. */
static int open_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder ? folder : "/var/tmp", O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC,
		      0600);

	if (fd < 0)
		fprintf(stderr, "blocking-calls: no file in %s: %s\n", folder ? folder : "/var/tmp",
			strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	struct shop shop = {
		.stage =
			{
				.options = options_parse(&blocking_calls, argc, argv),
				.server = {.spawn = spawn_handler, .context = &shop},
				.streams = streams,
			},
		.table_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct stage *stage = &shop.stage;
	int err = 0;

	/* Computing takes a CPU from the workers: not both. */
	stage->config = (struct pollrt_config){
		.workers = STAGE_CPUS,
		.blocking_limit = stage->options.variant == HASH ? STAGE_CPUS / 2 : 4,
	};
	pollrt_mutex_init(&shop.async_table_lock);
	shop.file = open_file();
	if (shop.file < 0)
		return 1;
	err = stage_start(stage);
	if (!err)
		err = stage_load(stage);
	stage_stop(stage);
	close(shop.file);
	if (err)
		return 1;
	stage_begin_truth(stage);
	truth_number("uploads", shop.uploads);
	truth_number("fsyncs", shop.fsyncs);
	truth_number("fsync_ns", shop.fsync_ns);
	truth_number("blocked_ns", shop.blocked_ns);
	truth_number("hashes", shop.hashes);
	truth_number("hash_ns", shop.hash_ns);
	truth_number("lock_held_ns", shop.lock_held_ns);
	truth_number("lock_wait_ns", shop.lock_wait_ns);
	truth_end();
	return 0;
}
