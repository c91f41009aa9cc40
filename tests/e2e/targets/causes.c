// SPDX-License-Identifier: MIT
/*
 * causes CAUSE N [FILE]: N tasks, one after the other, each of one poll that does one thing. Around
 * it each takes the time and its thread's CPU time: what is missing between the two is what it
 * waited; and how often its thread went to sleep.
 *
 *	nanosleep	2 ms
 *	fdatasync	of a page written to FILE
 *	lock		a mutex that another thread holds for 3 ms more
 *	pipe		a read of what another thread writes 3 ms later
 *	fault		16 pages of FILE, which the page cache has dropped
 *	cpu		20 ms of computing, on a CPU that another thread wants too
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "pollrt.h"
#include "truth.h"

#define PAGE 4096
#define PAGES 16
#define STRIDE (64 * PAGE) /* beyond what is read around a fault */

/* What one task measured. */
struct interval {
	uint64_t task;
	uint64_t wall_ns, cpu_ns;
	uint64_t majflt, sleeps;
};

struct options;

/* One thing that blocks: prepared outside of the interval, by the task or its helper thread. */
struct cause {
	const char *name;
	void (*prepare)(struct options *o, unsigned int i);
	void (*block)(struct options *o, unsigned int i);
};

struct options {
	const struct cause *cause;
	unsigned int n;
	const char *path;
	int fd;
	int pipe[2];
	pthread_mutex_t lock;
	pthread_barrier_t meet; /* of the task and the helper */
	sem_t begun;            /* the task is about to wait for the helper */
	volatile bool stop;
	struct interval *intervals;
};

static void pause_us(unsigned int us)
{
	struct timespec t = {.tv_nsec = us * 1000L};

	nanosleep(&t, NULL);
}

static void no_preparation(struct options *o, unsigned int i)
{
	(void)o;
	(void)i;
}

static void block_nanosleep(struct options *o, unsigned int i)
{
	(void)o;
	(void)i;
	pause_us(2000);
}

static void prepare_fdatasync(struct options *o, unsigned int i)
{
	char page[PAGE];

	memset(page, (int)i, sizeof(page));
	if (pwrite(o->fd, page, sizeof(page), (off_t)i * PAGE) != PAGE)
		abort();
}

static void block_fdatasync(struct options *o, unsigned int i)
{
	(void)i;
	if (fdatasync(o->fd))
		abort();
}

/* The helper has the lock when this returns. */
static void prepare_meeting(struct options *o, unsigned int i)
{
	(void)i;
	pthread_barrier_wait(&o->meet);
	pthread_barrier_wait(&o->meet);
}

static void block_lock(struct options *o, unsigned int i)
{
	(void)i;
	sem_post(&o->begun);
	pthread_mutex_lock(&o->lock);
	pthread_mutex_unlock(&o->lock);
}

static void block_pipe(struct options *o, unsigned int i)
{
	char byte;

	(void)i;
	sem_post(&o->begun);
	if (read(o->pipe[0], &byte, 1) != 1)
		abort();
}

static void prepare_fault(struct options *o, unsigned int i)
{
	off_t length = (off_t)PAGES * STRIDE;

	(void)i;
	if (posix_fadvise(o->fd, 0, length, POSIX_FADV_DONTNEED))
		abort();
}

static void block_fault(struct options *o, unsigned int i)
{
	size_t length = (size_t)PAGES * STRIDE;
	volatile char *map = mmap(NULL, length, PROT_READ, MAP_SHARED, o->fd, 0);

	(void)i;
	if (map == MAP_FAILED || madvise((void *)map, length, MADV_RANDOM))
		abort();
	for (size_t page = 0; page < PAGES; page++)
		(void)map[page * STRIDE];
	munmap((void *)map, length);
}

static void block_cpu(struct options *o, unsigned int i)
{
	uint64_t until = truth_clock(CLOCK_THREAD_CPUTIME_ID) + POLLRT_MS(20);

	(void)o;
	(void)i;
	while (truth_clock(CLOCK_THREAD_CPUTIME_ID) < until) {
		for (volatile int turns = 0; turns < 100000; turns++)
			;
	}
}

static const struct cause causes[] = {
	{"nanosleep", no_preparation, block_nanosleep},
	{"fdatasync", prepare_fdatasync, block_fdatasync},
	{"lock", prepare_meeting, block_lock},
	{"pipe", prepare_meeting, block_pipe},
	{"fault", prepare_fault, block_fault},
	{"cpu", no_preparation, block_cpu},
};

/* ---- the helper: whoever the task waits for ---- */

static void *helper(void *argument)
{
	struct options *o = argument;
	bool lock = !strcmp(o->cause->name, "lock");

	for (unsigned int i = 0; i < o->n; i++) {
		pthread_barrier_wait(&o->meet);
		if (lock)
			pthread_mutex_lock(&o->lock);
		pthread_barrier_wait(&o->meet);
		while (sem_wait(&o->begun))
			;
		pause_us(3000);
		if (lock)
			pthread_mutex_unlock(&o->lock);
		else if (write(o->pipe[1], "", 1) != 1)
			abort();
	}
	return NULL;
}

static void *hog(void *argument)
{
	struct options *o = argument;

	while (!o->stop)
		;
	return NULL;
}

/* ---- tasks ---- */

struct prepare {
	struct pollrt_async async;
	struct options *options;
	unsigned int i;
};

static POLLRT_ASYNC(prepare)
{
	POLLRT_BEGIN();
	self->options->cause->prepare(self->options, self->i);
	POLLRT_END();
}

struct blocker {
	struct pollrt_async async;
	struct options *options;
	unsigned int i;
};

static POLLRT_ASYNC(blocker)
{
	struct interval *interval = &self->options->intervals[self->i];
	struct rusage before, after;
	uint64_t wall, cpu;

	POLLRT_BEGIN();
	interval->task = pollrt_task_id(cx);
	getrusage(RUSAGE_THREAD, &before);
	wall = truth_clock(CLOCK_MONOTONIC);
	cpu = truth_clock(CLOCK_THREAD_CPUTIME_ID);
	self->options->cause->block(self->options, self->i);
	interval->cpu_ns = truth_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
	interval->wall_ns = truth_clock(CLOCK_MONOTONIC) - wall;
	getrusage(RUSAGE_THREAD, &after);
	interval->majflt = (uint64_t)(after.ru_majflt - before.ru_majflt);
	interval->sleeps = (uint64_t)(after.ru_nvcsw - before.ru_nvcsw);
	POLLRT_END();
}

struct all {
	struct pollrt_async async;
	struct options *options;
	unsigned int i;
	struct pollrt_join join;
};

static POLLRT_ASYNC(all)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < self->options->n; self->i++) {
		if (pollrt_spawn(NULL, &self->join, prepare, .options = self->options,
				 .i = self->i))
			abort();
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
		if (pollrt_spawn(NULL, &self->join, blocker, .options = self->options,
				 .i = self->i))
			abort();
		POLLRT_AWAIT(pollrt_join(&self->join, cx));
		pollrt_join_detach(&self->join);
	}
	POLLRT_END();
}

static void one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void file_fill(struct options *o)
{
	size_t length = (size_t)PAGES * STRIDE;
	char *bytes = calloc(1, length);

	o->fd = open(o->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (o->fd < 0 || !bytes || write(o->fd, bytes, length) != (ssize_t)length || fsync(o->fd)) {
		perror(o->path);
		exit(1);
	}
	free(bytes);
}

static void round_run(struct options *o)
{
	struct pollrt_config config = {.workers = 2};
	struct all state = {.options = o};
	struct pollrt_runtime *rt;
	pthread_t thread;
	void *(*helping)(void *) = helper;
	bool helped = o->cause->prepare == prepare_meeting;

	o->stop = false;
	if (o->cause->block == block_cpu) {
		helped = true;
		helping = hog;
		one_cpu();
	}
	if (helped && pthread_create(&thread, NULL, helping, o))
		abort();
	if (pollrt_runtime_create(&rt, &config) || pollrt_block_on(rt, all, &state))
		abort();
	pollrt_runtime_destroy(rt);
	o->stop = true;
	if (helped)
		pthread_join(thread, NULL);
}

static void say(struct truth *truth, const struct options *o)
{
	struct stat pipe = {0};

	if (o->pipe[0] > 0)
		fstat(o->pipe[0], &pipe);
	truth_say(truth, "{\"pipe\":%llu,\"intervals\":[", (unsigned long long)pipe.st_ino);
	for (unsigned int i = 0; i < o->n; i++) {
		const struct interval *interval = &o->intervals[i];

		truth_say(
			truth,
			"%s{\"task\":%llu,\"wall_ns\":%llu,\"cpu_ns\":%llu,\"majflt\":%llu,"
			"\"sleeps\":%llu}",
			i ? "," : "", (unsigned long long)interval->task,
			(unsigned long long)interval->wall_ns, (unsigned long long)interval->cpu_ns,
			(unsigned long long)interval->majflt, (unsigned long long)interval->sleeps);
	}
	truth_say(truth, "]}\n");
}

int main(int argc, char **argv)
{
	struct options o = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};
	struct truth truth;

	if (argc < 3)
		return 2;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (!strcmp(causes[i].name, argv[1]))
			o.cause = &causes[i];
	o.n = (unsigned int)strtoul(argv[2], NULL, 10);
	o.path = argc > 3 ? argv[3] : NULL;
	o.intervals = calloc(o.n, sizeof(*o.intervals));
	if (!o.cause || !o.intervals || pipe(o.pipe) || sem_init(&o.begun, 0, 0) ||
	    pthread_barrier_init(&o.meet, NULL, 2))
		return 2;
	if (o.path)
		file_fill(&o);
	truth_open(&truth);
	while (truth_go(&truth)) {
		round_run(&o);
		say(&truth, &o);
	}
	return 0;
}
