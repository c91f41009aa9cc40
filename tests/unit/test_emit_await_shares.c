// SPDX-License-Identifier: MIT
// links: emit attach core util -ljansson
/*
 * Shares of idle time where the load changes: tasks that wait at two places, mostly at one while there is little to
 * do and at the other while there is much, are sampled as the probe does it. Of many such captures the report is off
 * by what it says it may be off by.
 */
#include <linux/types.h>
#include <math.h>
#include <stdlib.h>

#include "attach/await_budget.h"
#include "capture.h"
#include "emit/awaits.h"
#include "util/clock.h"

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 11;
}

static uint64_t samplers_seed;

static __u32 await_random(void)
{
	return (__u32)draw(&samplers_seed);
}

#include "bpf/await_second.h"

#define TASKS 10
#define MOST 20 /* stacks a second */
#define PLACES 2
#define SECONDS 24
#define CAPTURES 16
#define POLL_NS 5000
#define TICK_NS (5 * NSEC_PER_MSEC)

/* The load does not change as the sampler's seconds do. */
#define OFFSET_NS (300 * NSEC_PER_MSEC)

/* In turn, `seconds` each: how long a task waits on average, and at which place it mostly does. */
struct load {
	const char *name;
	uint64_t mean_ns[PLACES];
	unsigned int seconds;
	uint64_t hit_ns; /* what the probe's hits cost; 0: nothing, so that it is always on */
};

struct simulation {
	const struct load *load;
	uint64_t seed;
	struct capture capture;
	struct await_second second;
	struct await_budget budget;
	uint64_t wakes[TASKS]; /* when each is to be woken */
	uint64_t since[TASKS]; /* it waits, at `place` */
	unsigned int place[TASKS];
	uint64_t now, ticked, hits;
	bool on;
	uint64_t waited[PLACES]; /* the truth */
};

/*
 * By Lomax's distribution with the shape 8/3: one wait in a thousand is twenty times as long as the mean of 3/5.
 * Square roots are the same on all machines.
 */
static uint64_t draw_wait(struct simulation *s, uint64_t mean_ns)
{
	double root = sqrt(sqrt(0x1p53 / (double)(draw(&s->seed) + 1)));
	uint64_t thousandths = (uint64_t)(root * sqrt(root) * 1000) - 1000;

	return 1000 + mean_ns * thousandths / 600;
}

static unsigned int phase(const struct simulation *s)
{
	return (s->now + OFFSET_NS) / NSEC_PER_SEC / s->load->seconds % 2;
}

static void follow_budget(struct simulation *s)
{
	for (; s->load->hit_ns && s->ticked + TICK_NS <= s->now; s->ticked += TICK_NS)
		s->on = await_budget_on(&s->budget, s->ticked + TICK_NS, s->hits * s->load->hit_ns);
}

static void wait_begin(struct simulation *s, unsigned int task)
{
	unsigned int place = phase(s);
	bool elsewhere = draw(&s->seed) % 10 == 0;
	const uint64_t stack[] = {1000 + 100 * (uint64_t)(place ^ elsewhere), 1};

	follow_budget(s);
	s->hits += s->on;
	if (s->on && await_second_takes(&s->second, CAPTURE_ORIGIN + s->now, MOST))
		CAPTURE_EVENT(&s->capture, s->now, EVENT_AWAIT,
			      .sample = {.task = task,
					 .kind = 1,
					 .stack = {.frames = stack, .nuser = 2}});
	capture_poll(&s->capture, s->now - POLL_NS, s->now, task);
	s->since[task] = s->now;
	s->place[task] = (stack[0] - 1000) / 100;
	s->wakes[task] = s->now + draw_wait(s, s->load->mean_ns[place]);
}

static void wait_end(struct simulation *s, unsigned int task)
{
	s->waited[s->place[task]] += s->now - s->since[task];
}

static unsigned int next_task(const struct simulation *s)
{
	unsigned int next = 0;

	for (unsigned int task = 1; task < TASKS; task++)
		if (s->wakes[task] < s->wakes[next])
			next = task;
	return next;
}

static const struct model *simulate(struct simulation *s, const struct load *load, uint64_t seed)
{
	const uint64_t end = SECONDS * NSEC_PER_SEC;

	*s = (struct simulation){
		.load = load, .seed = seed, .capture = capture_begin(), .on = true};
	samplers_seed = ~seed;
	await_budget_start(&s->budget, 0, seed);
	CAPTURE_EVENT(&s->capture, 0, EVENT_MODULE,
		      .module = {.start = 0, .end = 1 << 20, .path = "/bin/app", .build_id = ""});
	for (unsigned int task = 0; task < TASKS; task++) {
		s->now += POLL_NS;
		wait_begin(s, task);
	}
	for (;;) {
		unsigned int task = next_task(s);

		s->now = s->wakes[task] > s->now ? s->wakes[task] : s->now;
		if (s->now + POLL_NS >= end)
			break;
		wait_end(s, task);
		capture_wake(&s->capture, s->now, task);
		s->now += POLL_NS;
		wait_begin(s, task);
	}
	s->now = end;
	for (unsigned int task = 0; task < TASKS; task++)
		wait_end(s, task);
	return capture_end(&s->capture, end);
}

/* Of one capture: the share of the first place. */
struct outcome {
	double truth, told, error;
	double unweighted; /* as the samples alone would have it */
};

static struct outcome try_load(const struct load *load, uint64_t seed)
{
	struct simulation *s = malloc(sizeof(*s));
	struct outcome outcome = {0};
	struct emit_awaits awaits;
	const struct model *model;
	const struct model_type *type;

	assert_non_null(s);
	model = simulate(s, load, seed);
	type = capture_type(model, "work");
	assert_int_equal(s->waited[0] + s->waited[1], type->times.idle_ns);
	outcome.truth = (double)s->waited[0] / (double)type->times.idle_ns;
	assert_int_equal(emit_awaits(model, type - model->types, &awaits), 0);
	assert_int_equal(awaits.count, PLACES);
	for (size_t i = 0; i < awaits.count; i++) {
		const struct emit_await *await = &awaits.list[i];

		if (model->stacks[await->stack].frames[0] != 1000)
			continue;
		outcome.told = await->share;
		outcome.error = await->error;
		outcome.unweighted = (double)await->sampled_ns / (double)awaits.all.sampled_ns;
	}
	emit_awaits_clear(&awaits);
	capture_free(&s->capture);
	free(s);
	return outcome;
}

/* What comes of many captures on average, and of how many the share is within its error, and twice that. */
static void try_often(const struct load *load, struct outcome *mean, unsigned int *within,
		      unsigned int *within_two)
{
	*within = 0;
	*within_two = 0;
	for (uint64_t seed = 1; seed <= CAPTURES; seed++) {
		struct outcome o = try_load(load, seed * UINT64_C(0x9e3779b97f4a7c15));

		*within += fabs(o.told - o.truth) <= o.error;
		*within_two += fabs(o.told - o.truth) <= 2 * o.error;
		mean->truth += o.truth / CAPTURES;
		mean->told += o.told / CAPTURES;
		mean->error += o.error / CAPTURES;
		mean->unweighted += o.unweighted / CAPTURES;
	}
}

static void shares_follow_the_load(void **state)
{
	static const struct load loads[] = {
		{"the same", {20 * NSEC_PER_MSEC, 20 * NSEC_PER_MSEC}, 1, 0},
		{"another each second", {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 1, 0},
		{"in turns", {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 4, 0},
		{"more at last", {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 12, 0},
		{"in turns, in windows", {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 4, 2500},
		{"another each second, in windows",
		 {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC},
		 1,
		 2500},
		{"the same, in windows", {5 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 1, 2500},
		{"in turns, seconds apart", {100 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC}, 6, 30000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		bool changes = loads[i].mean_ns[0] > loads[i].mean_ns[1];
		struct outcome mean = {0};
		unsigned int within, within_two;

		try_often(&loads[i], &mean, &within, &within_two);
		/* Two in three are off by less than the error, nineteen in twenty by less than twice. */
		if (fabs(mean.told - mean.truth) > mean.error || mean.error > 0.1 || within < 6 ||
		    within_two < 13)
			fail_msg("%s: %f of %f, error %f: %u and %u of %u in it", loads[i].name,
				 mean.told, mean.truth, mean.error, within, within_two, CAPTURES);
		/* Where it changes faster, seconds are much alike. */
		if (changes && loads[i].seconds > 1)
			assert_true(mean.unweighted - mean.truth > 2 * mean.error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_follow_the_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
