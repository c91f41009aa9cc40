// SPDX-License-Identifier: MIT
/*
 * runtime BENCH WORKERS MS: what `make bench-runtime` times: runs a benchmark for so long, after
 * some turns that do not count, and prints the operations done and the ns that passed.
 * tests/tokio/src/bin/runtime.rs does the same on Tokio. `runtime echo WORKERS` is an echo server,
 * which prints its port and serves until it is killed.
 *
 * The benchmarks, with their sizes, are those that Tokio keeps for its scheduler
 * (benches/rt_multi_threaded.rs), and wake_many_remote. "local" is their name for what a future in
 * block_on spawns; as it runs on no worker, that goes through the injection queue as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pollrt.h"
#include "pollrt_io.h"
#include "pollrt_sync.h"

#define SPAWNS 10000u
#define SPAWNS_BUSY 1000u
#define YIELDERS 200u
#define YIELDS 1000u
#define PINGS 1000u
#define LINKS 1000u
#define SLEEPERS 1000u
#define STALL_NS 10000u

struct run {
	struct pollrt_runtime *rt;
	unsigned int workers;
	sem_t done;
	_Atomic uint64_t left; /* tasks that have not done their part */
	_Atomic bool stop;
	struct pollrt_join handles[SPAWNS];
	struct pollrt_waker wakers[SLEEPERS];
};

static void wait_done(struct run *run)
{
	while (sem_wait(&run->done) && errno == EINTR)
		;
}

/* A task has done its part; the last one says so. */
static void count_down(struct run *run)
{
	if (atomic_fetch_sub(&run->left, 1) == 1)
		sem_post(&run->done);
}

/* ---- spawn_many_local ---- */

struct counted {
	struct run *run;
};

static enum pollrt_poll counted(struct counted *self, struct pollrt_cx *cx)
{
	(void)cx;
	count_down(self->run);
	return POLLRT_READY;
}

struct spawn_counted {
	struct run *run;
};

static enum pollrt_poll spawn_counted(struct spawn_counted *self, struct pollrt_cx *cx)
{
	(void)cx;
	for (unsigned int i = 0; i < SPAWNS; i++)
		pollrt_spawn(NULL, NULL, counted, .run = self->run);
	wait_done(self->run);
	return POLLRT_READY;
}

static uint64_t spawn_many_local(struct run *run)
{
	run->left = SPAWNS;
	pollrt_block_on(run->rt, spawn_counted, &(struct spawn_counted){.run = run});
	return SPAWNS;
}

/* ---- spawn_many_remote_idle, _busy1, _busy2 ---- */

struct nothing {
};

static enum pollrt_poll nothing(struct nothing *self, struct pollrt_cx *cx)
{
	(void)self;
	(void)cx;
	return POLLRT_READY;
}

struct join_all {
	struct pollrt_async async;
	struct pollrt_join *handles;
	unsigned int count;
	unsigned int i;
};

static POLLRT_ASYNC(join_all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->count; self->i++) {
		POLLRT_AWAIT(pollrt_join(&self->handles[self->i], cx));
		pollrt_join_detach(&self->handles[self->i]);
	}
	POLLRT_END();
}

static uint64_t spawn_remote(struct run *run, unsigned int count)
{
	struct join_all all = {.handles = run->handles, .count = count};

	for (unsigned int i = 0; i < count; i++)
		pollrt_spawn(run->rt, &run->handles[i], nothing);
	pollrt_block_on(run->rt, join_all, &all);
	return count;
}

static uint64_t spawn_many_remote(struct run *run)
{
	return spawn_remote(run, SPAWNS);
}

static uint64_t spawn_many_remote_busy2(struct run *run)
{
	return spawn_remote(run, SPAWNS_BUSY);
}

static void stall(void)
{
	uint64_t end = pollrt_now_ns() + STALL_NS;

	while (pollrt_now_ns() < end)
		sched_yield();
}

/* Keeps a worker busy, and yields. */
struct yield_busily {
	struct pollrt_async async;
	struct run *run;
};

static POLLRT_ASYNC(yield_busily)
{
	POLLRT_BEGIN();
	while (!self->run->stop) {
		POLLRT_YIELD();
		stall();
	}
	POLLRT_END();
}

static void start_yielding(struct run *run)
{
	for (unsigned int i = 0; i < 2 * run->workers; i++)
		pollrt_spawn(run->rt, NULL, yield_busily, .run = run);
}

/* Keeps a worker busy, and spawns its successor. */
struct spawn_busily {
	struct run *run;
};

static enum pollrt_poll spawn_busily(struct spawn_busily *self, struct pollrt_cx *cx)
{
	(void)cx;
	if (self->run->stop)
		return POLLRT_READY;
	stall();
	pollrt_spawn(NULL, NULL, spawn_busily, .run = self->run);
	return POLLRT_READY;
}

static void start_spawning(struct run *run)
{
	for (unsigned int i = 0; i < run->workers; i++)
		pollrt_spawn(run->rt, NULL, spawn_busily, .run = run);
}

/* ---- yield_many ---- */

struct yields {
	struct pollrt_async async;
	struct run *run;
	unsigned int i;
};

static POLLRT_ASYNC(yields)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < YIELDS; self->i++)
		POLLRT_YIELD();
	sem_post(&self->run->done);
	POLLRT_END();
}

static uint64_t yield_many(struct run *run)
{
	for (unsigned int i = 0; i < YIELDERS; i++)
		pollrt_spawn(run->rt, NULL, yields, .run = run);
	for (unsigned int i = 0; i < YIELDERS; i++)
		wait_done(run);
	return YIELDERS * YIELDS;
}

/* ---- ping_pong ---- */

/* Answers a ping. */
struct pong {
	struct pollrt_async async;
	struct pollrt_oneshot_receiver *ping;
	struct pollrt_oneshot_sender *pong;
	char item;
	struct pollrt_oneshot_recv recv;
};

static POLLRT_ASYNC(pong)
{
	POLLRT_BEGIN();
	POLLRT_CALL(self->recv, pollrt_oneshot_recv, .receiver = self->ping, .item = &self->item);
	pollrt_oneshot_receiver_close(self->ping);
	pollrt_oneshot_send(self->pong, &self->item);
	POLLRT_END();
}

struct ping {
	struct pollrt_async async;
	struct run *run;
	struct pollrt_oneshot_receiver *pong;
	char item;
	struct pollrt_oneshot_recv recv;
};

static POLLRT_ASYNC(ping)
{
	struct pollrt_oneshot_sender *send_ping, *send_pong;
	struct pollrt_oneshot_receiver *ping;

	POLLRT_BEGIN();
	pollrt_oneshot_create(&send_ping, &ping, sizeof(self->item), NULL);
	pollrt_oneshot_create(&send_pong, &self->pong, sizeof(self->item), NULL);
	pollrt_spawn(NULL, NULL, pong, .ping = ping, .pong = send_pong);
	pollrt_oneshot_send(send_ping, &self->item);
	POLLRT_CALL(self->recv, pollrt_oneshot_recv, .receiver = self->pong, .item = &self->item);
	pollrt_oneshot_receiver_close(self->pong);
	count_down(self->run);
	POLLRT_END();
}

struct spawn_pings {
	struct run *run;
};

static enum pollrt_poll spawn_pings(struct spawn_pings *self, struct pollrt_cx *cx)
{
	(void)cx;
	for (unsigned int i = 0; i < PINGS; i++)
		pollrt_spawn(NULL, NULL, ping, .run = self->run);
	return POLLRT_READY;
}

struct start_pings {
	struct run *run;
};

static enum pollrt_poll start_pings(struct start_pings *self, struct pollrt_cx *cx)
{
	(void)cx;
	pollrt_spawn(NULL, NULL, spawn_pings, .run = self->run);
	wait_done(self->run);
	return POLLRT_READY;
}

static uint64_t ping_pong(struct run *run)
{
	run->left = PINGS;
	pollrt_block_on(run->rt, start_pings, &(struct start_pings){.run = run});
	return PINGS;
}

/* ---- chained_spawn ---- */

struct chain {
	struct run *run;
	unsigned int n;
};

static enum pollrt_poll chain(struct chain *self, struct pollrt_cx *cx)
{
	(void)cx;
	if (self->n == 0)
		sem_post(&self->run->done);
	else
		pollrt_spawn(NULL, NULL, chain, .run = self->run, .n = self->n - 1);
	return POLLRT_READY;
}

struct start_chain {
	struct run *run;
};

static enum pollrt_poll start_chain(struct start_chain *self, struct pollrt_cx *cx)
{
	(void)cx;
	pollrt_spawn(NULL, NULL, chain, .run = self->run, .n = LINKS);
	wait_done(self->run);
	return POLLRT_READY;
}

static uint64_t chained_spawn(struct run *run)
{
	pollrt_block_on(run->rt, start_chain, &(struct start_chain){.run = run});
	return LINKS;
}

/* ---- wake_many_remote ---- */

/* Sleeps until it is woken, and counts down each time. */
struct sleeper {
	struct run *run;
	struct pollrt_waker *waker;
};

static enum pollrt_poll sleeper(struct sleeper *self, struct pollrt_cx *cx)
{
	if (!self->waker->task)
		*self->waker = pollrt_waker(cx);
	count_down(self->run);
	return POLLRT_PENDING;
}

static void start_sleepers(struct run *run)
{
	run->left = SLEEPERS;
	for (unsigned int i = 0; i < SLEEPERS; i++)
		pollrt_spawn(run->rt, NULL, sleeper, .run = run, .waker = &run->wakers[i]);
	wait_done(run);
}

static uint64_t wake_many_remote(struct run *run)
{
	run->left = SLEEPERS;
	for (unsigned int i = 0; i < SLEEPERS; i++)
		pollrt_waker_wake_by_ref(&run->wakers[i]);
	wait_done(run);
	return SLEEPERS;
}

/* ---- running them ---- */

struct bench {
	const char *name;
	void (*start)(struct run *run);
	uint64_t (*turn)(struct run *run); /* returns the operations it took */
};

static const struct bench benches[] = {
	{"spawn_many_local", NULL, spawn_many_local},
	{"spawn_many_remote_idle", NULL, spawn_many_remote},
	{"spawn_many_remote_busy1", start_yielding, spawn_many_remote},
	{"spawn_many_remote_busy2", start_spawning, spawn_many_remote_busy2},
	{"yield_many", NULL, yield_many},
	{"ping_pong", NULL, ping_pong},
	{"chained_spawn", NULL, chained_spawn},
	{"wake_many_remote", start_sleepers, wake_many_remote},
};

/* Returns the operations done, and in *@took the ns that they took. */
static uint64_t turns(struct run *run, const struct bench *bench, uint64_t ns, uint64_t *took)
{
	uint64_t start = pollrt_now_ns(), ops = 0;

	do {
		ops += bench->turn(run);
		*took = pollrt_now_ns() - start;
	} while (*took < ns);
	return ops;
}

static int run_bench(const struct bench *bench, unsigned int workers, uint64_t ns)
{
	struct pollrt_config config = {.workers = workers};
	struct run *run = calloc(1, sizeof(*run));
	uint64_t ops, took;
	int err;

	if (!run)
		return -ENOMEM;
	run->workers = workers;
	sem_init(&run->done, 0, 0);
	err = pollrt_runtime_create(&run->rt, &config);
	if (err)
		goto free_run;
	if (bench->start)
		bench->start(run);
	turns(run, bench, ns / 4, &took);
	ops = turns(run, bench, ns, &took);
	run->stop = true;
	pollrt_runtime_destroy(run->rt);
	for (unsigned int i = 0; i < SLEEPERS; i++)
		pollrt_waker_drop(&run->wakers[i]);
	printf("%" PRIu64 " %" PRIu64 "\n", ops, took);
free_run:
	free(run);
	return err;
}

/* ---- echo ---- */

struct echo {
	struct pollrt_async async;
	struct pollrt_io *io;
	char buffer[1024];
	ssize_t n;
	struct pollrt_write_all write;
};

static void echo_drop(struct echo *self)
{
	pollrt_io_close(self->io);
}

static POLLRT_ASYNC(echo)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(
			pollrt_read(self->io, self->buffer, sizeof(self->buffer), &self->n, cx));
		if (self->n <= 0)
			break;
		POLLRT_CALL(self->write, pollrt_write_all, .io = self->io, .buffer = self->buffer,
			    .size = (size_t)self->n);
		if (self->write.status)
			break;
	}
	POLLRT_END();
}

struct serve {
	struct pollrt_async async;
	struct pollrt_io *listener;
	struct pollrt_io *conn;
	int status;
};

static POLLRT_ASYNC(serve)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_AWAIT(pollrt_tcp_accept(self->listener, &self->conn, &self->status, cx));
		if (self->status)
			break;
		pollrt_spawn_drop(NULL, NULL, echo, echo_drop, .io = self->conn);
	}
	POLLRT_END();
}

static int run_echo(unsigned int workers)
{
	struct pollrt_config config = {.workers = workers};
	struct pollrt_runtime *rt;
	struct serve state = {0};
	int err;

	err = pollrt_runtime_create(&rt, &config);
	if (err)
		return err;
	err = pollrt_tcp_listen(&state.listener, rt, "127.0.0.1", 0);
	if (err)
		goto destroy;
	printf("port %d\n", pollrt_tcp_port(state.listener));
	fflush(stdout);
	/* A worker is to serve, not this thread. */
	err = pollrt_spawn(rt, NULL, serve, .listener = state.listener);
	while (!err)
		pause();
	pollrt_io_close(state.listener);
destroy:
	pollrt_runtime_destroy(rt);
	return err;
}

static int run_named(const char *name, unsigned int workers, uint64_t ns)
{
	if (!strcmp(name, "echo"))
		return run_echo(workers);
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++) {
		if (!strcmp(name, benches[i].name))
			return run_bench(&benches[i], workers, ns);
	}
	return -ENOENT;
}

int main(int argc, char **argv)
{
	int err;

	if (argc < 3) {
		fputs("usage: runtime BENCH WORKERS MS | runtime echo WORKERS\n", stderr);
		return 2;
	}
	err = run_named(argv[1], (unsigned int)strtoul(argv[2], NULL, 10),
			argc > 3 ? POLLRT_MS(strtoull(argv[3], NULL, 10)) : 0);
	if (err)
		fprintf(stderr, "runtime: %s: %s\n", argv[1], strerror(-err));
	return err ? 1 : 0;
}
