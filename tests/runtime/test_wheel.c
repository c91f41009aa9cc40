// SPDX-License-Identifier: MIT
#include "helper.h"

#include "random.h"
#include "io/wheel.h"

#define TIMERS 300u

static void timers_expire_at_their_tick_in_every_level(void **state)
{
	static const uint64_t ticks[] = {
		1, 63, 64, 65, 4095, 4096, 262144, 16777216 + 5, 1073741824 + 77};
	struct pollrt_timer timers[9];
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel);
	for (unsigned int i = 0; i < 9; i++) {
		timers[i].tick = ticks[i];
		wheel_insert(&wheel, &timers[i]);
	}
	for (unsigned int i = 0; i < 9; i++) {
		assert_null(wheel_expire(&wheel, ticks[i] - 1));
		assert_ptr_equal(wheel_expire(&wheel, ticks[i]), &timers[i]);
	}
	assert_null(wheel_expire(&wheel, UINT32_MAX));
}

static void a_timer_of_the_past_is_due_at_once(void **state)
{
	struct pollrt_timer timer = {.tick = 10};
	struct wheel wheel;
	uint64_t tick;

	(void)state;
	wheel_init(&wheel);
	assert_null(wheel_expire(&wheel, 100));
	wheel_insert(&wheel, &timer);
	assert_true(wheel_next(&wheel, &tick));
	assert_true(tick <= 100);
	assert_ptr_equal(wheel_expire(&wheel, 100), &timer);
}

static void an_empty_wheel_has_no_next_tick(void **state)
{
	struct pollrt_timer timer = {.tick = 5000};
	struct wheel wheel;
	uint64_t tick;

	(void)state;
	wheel_init(&wheel);
	assert_false(wheel_next(&wheel, &tick));
	wheel_insert(&wheel, &timer);
	assert_true(wheel_next(&wheel, &tick));
	wheel_remove(&wheel, &timer);
	assert_false(wheel_next(&wheel, &tick));
}

static void a_timer_beyond_the_horizon_expires_on_time(void **state)
{
	uint64_t far = ((uint64_t)3 << 36) + 12345, tick;
	struct pollrt_timer timer = {.tick = far};
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel);
	wheel_insert(&wheel, &timer);
	for (unsigned int steps = 0; wheel_next(&wheel, &tick) && tick < far; steps++) {
		assert_true(steps < 100);
		assert_null(wheel_expire(&wheel, tick));
	}
	assert_ptr_equal(wheel_expire(&wheel, far), &timer);
}

/* The earliest of the @linked timers, or UINT64_MAX. */
static uint64_t earliest(const struct pollrt_timer *timers, const bool *linked)
{
	uint64_t tick = UINT64_MAX;

	for (unsigned int i = 0; i < TIMERS; i++) {
		if (linked[i] && timers[i].tick < tick)
			tick = timers[i].tick;
	}
	return tick;
}

static void random_use_agrees_with_a_plain_list(void **state)
{
	struct pollrt_timer timers[TIMERS], *timer;
	bool linked[TIMERS] = {0};
	uint64_t seed = 7, now = 0, tick;
	struct wheel wheel;

	(void)state;
	wheel_init(&wheel);
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = next_random(&seed) % TIMERS;

		if (linked[i]) {
			wheel_remove(&wheel, &timers[i]);
			linked[i] = false;
		} else {
			/* Of all magnitudes. */
			timers[i].tick =
				now + next_random(&seed) % ((uint64_t)2 << next_random(&seed) % 24);
			wheel_insert(&wheel, &timers[i]);
			linked[i] = true;
		}
		if (wheel_next(&wheel, &tick))
			assert_true(tick <= earliest(timers, linked));
		else
			assert_true(earliest(timers, linked) == UINT64_MAX);
		if (round % 8)
			continue;
		now += next_random(&seed) % ((uint64_t)2 << next_random(&seed) % 20);
		while ((timer = wheel_expire(&wheel, now))) {
			assert_true(timer->tick <= now);
			assert_true(linked[timer - timers]);
			linked[timer - timers] = false;
		}
		assert_true(earliest(timers, linked) > now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_expire_at_their_tick_in_every_level),
		cmocka_unit_test(a_timer_of_the_past_is_due_at_once),
		cmocka_unit_test(an_empty_wheel_has_no_next_tick),
		cmocka_unit_test(a_timer_beyond_the_horizon_expires_on_time),
		cmocka_unit_test(random_use_agrees_with_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
