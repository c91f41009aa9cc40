// SPDX-License-Identifier: MIT
/*
 * The second mistake: threads that do not fit the machine.
 *
 * How many workers there are decides how many polls run at once, and no number of them makes a CPU
 * faster. With more busy workers than CPUs the kernel shares the CPUs out between them, in turns of
 * a few ms: many polls are begun and none is finished, and each holds for all that time what it
 * has, memory, locks, connections. The runtime's own queue would have let a few run to their end.
 * A quota of CPU time, as containers have, is worse: threads on all CPUs of the machine use up the
 * quota of a period early, and then the kernel stops all of them until the next one: for tens of ms
 * nothing is answered, and nothing inside of the program shows why.
 * The blocking pool has the same two sides: with too few threads jobs wait in line though the
 * machine has nothing to do, and with no limit a burst of jobs makes a thread each, with each job's
 * memory, which then all fight for the same CPUs.
 *
 * The fix is arithmetic: as many workers as CPUs that the process may use, quota included (the
 * default), as many blocking threads as jobs that compute have CPUs, or as jobs that wait should
 * wait at once.
 *
 *	oversubscribed	 128 workers on two CPUs, and uploads whose images are decoded by polls
 *	cgroup-quota	 a worker for each CPU of the machine, but a quota of one CPU
 *	pool-small	 100 jobs a second that wait for 40 ms each, and one thread for them
 *	pool-explosion	 128 jobs at once that decode an image, and a thread for each
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/quota.h"
#include "common/stage.h"

/* Wrong: "more threads do more". */
#define MANY_WORKERS (64 * STAGE_CPUS)
#define IMAGES 8
#define STEP_NS POLLRT_US(25)
#define STEPS 200 /* of an image */
#define LOAD_NS POLLRT_MS(5)
#define FETCH_NS POLLRT_MS(40)
#define DECODE_NS POLLRT_MS(5)
#define DECODE_BYTES (1024 * 1024)

enum variant { OVERSUBSCRIBED, CGROUP_QUOTA, POOL_SMALL, POOL_EXPLOSION, VARIANTS };

static const struct example thread_config = {
	.name = "thread-config",
	.lesson = "More workers than CPUs, or than a CPU quota allows; a blocking pool that is too "
		  "small,\nor without bounds. Fixed: sized to the machine.",
	.variants = {"oversubscribed", "cgroup-quota", "pool-small", "pool-explosion"},
};

static const struct stream streams[VARIANTS][2] = {
	[OVERSUBSCRIBED] = {{.name = "uploads",
			     .connections = 128,
			     .burst = 128,
			     .period_ns = POLLRT_MS(1000)}},
	[CGROUP_QUOTA] = {{.name = "gets", .connections = 16, .period_ns = POLLRT_MS(2)}},
	[POOL_SMALL] = {{.name = "fetches", .connections = 64, .period_ns = POLLRT_MS(10)}},
	[POOL_EXPLOSION] = {{.name = "uploads",
			     .connections = 128,
			     .burst = 128,
			     .period_ns = POLLRT_MS(1000)}},
};

/* Wrong and fixed. */
static const struct pollrt_config configs[VARIANTS][2] = {
	[OVERSUBSCRIBED] = {{.workers = MANY_WORKERS}, {.workers = STAGE_CPUS}},
	[CGROUP_QUOTA] = {{.workers = STAGE_CPUS}, {.workers = 0}},
	[POOL_SMALL] = {{.workers = STAGE_CPUS, .blocking_limit = 1},
			{.workers = STAGE_CPUS, .blocking_limit = 32}},
	[POOL_EXPLOSION] = {{.workers = STAGE_CPUS, .blocking_limit = 0},
			    {.workers = STAGE_CPUS, .blocking_limit = 2 * STAGE_CPUS}},
};

struct service {
	struct stage stage;
	_Atomic uint64_t computed_ns;  /* CPU time of steps and decoding */
	_Atomic uint64_t preempted_ns; /* what they took longer than that */
	_Atomic uint64_t jobs;
	_Atomic uint64_t jobs_ns; /* from start to end of each */
	_Atomic uint64_t running;
	_Atomic uint64_t most_running;
	struct histogram job_waits; /* from being queued to the start */
};

/* ---- rendering: all the time, in the background ---- */

struct render_images {
	struct pollrt_async async;
	struct service *service;
	uint64_t digest;
	unsigned int step;
	struct pollrt_sleep load;
};

/* Computes, and counts how long: what the CPUs gave, and what they did not. */
static void compute_for(struct service *service, uint64_t ns, uint64_t *digest)
{
	uint64_t start = pollrt_now_ns(), cpu = compute(ns, digest), took = pollrt_now_ns() - start;

	service->computed_ns += cpu;
	service->preempted_ns += took > cpu ? took - cpu : 0;
}

/*
 * One image after another. While the next is loaded there is nothing to do: that leaves a part of one
 * CPU to the other requests, and to the clients, which have the same quota.
 */
static POLLRT_ASYNC(render_images)
{
	POLLRT_BEGIN();
	for (;;) {
		for (self->step = 0; self->step < STEPS; self->step++) {
			compute_for(self->service, STEP_NS, &self->digest);
			POLLRT_YIELD();
		}
		POLLRT_SLEEP(self->load, LOAD_NS);
	}
	POLLRT_END();
}

static int start_rendering(struct service *service)
{
	int err = 0;

	for (unsigned int i = 0; i < IMAGES && !err; i++)
		err = pollrt_spawn(service->stage.rt, NULL, render_images, .service = service);
	return err;
}

/* ---- jobs, of the blocking pool or done by a poll itself ---- */

static void job_start(struct service *service, uint64_t queued_ns)
{
	raise_to(&service->most_running, ++service->running);
	histogram_add(&service->job_waits, pollrt_now_ns() - queued_ns);
}

static void job_end(struct service *service, uint64_t start_ns)
{
	service->running--;
	service->jobs++;
	service->jobs_ns += pollrt_now_ns() - start_ns;
}

struct fetch_file {
	struct service *service;
	uint64_t queued_ns;
};

/* From a file server, by a client library that waits for it. */
static __attribute__((noinline)) void fetch_file(struct fetch_file *self)
{
	uint64_t start = pollrt_now_ns();

	job_start(self->service, self->queued_ns);
	thread_sleep(FETCH_NS);
	job_end(self->service, start);
}

struct decode_image {
	struct service *service;
	uint64_t queued_ns;
	uint64_t digest;
};

static __attribute__((noinline)) void decode_image(struct decode_image *self)
{
	uint64_t start = pollrt_now_ns();
	unsigned char *pixels;

	job_start(self->service, self->queued_ns);
	pixels = malloc(DECODE_BYTES);
	if (pixels) {
		memset(pixels, (int)start, DECODE_BYTES);
		self->digest = pixels[start % DECODE_BYTES];
		compute_for(self->service, DECODE_NS, &self->digest);
	}
	free(pixels);
	job_end(self->service, start);
}

/* ---- the server ---- */

struct handle_conn {
	struct pollrt_async async;
	struct service *service;
	struct pollrt_io *io;
	struct pollrt_join job;
	struct receive receive;
	struct reply reply;
};

static void handle_conn_drop(struct handle_conn *self)
{
	pollrt_join_detach(&self->job);
	pollrt_io_close(self->io);
}

/* What a request needs; that of cgroup-quota needs nothing, as its images are rendered anyway. */
static void start_job(struct handle_conn *self)
{
	struct decode_image image = {.service = self->service, .queued_ns = pollrt_now_ns()};

	switch (self->service->stage.options.variant) {
	case OVERSUBSCRIBED:
		decode_image(&image);
		break;
	case POOL_SMALL:
		pollrt_spawn_blocking(NULL, &self->job, fetch_file, .service = self->service,
				      .queued_ns = pollrt_now_ns());
		break;
	case POOL_EXPLOSION:
		pollrt_spawn_blocking(NULL, &self->job, decode_image, .service = self->service,
				      .queued_ns = pollrt_now_ns());
		break;
	}
}

static POLLRT_ASYNC(handle_conn)
{
	POLLRT_BEGIN();
	for (;;) {
		POLLRT_CALL(self->receive, receive, .io = self->io);
		if (self->receive.status)
			break;
		start_job(self);
		POLLRT_AWAIT(pollrt_join(&self->job, cx));
		pollrt_join_detach(&self->job);
		POLLRT_CALL(self->reply, reply, .io = self->io, .message = self->receive.message);
		if (self->reply.status)
			break;
	}
	POLLRT_END();
}

static int spawn_handler(struct server *server, struct pollrt_io *conn)
{
	return pollrt_spawn_drop(NULL, NULL, handle_conn, handle_conn_drop,
				 .service = server->context, .io = conn);
}

static void print_truth(const struct service *service, uint64_t throttled_ns)
{
	const struct stage *stage = &service->stage;

	stage_begin_truth(stage);
	truth_number("workers", stage->workers);
	truth_number("computed_ns", service->computed_ns);
	truth_number("preempted_ns", service->preempted_ns);
	truth_number("throttled_ns", throttled_ns);
	truth_number("jobs", service->jobs);
	truth_number("jobs_ns", service->jobs_ns);
	truth_number("jobs_wait_p99_ns", histogram_percentile(&service->job_waits, 0.99));
	truth_number("most_at_once", service->most_running);
	truth_end();
}

static int run(struct service *service)
{
	int err;

	err = stage_start(&service->stage);
	if (!err && service->stage.options.variant == CGROUP_QUOTA)
		err = stage_error(&service->stage, "cannot start rendering",
				  start_rendering(service));
	if (!err)
		err = stage_load(&service->stage);
	stage_stop(&service->stage);
	return err;
}

int main(int argc, char **argv)
{
	struct service service = {
		.stage =
			{
				.options = options_parse(&thread_config, argc, argv),
				.server = {.spawn = spawn_handler, .context = &service},
			},
	};
	const struct options *options = &service.stage.options;
	struct quota quota;
	uint64_t throttled_ns = 0;
	int err;

	service.stage.streams = streams[options->variant];
	service.stage.config = configs[options->variant][options->fixed];
	if (options->variant == CGROUP_QUOTA) {
		err = stage_error(&service.stage, "cannot make a cgroup with a quota",
				  quota_enter(&quota, 1));
		if (err)
			return 1;
	}
	err = run(&service);
	if (options->variant == CGROUP_QUOTA) {
		throttled_ns = quota_throttled_ns(&quota);
		quota_leave(&quota);
	}
	if (err)
		return 1;
	print_truth(&service, throttled_ns);
	return 0;
}
