// SPDX-License-Identifier: MIT
// links: attach tokio events unwind symbolize core util -lbpf -lZydis -ldw -lelf -liberty -lzstd
/*
 * unwind_cost PID SECONDS [fp]: traces a process, and prints what its stacks cost in the BPF programs: of
 * samples, and of intervals off the CPU, each how many there were, the ns that one took, all that its programs
 * did counted in, and how many user frames it has.
 */
#include <bpf/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attach/capture.h"
#include "util/clock.h"

#define SAMPLE_HZ 4999

/* The stacks of one kind: up to a time, all that there are. */
struct stacks {
	uint64_t n, frames;
	uint64_t ns; /* in the programs */
};

struct measurement {
	struct event_sink sink;
	pid_t pid;
	bool frame_pointers;
	volatile sig_atomic_t ended;
	volatile bool started;
	uint64_t until; /* what comes later does not count */
	struct stacks samples, intervals;
};

static void stack_count(struct stacks *stacks, const struct event_stack *stack)
{
	stacks->n++;
	stacks->frames += stack->nuser;
}

static int event_take(struct event_sink *sink, const struct event *event)
{
	struct measurement *m = (struct measurement *)sink;

	if (event->time > __atomic_load_n(&m->until, __ATOMIC_ACQUIRE))
		return 0;
	if (event->type == EVENT_SAMPLE)
		stack_count(&m->samples, &event->sample.stack);
	else if (event->type == EVENT_OFFCPU)
		stack_count(&m->intervals, &event->offcpu.stack);
	return 0;
}

static void progress(void *ctx, const struct capture_progress *progress)
{
	struct measurement *m = ctx;

	m->started = progress->started;
}

static void *capture(void *argument)
{
	struct measurement *m = argument;
	struct capture_options options = {
		.pids = &m->pid,
		.npids = 1,
		.sample_hz = SAMPLE_HZ,
		.frame_pointers = m->frame_pointers,
		.ring_bytes = 8 << 20,
		.one_in = 1,
		.tool_version = "",
		.command_line = "",
		.interrupted = &m->ended,
		.progress = progress,
		.ctx = m,
	};
	char why[512];

	if (capture_run(&options, &m->sink, why, sizeof(why)))
		fprintf(stderr, "unwind_cost: %s\n", why);
	m->ended = 1;
	return NULL;
}

/* The time that programs of that name have run for that were loaded since. */
static uint64_t programs_ns(const char *name, uint64_t since)
{
	uint64_t ns = 0;
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &size) &&
		    info.load_time >= since && !strcmp(info.name, name))
			ns += info.run_time_ns;
		if (fd >= 0)
			close(fd);
	}
	return ns;
}

static void print(const struct stacks *stacks)
{
	double n = stacks->n ? (double)stacks->n : 1;

	printf("%llu %.0f %.1f\n", (unsigned long long)stacks->n, (double)stacks->ns / n,
	       (double)stacks->frames / n);
}

int main(int argc, char **argv)
{
	struct measurement m = {.sink.take = event_take, .until = UINT64_MAX};
	struct timespec pause = {.tv_nsec = 1000000};
	uint64_t start = clock_read_ns(CLOCK_BOOTTIME);
	int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
	pthread_t thread;

	if (argc < 3 || statistics < 0) {
		fputs("usage: unwind_cost PID SECONDS [fp], as root\n", stderr);
		return 2;
	}
	m.pid = atoi(argv[1]);
	m.frame_pointers = argc > 3;
	if (pthread_create(&thread, NULL, capture, &m))
		return 1;
	while (!m.started && !m.ended)
		nanosleep(&pause, NULL);
	sleep((unsigned int)atoi(argv[2]));
	m.samples.ns = programs_ns("sample", start);
	m.intervals.ns = programs_ns("sched_switch", start) + programs_ns("sched_waking", start);
	__atomic_store_n(&m.until, clock_monotonic_ns(), __ATOMIC_RELEASE);
	m.ended = 1;
	pthread_join(thread, NULL);
	close(statistics);
	print(&m.samples);
	print(&m.intervals);
	return m.samples.n + m.intervals.n ? 0 : 1;
}
