// SPDX-License-Identifier: MIT
// links: attach util
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "attach/await_budget.h"
#include "util/clock.h"

#define HIT_NS 500
#define TICK_NS (5 * NSEC_PER_MSEC)
#define START (77 * NSEC_PER_SEC)

/* A program that hits the probes `rate` times a second while they are on. */
struct program {
	struct await_budget budget;
	uint64_t hit_ns;
	uint64_t now, hits, on_ns, windows;
	uint64_t window;                  /* when the last one began */
	uint64_t shortest_ns, longest_ns; /* from one to the next */
	bool on;
};

static void begin(struct program *p, uint32_t seed)
{
	*p = (struct program){.hit_ns = HIT_NS,
			      .now = START,
			      .window = START,
			      .shortest_ns = UINT64_MAX,
			      .on = true};
	await_budget_start(&p->budget, START, seed);
}

static void window_begin(struct program *p)
{
	uint64_t ns = p->now - p->window;

	p->windows++;
	p->window = p->now;
	p->shortest_ns = ns < p->shortest_ns ? ns : p->shortest_ns;
	p->longest_ns = ns > p->longest_ns ? ns : p->longest_ns;
}

static void run(struct program *p, uint64_t seconds, uint64_t rate)
{
	for (uint64_t i = 0; i < seconds * NSEC_PER_SEC / TICK_NS; i++) {
		bool was = p->on;

		p->now += TICK_NS;
		p->hits += p->on ? rate * TICK_NS / NSEC_PER_SEC : 0;
		p->on_ns += p->on ? TICK_NS : 0;
		p->on = await_budget_on(&p->budget, p->now, p->hits * p->hit_ns);
		if (p->on && !was)
			window_begin(p);
	}
}

static void what_is_cheap_is_always_on(void **state)
{
	struct program p;

	(void)state;
	begin(&p, 1);
	run(&p, 60, 1900);
	assert_int_equal(p.on_ns, 60 * NSEC_PER_SEC);
}

/* However often it is hit: one part in a thousand, and what one tick can overdraw. */
static void what_is_dear_takes_its_part_and_no_more(void **state)
{
	static const uint64_t rates[] = {4000, 20000, 200000, 10000000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t part = 600 * NSEC_PER_SEC / AWAIT_BUDGET_ONE_IN, spent;
		struct program p;

		begin(&p, 1);
		run(&p, 600, rates[i]);
		spent = p.hits * HIT_NS;
		assert_true(spent > part / 2);
		assert_true(spent <
			    part + 2 * NSEC_PER_MSEC + rates[i] * TICK_NS / NSEC_PER_SEC * HIT_NS);
		assert_true(p.windows > 20);
	}
}

/* As one that was measured while others had the CPU. */
static void what_seems_to_be_free_is_not(void **state)
{
	struct program p;

	(void)state;
	assert_int_equal(await_hit_ns(HIT_NS), HIT_NS);
	begin(&p, 1);
	p.hit_ns = await_hit_ns(0);
	run(&p, 600, 10000000);
	assert_true(p.on_ns < 600 * NSEC_PER_SEC / 100);
}

static void windows_come_at_irregular_times(void **state)
{
	struct program p;

	(void)state;
	begin(&p, 1);
	run(&p, 60, 200000);
	assert_true(p.longest_ns > 2 * p.shortest_ns);
}

static void captures_differ(void **state)
{
	struct program a, b;

	(void)state;
	begin(&a, 2);
	begin(&b, 200);
	run(&a, 10, 200000);
	run(&b, 10, 200000);
	assert_int_not_equal(a.window, b.window);
}

static void what_was_not_used_is_not_saved_for_long(void **state)
{
	struct program p;
	uint64_t before;

	(void)state;
	begin(&p, 1);
	run(&p, 3600, 0);
	before = p.hits;
	run(&p, 1, 1000000);
	assert_true((p.hits - before) * HIT_NS < 6 * NSEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_cheap_is_always_on),
		cmocka_unit_test(what_is_dear_takes_its_part_and_no_more),
		cmocka_unit_test(what_seems_to_be_free_is_not),
		cmocka_unit_test(windows_come_at_irregular_times),
		cmocka_unit_test(captures_differ),
		cmocka_unit_test(what_was_not_used_is_not_saved_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
