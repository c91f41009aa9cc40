// SPDX-License-Identifier: MIT
#include "attach/calibrate.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "attach/tracer.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "util/clock.h"

#define ROUNDS 8
#define ROUND_HITS 200

/* How functions begin, and undo that. */
#if defined(__x86_64__)
#define PUSH "push %rbx"
#define POP "pop %rbx"
#else
#define PUSH "stp x29, x30, [sp, -16]!"
#define POP "ldp x29, x30, [sp], 16"
#endif

/* The probed instructions: a nop as in <sys/sdt.h>, and the push that poll functions begin with. The
 * kernel emulates them. */
extern const char calibrate_start[], calibrate_end[], calibrate_signal[], calibrate_await[];
void calibrate_poll(const void *task);
void calibrate_wake(const void *task);

asm(".pushsection .text\n"
    ".globl calibrate_poll\n"
    ".type calibrate_poll, %function\n"
    "calibrate_poll:\n"
    "	" PUSH "\n"
    "	" POP "\n"
    "	ret\n"
    ".globl calibrate_wake\n"
    ".type calibrate_wake, %function\n"
    "calibrate_wake:\n"
    "	" PUSH "\n"
    "	" POP "\n"
    "	ret\n"
    ".popsection\n");

/* What the programs take for a task of Tokio's: idle, with one reference to it. */
struct task {
	uint64_t state;
	uint64_t queue_next;
	const uint64_t *vtable;
	uint64_t owner;
	uint64_t scheduler;
	uint64_t id;
	uint64_t rest[2];
};
static const uint64_t task_vtable[] = {offsetof(struct task, id)};
static const struct task task = {.state = 1 << 6, .vtable = task_vtable, .id = 1};

static __attribute__((noinline)) void hit_poll(void)
{
	asm volatile(".globl calibrate_start\ncalibrate_start: nop\n"
		     ".globl calibrate_end\ncalibrate_end: nop\n");
}

static __attribute__((noinline)) void hit_signal(void)
{
	asm volatile(".globl calibrate_signal\ncalibrate_signal: nop\n");
}

static __attribute__((noinline)) void hit_await(void)
{
	asm volatile(".globl calibrate_await\ncalibrate_await: nop\n");
}

static void hit_tokio_poll(void)
{
	calibrate_poll(&task);
}

static void hit_tokio_wake(void)
{
	calibrate_wake(&task);
}

struct timing {
	void (*hit)(void);
	uint64_t ns;
};

/* Time of one hit, the best of several rounds: the rest is other people's. */
static void *timing_run(void *ctx)
{
	struct timing *timing = ctx;

	timing->ns = UINT64_MAX;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock_monotonic_ns(), took;

		for (int i = 0; i < ROUND_HITS; i++)
			timing->hit();
		took = (clock_monotonic_ns() - start) / ROUND_HITS;
		if (took < timing->ns)
			timing->ns = took;
	}
	return NULL;
}

/* Our own executable and its mapping that holds the probed instructions. */
static int self_open(struct elf_file **file, uint64_t *delta)
{
	uint64_t at = (uintptr_t)calibrate_start;
	struct maps maps;
	int err = maps_read(getpid(), &maps);

	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *map = &maps.entries[i];

		if (at < map->start || at >= map->end)
			continue;
		*delta = map->offset - map->start;
		err = elf_file_open(getpid(), map, file);
		break;
	}
	maps_release(&maps);
	return err;
}

static int points_attach(struct tracer *tracer)
{
	const struct operand one = {.class = OPERAND_CONST, .size = 8, .value = 1};
	const struct task_header header = {
		.vtable = offsetof(struct task, vtable),
		.id = offsetof(struct task, id),
	};
	struct probe_point points[] = {
		{.program = PROBE_POLL_START, .site.type = WIRE_POLL},
		{.program = PROBE_POLL_END, .site.type = WIRE_POLL},
		{.program = PROBE_WAKE, .site.type = WIRE_WAKE},
		{.program = PROBE_TOKIO_POLL, .site.type = WIRE_POLL},
		{.program = PROBE_AWAIT, .site.type = WIRE_AWAIT},
		{.program = PROBE_TOKIO_WAKE, .site.type = WIRE_WAKE},
	};
	const uintptr_t addresses[] = {
		(uintptr_t)calibrate_start, (uintptr_t)calibrate_end,   (uintptr_t)calibrate_signal,
		(uintptr_t)calibrate_poll,  (uintptr_t)calibrate_await, (uintptr_t)calibrate_wake,
	};
	struct probe_plan plan = {.points = points, .npoints = sizeof(points) / sizeof(points[0])};
	struct elf_file *self;
	uint64_t delta;
	int err = self_open(&self, &delta), refused;

	if (err)
		return err;
	for (size_t i = 0; i < plan.npoints; i++) {
		points[i].offset = addresses[i] + delta;
		points[i].site.arg[0] = one;
		points[i].site.header = header;
	}
	points[plan.npoints - 1].site.header.id = HEADER_NONE; /* wakers do not know the type */
	err = tracer_attach(tracer, getpid(), self, &plan, 0, &refused);
	elf_file_close(self);
	/* Where those that wait cannot be probed is said of each target. */
	return err;
}

static int record_count(void *ctx, void *data, size_t size)
{
	(void)data;
	(void)size;
	(*(size_t *)ctx)++;
	return 0;
}

/* Opens the rings; what is consumed counts in *records. */
static int rings_open(struct tracer *tracer, struct ring_buffer **all, size_t *records)
{
	size_t n;
	const int *rings = tracer_rings(tracer, &n);
	int err = 0;

	*all = ring_buffer__new(rings[0], record_count, records, NULL);
	if (!*all)
		return -errno;
	for (size_t i = 1; !err && i < n; i++)
		err = ring_buffer__add(*all, rings[i], record_count, records);
	return err;
}

/* What the probes on a function add to it. */
static int cost_measure(void (*hit)(void), uint64_t untraced, uint64_t *ns)
{
	struct timing timing = {.hit = hit};
	pthread_t thread;
	/* In a thread of its own: what follows only the first one shows here. */
	int err = -pthread_create(&thread, NULL, timing_run, &timing);

	if (err)
		return err;
	pthread_join(thread, NULL);
	*ns = timing.ns > untraced ? timing.ns - untraced : 0;
	return 0;
}

static int costs_measure(struct tracer *tracer, struct calibration *result)
{
	const struct {
		void (*hit)(void);
		uint64_t *ns;
		uint32_t one_in;
		bool silent;
	} costs[] = {
		{hit_poll, &result->poll_ns, 1, false},
		{hit_signal, &result->signal_ns, 1, false},
		{hit_tokio_poll, &result->tokio_poll_ns, 1, false},
		{hit_tokio_wake, &result->tokio_wake_ns, 1, false},
		{hit_poll, &result->skip_ns, UINT32_MAX, true},
		{hit_tokio_poll, &result->tokio_skip_ns, UINT32_MAX, true},
		{hit_await, &result->await_ns, 1, true},
	};
	struct timing untraced[sizeof(costs) / sizeof(costs[0])];
	const size_t n = sizeof(costs) / sizeof(costs[0]);
	struct ring_buffer *rings;
	size_t records = 0;
	int err = rings_open(tracer, &rings, &records);

	for (size_t i = 0; i < n; i++) {
		untraced[i].hit = costs[i].hit;
		timing_run(&untraced[i]);
	}
	if (!err)
		err = points_attach(tracer);
	for (size_t i = 0; !err && i < n; i++) {
		tracer_rehearse(tracer, costs[i].one_in);
		err = cost_measure(costs[i].hit, untraced[i].ns, costs[i].ns);
		records = 0;
		ring_buffer__consume(rings);
		if (!err && !costs[i].silent && !records)
			err = -ENOTSUP;
	}
	ring_buffer__free(rings);
	return err;
}

int calibrate(struct tracer *tracer, struct calibration *result)
{
	int err = costs_measure(tracer, result);

	tracer_rehearse(tracer, 0);
	return err;
}
