// SPDX-License-Identifier: MIT
#include "helper.h"

#include "sched/deque.h"
#include "sched/inject.h"
#include "sched/task.h"

#define TASKS 1000u

struct fixture {
	struct deque deque;
	struct deque other;
	struct inject inject;
	struct pollrt_task *tasks; /* told apart by their ids; otherwise blank */
};

static int setup(void **state)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));

	memset(f, 0, sizeof(*f));
	deque_init(&f->deque);
	deque_init(&f->other);
	inject_init(&f->inject);
	f->tasks = calloc(TASKS, sizeof(*f->tasks));
	for (unsigned int i = 0; i < TASKS; i++)
		f->tasks[i].id = i;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->tasks);
	free(f);
	return 0;
}

static unsigned int push(struct fixture *f, unsigned int from, unsigned int to)
{
	unsigned int injected = 0;

	for (unsigned int i = from; i < to; i++)
		injected += deque_push(&f->deque, &f->tasks[i], &f->inject);
	return injected;
}

static void tasks_come_out_in_the_order_they_went_in(void **state)
{
	struct fixture *f = *state;

	/* Three times around the ring. */
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(push(f, 0, 200), 0);
		for (unsigned int i = 0; i < 200; i++)
			assert_ptr_equal(deque_pop(&f->deque), &f->tasks[i]);
		assert_null(deque_pop(&f->deque));
	}
}

static void overflow_moves_the_older_half_and_the_new_task(void **state)
{
	struct fixture *f = *state;
	struct pollrt_task *task;

	assert_int_equal(push(f, 0, DEQUE_SIZE), 0);
	assert_int_equal(deque_room(&f->deque), 0);
	assert_int_equal(push(f, DEQUE_SIZE, DEQUE_SIZE + 1), DEQUE_SIZE / 2 + 1);
	assert_int_equal(inject_length(&f->inject), DEQUE_SIZE / 2 + 1);
	task = inject_pop(&f->inject, DEQUE_SIZE);
	for (unsigned int i = 0; i < DEQUE_SIZE / 2; i++, task = task->next)
		assert_int_equal(task->id, i);
	assert_int_equal(task->id, DEQUE_SIZE);
	assert_null(task->next);
	assert_int_equal(deque_length(&f->deque), DEQUE_SIZE / 2);
	assert_int_equal(deque_pop(&f->deque)->id, DEQUE_SIZE / 2);
}

static void stealing_takes_the_older_half(void **state)
{
	struct fixture *f = *state;
	unsigned int moved;

	push(f, 0, 10);
	/* The last of those taken is handed out, the others are queued. */
	assert_int_equal(deque_steal(&f->deque, &f->other, &moved)->id, 4);
	assert_int_equal(moved, 5);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(deque_pop(&f->other)->id, i);
	assert_null(deque_pop(&f->other));
	for (unsigned int i = 5; i < 10; i++)
		assert_int_equal(deque_pop(&f->deque)->id, i);
}

static void one_task_can_be_stolen(void **state)
{
	struct fixture *f = *state;
	unsigned int moved;

	push(f, 0, 1);
	assert_int_equal(deque_steal(&f->deque, &f->other, &moved)->id, 0);
	assert_int_equal(moved, 1);
	assert_null(deque_steal(&f->deque, &f->other, &moved));
	assert_int_equal(moved, 0);
}

static void a_half_full_thief_does_not_steal(void **state)
{
	struct fixture *f = *state;
	unsigned int moved;

	push(f, 0, 10);
	for (unsigned int i = 0; i < DEQUE_SIZE / 2 + 1; i++)
		deque_push(&f->other, &f->tasks[100 + i], &f->inject);
	assert_null(deque_steal(&f->deque, &f->other, &moved));
}

/* An owner that pushes and pops, against thieves; every task must come out exactly once. */
struct race {
	struct fixture *f;
	_Atomic bool done;
	_Atomic unsigned int seen[TASKS];
};

static void *thief(void *argument)
{
	struct race *race = argument;
	struct deque *mine = aligned_alloc(64, sizeof(*mine));
	struct pollrt_task *task;
	unsigned int moved;
	bool done;

	deque_init(mine);
	do {
		done = race->done;
		task = deque_steal(&race->f->deque, mine, &moved);
		while (task) {
			race->seen[task->id]++;
			task = deque_pop(mine);
		}
	} while (!done);
	free(mine);
	return NULL;
}

static void thieves_and_owner_take_each_task_once(void **state)
{
	struct race *race = calloc(1, sizeof(*race));
	struct pollrt_task *task;
	pthread_t threads[2];

	for (unsigned int round = 1; round <= 20; round++) {
		race->f = *state;
		race->done = false;
		for (unsigned int i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, thief, race);
		for (unsigned int i = 0; i < TASKS; i++) {
			push(race->f, i, i + 1);
			if (i % 3 == 0 && (task = deque_pop(&race->f->deque)))
				race->seen[task->id]++;
		}
		while ((task = deque_pop(&race->f->deque)))
			race->seen[task->id]++;
		race->done = true;
		for (unsigned int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		for (task = inject_pop(&race->f->inject, TASKS); task; task = task->next)
			race->seen[task->id]++;
		for (unsigned int i = 0; i < TASKS; i++)
			assert_int_equal(race->seen[i], round);
	}
	free(race);
}

static void injected_tasks_come_out_in_order_and_in_batches(void **state)
{
	struct fixture *f = *state;
	struct pollrt_task *task;

	assert_null(inject_pop(&f->inject, 10));
	for (unsigned int i = 0; i < 5; i++)
		inject_push(&f->inject, &f->tasks[i]);
	task = inject_pop(&f->inject, 3);
	assert_int_equal(task->id, 0);
	assert_int_equal(task->next->next->id, 2);
	assert_null(task->next->next->next);
	inject_push(&f->inject, &f->tasks[5]);
	assert_int_equal(inject_length(&f->inject), 3);
	task = inject_pop(&f->inject, 10);
	assert_int_equal(task->id, 3);
	assert_int_equal(task->next->next->id, 5);
	assert_int_equal(inject_length(&f->inject), 0);
}

static void a_closed_injection_queue_drops_what_it_is_given(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++)
		state_init(&f->tasks[i].state, 2);
	inject_push(&f->inject, &f->tasks[0]);
	inject_close(&f->inject);
	inject_push(&f->inject, &f->tasks[1]);
	assert_null(inject_pop(&f->inject, 1));
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(state_load(&f->tasks[i].state) / STATE_REF, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tasks_come_out_in_the_order_they_went_in),
		TEST(overflow_moves_the_older_half_and_the_new_task),
		TEST(stealing_takes_the_older_half),
		TEST(one_task_can_be_stolen),
		TEST(a_half_full_thief_does_not_steal),
		TEST(thieves_and_owner_take_each_task_once),
		TEST(injected_tasks_come_out_in_order_and_in_batches),
		TEST(a_closed_injection_queue_drops_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
