// SPDX-License-Identifier: MIT
#include "attach/calibrate.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "attach/tracer.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "util/clock.h"

#define ROUNDS 8
#define ROUND_HITS 250

/* The probed instructions. nop, as in <sys/sdt.h>: the kernel emulates it. */
extern const char calibrate_start[], calibrate_end[], calibrate_signal[];

static __attribute__((noinline)) void hit_poll(void)
{
	asm volatile(".globl calibrate_start\ncalibrate_start: nop\n"
		     ".globl calibrate_end\ncalibrate_end: nop\n");
}

static __attribute__((noinline)) void hit_signal(void)
{
	asm volatile(".globl calibrate_signal\ncalibrate_signal: nop\n");
}

/* Time of one call, the best of several rounds: the rest is other people's. */
static uint64_t time_of(void (*hit)(void))
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock_monotonic_ns(), took;

		for (int i = 0; i < ROUND_HITS; i++)
			hit();
		took = (clock_monotonic_ns() - start) / ROUND_HITS;
		if (took < best)
			best = took;
	}
	return best;
}

static void *run(void *result)
{
	struct calibration *c = result;

	c->poll_ns = time_of(hit_poll);
	c->signal_ns = time_of(hit_signal);
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
	const struct operand task = {.class = OPERAND_CONST, .size = 8, .value = 1};
	struct probe_point points[] = {
		{.program = PROBE_POLL_START, .site = {.type = WIRE_POLL, .kind_arg = -1}},
		{.program = PROBE_POLL_END, .site = {.type = WIRE_POLL, .kind_arg = -1}},
		{.program = PROBE_WAKE, .site = {.type = WIRE_WAKE, .kind_arg = -1}},
	};
	const char *addresses[] = {calibrate_start, calibrate_end, calibrate_signal};
	struct probe_plan plan = {.points = points, .npoints = 3};
	struct elf_file *self;
	uint64_t delta;
	int err = self_open(&self, &delta);

	if (err)
		return err;
	for (size_t i = 0; i < plan.npoints; i++) {
		points[i].offset = (uintptr_t)addresses[i] + delta;
		points[i].site.arg[0] = task;
	}
	err = tracer_attach(tracer, getpid(), self, &plan, 0);
	elf_file_close(self);
	return err;
}

static int record_count(void *ctx, void *data, size_t size)
{
	(void)data;
	(void)size;
	(*(size_t *)ctx)++;
	return 0;
}

/* Empties the rings; how many records there were. */
static int rings_discard(struct tracer *tracer, size_t *records)
{
	struct ring_buffer *all = NULL;
	size_t n;
	const int *rings = tracer_rings(tracer, &n);
	int err = 0;

	*records = 0;
	for (size_t i = 0; !err && i < n; i++) {
		if (i) {
			err = ring_buffer__add(all, rings[i], record_count, records);
		} else {
			all = ring_buffer__new(rings[i], record_count, records, NULL);
			err = all ? 0 : -errno;
		}
	}
	if (!err)
		err = ring_buffer__consume(all);
	ring_buffer__free(all);
	return err < 0 ? err : 0;
}

int calibrate(struct tracer *tracer, struct calibration *result)
{
	struct calibration idle, traced;
	pthread_t thread;
	size_t records;
	int err;

	run(&idle);
	err = points_attach(tracer);
	if (err)
		return err;
	tracer_rehearse(tracer, true);
	/* In a thread of its own: what follows only the first one shows here. */
	err = -pthread_create(&thread, NULL, run, &traced);
	if (!err)
		pthread_join(thread, NULL);
	tracer_rehearse(tracer, false);
	if (!err)
		err = rings_discard(tracer, &records);
	if (err)
		return err;
	if (!records)
		return -ENOTSUP;
	result->poll_ns = traced.poll_ns - (idle.poll_ns < traced.poll_ns ? idle.poll_ns : 0);
	result->signal_ns =
		traced.signal_ns - (idle.signal_ns < traced.signal_ns ? idle.signal_ns : 0);
	return 0;
}
