// SPDX-License-Identifier: MIT
#include "helper.h"

#include "sched/state.h"

static uint64_t refs(const struct state *state)
{
	return state_load(state) / STATE_REF;
}

static void a_new_task_is_queued_and_needs_no_wake(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_int_equal(refs(&state), 2);
}

static void an_idle_task_is_woken_once(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_int_equal(state_idle(&state), STATE_IDLE_DONE);
	assert_int_equal(refs(&state), 1);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_IDLE);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_int_equal(refs(&state), 2);
}

static void a_wake_in_its_own_poll_queues_it_again(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_int_equal(state_wake(&state, true), STATE_WAKE_OWN);
	assert_int_equal(state_wake(&state, true), STATE_WAKE_REDUNDANT);
	assert_int_equal(state_idle(&state), STATE_IDLE_QUEUE);
	assert_int_equal(refs(&state), 2);
	state_start(&state);
	assert_int_equal(state_idle(&state), STATE_IDLE_DONE);
}

static void a_wake_announced_during_the_poll_is_left_to_the_poller(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_RUNNING);
	assert_false(state_wake_done(&state));
	assert_int_equal(state_idle(&state), STATE_IDLE_QUEUE);
}

static void a_wake_announced_after_the_poll_is_queued_by_the_waker(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_RUNNING);
	assert_int_equal(state_idle(&state), STATE_IDLE_DONE);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_true(state_wake_done(&state));
	assert_int_equal(refs(&state), 2);
	state_start(&state);
	assert_int_equal(state_idle(&state), STATE_IDLE_DONE);
}

static void a_complete_task_is_not_woken(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	state_complete(&state);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_false(state_abort(&state));
}

static void abort_of_an_idle_task_queues_it(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	state_idle(&state);
	assert_true(state_abort(&state));
	assert_false(state_abort(&state));
	assert_true(state_load(&state) & STATE_CANCELLED);
	assert_int_equal(refs(&state), 2);
}

static void a_queued_task_that_is_cancelled_is_not_woken(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	assert_false(state_abort(&state));
	state_cancel(&state);
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_true(state_complete(&state) & STATE_NOTIFIED);
}

static void abort_of_a_running_task_ends_it_after_the_poll(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_false(state_abort(&state));
	assert_int_equal(state_idle(&state), STATE_IDLE_CANCELLED);
}

static void shutdown_claims_only_what_is_not_polled(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	assert_true(state_claim(&state));
	assert_int_equal(state_wake(&state, false), STATE_WAKE_REDUNDANT);
	assert_false(state_claim(&state));
	assert_true(state_complete(&state) & STATE_NOTIFIED);
	assert_false(state_claim(&state));
}

static void shutdown_cancels_what_is_polled_after_its_poll(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_false(state_claim(&state));
	assert_int_equal(state_idle(&state), STATE_IDLE_CANCELLED);
}

static void the_joiner_is_set_before_completion_or_not_at_all(void **unused)
{
	struct state state;

	(void)unused;
	state_init(&state, 2);
	state_start(&state);
	assert_true(state_join_set(&state));
	assert_true(state_join_unset(&state));
	assert_true(state_join_set(&state));
	assert_true(state_complete(&state) & STATE_JOIN_WAKER);
	assert_false(state_join_unset(&state));
	assert_false(state_join_set(&state));
}

/* A poller against wakers: no effective wake may be lost, or lead to two polls. */
struct race {
	struct state state;
	_Atomic uint64_t wakes;
	_Atomic uint32_t queued; /* 1: in the queue */
	_Atomic uint32_t wakers;
};

static void *wake_often(void *argument)
{
	struct race *race = argument;

	for (unsigned int i = 0; i < 50000; i++) {
		enum state_wake wake = state_wake(&race->state, false);

		if (wake == STATE_WAKE_REDUNDANT)
			continue;
		race->wakes++;
		if (wake == STATE_WAKE_IDLE || state_wake_done(&race->state))
			assert_int_equal(atomic_fetch_add(&race->queued, 1), 0);
	}
	race->wakers--;
	return NULL;
}

static void every_effective_wake_is_one_poll(void **unused)
{
	struct race race = {.queued = 1, .wakers = 2};
	uint64_t polls = 0;
	pthread_t threads[2];

	(void)unused;
	state_init(&race.state, 2);
	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wake_often, &race);
	while (race.wakers || race.queued) {
		if (!race.queued)
			continue;
		race.queued = 0;
		polls++;
		state_start(&race.state);
		if (state_idle(&race.state) == STATE_IDLE_QUEUE)
			assert_int_equal(atomic_fetch_add(&race.queued, 1), 0);
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(polls, race.wakes + 1);
	assert_int_equal(refs(&race.state), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_task_is_queued_and_needs_no_wake),
		cmocka_unit_test(an_idle_task_is_woken_once),
		cmocka_unit_test(a_wake_in_its_own_poll_queues_it_again),
		cmocka_unit_test(a_wake_announced_during_the_poll_is_left_to_the_poller),
		cmocka_unit_test(a_wake_announced_after_the_poll_is_queued_by_the_waker),
		cmocka_unit_test(a_complete_task_is_not_woken),
		cmocka_unit_test(abort_of_an_idle_task_queues_it),
		cmocka_unit_test(a_queued_task_that_is_cancelled_is_not_woken),
		cmocka_unit_test(abort_of_a_running_task_ends_it_after_the_poll),
		cmocka_unit_test(shutdown_claims_only_what_is_not_polled),
		cmocka_unit_test(shutdown_cancels_what_is_polled_after_its_poll),
		cmocka_unit_test(the_joiner_is_set_before_completion_or_not_at_all),
		cmocka_unit_test(every_effective_wake_is_one_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
