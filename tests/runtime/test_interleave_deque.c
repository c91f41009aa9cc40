// SPDX-License-Identifier: MIT
/* The local run queue in every order of what its owner and those who steal from it do. */
#define DEQUE_SIZE 4u

#include "interleave_points.h"

#include "sched/deque.c"
#include "sched/inject.c"

#define TASKS 8

struct world {
	struct deque deque, other, third;
	struct inject inject;
	struct pollrt_task tasks[TASKS];
	unsigned int taken[TASKS];
	unsigned int pushed;
};

static void begin(void *argument)
{
	struct world *world = argument;

	memset(world, 0, sizeof(*world));
	deque_init(&world->deque);
	deque_init(&world->other);
	deque_init(&world->third);
	inject_init(&world->inject);
}

static void push(struct world *world)
{
	deque_push(&world->deque, &world->tasks[world->pushed++], &world->inject);
}

static void take(struct world *world, const struct pollrt_task *task)
{
	if (task)
		world->taken[task - world->tasks]++;
}

static void steal(struct world *world, struct deque *to)
{
	unsigned int moved;
	struct pollrt_task *task = deque_steal(&world->deque, to, &moved);

	interleave_expect(!task == !moved && moved <= DEQUE_SIZE / 2);
	take(world, task);
}

static void one_thief(void *argument)
{
	struct world *world = argument;

	steal(world, &world->other);
}

static void other_thief(void *argument)
{
	struct world *world = argument;

	steal(world, &world->third);
}

static void drain(struct world *world, struct deque *deque)
{
	struct pollrt_task *task;

	while ((task = deque_pop(deque)))
		take(world, task);
	assert_int_equal(deque_length(deque), 0);
}

/* Each task that was pushed comes out once, wherever it went. */
static void end(void *argument)
{
	struct world *world = argument;
	struct pollrt_task *task;

	drain(world, &world->deque);
	drain(world, &world->other);
	drain(world, &world->third);
	while ((task = inject_pop(&world->inject, 1)))
		take(world, task);
	for (unsigned int i = 0; i < TASKS; i++)
		assert_int_equal(world->taken[i], i < world->pushed);
}

static void explore(void (*begins)(void *), void (*owner)(void *), void (*thief)(void *),
		    void (*second)(void *))
{
	struct world world;

	assert_true(interleave_explore(&(struct interleave_case){.begin = begins,
								 .threads = {owner, thief, second},
								 .end = end,
								 .world = &world,
								 .size = sizeof(world)}) > 20);
}

static void push_and_pop(void *argument)
{
	struct world *world = argument;

	push(world);
	push(world);
	take(world, deque_pop(&world->deque));
	take(world, deque_pop(&world->deque));
	interleave_expect(!deque_pop(&world->deque));
}

static void two_steal_from_an_owner_who_pushes_and_pops(void **unused)
{
	(void)unused;
	explore(begin, push_and_pop, one_thief, other_thief);
}

static void begin_full(void *argument)
{
	begin(argument);
	for (unsigned int i = 0; i < DEQUE_SIZE; i++)
		push(argument);
}

static void overflow_and_pop(void *argument)
{
	struct world *world = argument;

	push(world);
	take(world, deque_pop(&world->deque));
	push(world);
}

static void a_full_queue_overflows_beside_thieves(void **unused)
{
	(void)unused;
	explore(begin_full, overflow_and_pop, one_thief, other_thief);
}

/* The positions are 32 bits that wrap. */
static void begin_at_the_end_of_positions(void *argument)
{
	struct world *world = argument;

	begin(world);
	atomic_init(&world->deque.head, pack(UINT32_MAX, UINT32_MAX));
	atomic_init(&world->deque.tail, UINT32_MAX);
	atomic_init(&world->other.head, pack(UINT32_MAX, UINT32_MAX));
	atomic_init(&world->other.tail, UINT32_MAX);
	push(world);
}

static void push_and_pop_all(void *argument)
{
	struct world *world = argument;

	push(world);
	push(world);
	for (unsigned int i = 0; i < 3; i++)
		take(world, deque_pop(&world->deque));
	interleave_expect(!deque_pop(&world->deque));
}

static void positions_wrap_while_another_steals(void **unused)
{
	(void)unused;
	explore(begin_at_the_end_of_positions, push_and_pop_all, one_thief, NULL);
}

static void push_outside(void *argument)
{
	struct world *world = argument;

	inject_push(&world->inject, &world->tasks[world->pushed++]);
	inject_push(&world->inject, &world->tasks[world->pushed++]);
}

static void pop_outside(void *argument)
{
	struct world *world = argument;

	take(world, inject_pop(&world->inject, 1));
}

static void pop_several_outside(void *argument)
{
	struct world *world = argument;
	struct pollrt_task *next, *task = inject_pop(&world->inject, 2);

	for (; task; task = next) {
		next = task->next;
		take(world, task);
	}
}

static void the_injection_queue_gives_each_task_to_one(void **unused)
{
	(void)unused;
	explore(begin, push_outside, pop_outside, pop_several_outside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_steal_from_an_owner_who_pushes_and_pops),
		cmocka_unit_test(a_full_queue_overflows_beside_thieves),
		cmocka_unit_test(positions_wrap_while_another_steals),
		cmocka_unit_test(the_injection_queue_gives_each_task_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
