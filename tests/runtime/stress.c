// SPDX-License-Identifier: MIT
/*
 * stress SECONDS [SEED]: rounds of short-lived runtimes of every shape, each full of actors that
 * spawn, wake, abort, sleep, block, talk, share and choose at random, from tasks, blocking jobs and foreign
 * threads. What must hold: no task is polled twice at once, or after its end; each state is dropped
 * once; nothing hangs; and at the end the counters add up. A violation prints the seed and exits
 * with 1.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress_acts.h"
#include "stress_choose.h"

#define ROOTS 200u
#define FOREIGN 2u
#define HANG_SECONDS 60u

/* ---- actors ---- */

struct actor {
	struct world *world;
	uint64_t seed;
	enum act act;
	_Atomic bool polled;
	bool ended;
	union {
		struct act_yield yield;
		struct act_tree tree;
		struct act_slot slot;
		struct act_signal signal;
		struct act_sleep sleep;
		struct act_job job;
		struct act_share share;
		struct act_place place;
		struct act_choose choose;
		struct act_talk talk;
	};
};

static enum pollrt_poll poll_act(struct actor *self, struct pollrt_cx *cx)
{
	switch (self->act) {
	case ACT_YIELD:
		return act_yield(&self->yield, cx);
	case ACT_TREE:
		self->tree.seed = &self->seed;
		return act_tree(&self->tree, cx);
	case ACT_SLOT:
		return act_slot(&self->slot, cx);
	case ACT_SIGNAL:
		self->signal.seed = &self->seed;
		return act_signal(&self->signal, cx);
	case ACT_SLEEP:
		self->sleep.seed = &self->seed;
		return act_sleep(&self->sleep, cx);
	case ACT_JOB:
		self->job.seed = &self->seed;
		return act_job(&self->job, cx);
	case ACT_SHARE:
		self->share.seed = &self->seed;
		return act_share(&self->share, cx);
	case ACT_PLACE:
		self->place.seed = &self->seed;
		return act_place(&self->place, cx);
	case ACT_CHOOSE:
		self->choose.seed = &self->seed;
		return act_choose(&self->choose, cx);
	default:
		return act_talk(&self->talk, cx);
	}
}

static enum pollrt_poll actor(struct actor *self, struct pollrt_cx *cx)
{
	enum pollrt_poll poll;

	CHECK(!atomic_exchange(&self->polled, true));
	CHECK(!self->ended);
	poll = poll_act(self, cx);
	self->ended = poll == POLLRT_READY;
	CHECK(atomic_exchange(&self->polled, false));
	return poll;
}

static void actor_drop(struct actor *self)
{
	CHECK(!atomic_exchange(&self->polled, true));
	self->ended = true;
	self->world->dropped++;
	if (self->act == ACT_TREE) {
		for (unsigned int i = 0; i < CHILDREN; i++)
			pollrt_join_detach(&self->tree.children[i]);
	} else if (self->act == ACT_JOB) {
		pollrt_join_detach(&self->job.join);
	} else if (self->act == ACT_CHOOSE) {
		pollrt_token_release(self->choose.token);
	} else if (self->act == ACT_TALK || self->act == ACT_ECHO) {
		/* The echo has its descriptor from birth, and opens it in its first poll. */
		if (self->act == ACT_ECHO && self->talk.fd >= 0)
			close(self->talk.fd);
		pollrt_io_close(self->talk.io);
	}
}

static int spawn_state(struct world *world, struct pollrt_join *join, const struct actor *state)
{
	static const struct pollrt_kind kind = {"actor", __FILE__, __LINE__};
	enum pollrt_poll (*poll)(struct actor *, struct pollrt_cx *) = actor;
	void (*drop)(struct actor *) = actor_drop;
	int err;

	world->spawned++;
	err = pollrt_spawn_spec(world->rt, join,
				&(struct pollrt_spec){.kind = &kind,
						      .poll = (pollrt_poll_fn)poll,
						      .drop = (pollrt_drop_fn)drop,
						      .state = state,
						      .size = sizeof(*state)});
	if (err)
		world->spawned--;
	return err;
}

int spawn_echo(struct world *world, int fd)
{
	struct actor state = {.world = world, .act = ACT_ECHO};

	state.talk = (struct act_talk){.world = world, .fd = fd, .echo = true};
	return spawn_state(world, NULL, &state);
}

int spawn_actor(struct world *world, struct pollrt_join *join, unsigned int depth)
{
	struct actor state = {.world = world, .seed = new_seed(world)};
	uint64_t dice = next_random(&state.seed);

	state.act = (enum act)(next_random(&state.seed) % ACT_ECHO);
	switch (state.act) {
	case ACT_YIELD:
		state.yield = (struct act_yield){.left = dice % 100};
		break;
	case ACT_TREE:
		state.tree = (struct act_tree){.world = world, .depth = depth};
		break;
	case ACT_SLOT:
		state.slot =
			(struct act_slot){.slot = &world->slots[dice % SLOTS], .target = dice % 50};
		break;
	case ACT_SIGNAL:
		state.signal = (struct act_signal){.world = world, .left = dice % 100};
		break;
	case ACT_SLEEP:
		state.sleep = (struct act_sleep){.world = world, .left = dice % 5};
		break;
	case ACT_JOB:
		state.job = (struct act_job){.world = world, .left = dice % 5};
		break;
	case ACT_SHARE:
		state.share = (struct act_share){.commons = &world->commons, .left = dice % 20};
		break;
	case ACT_PLACE:
		state.place = (struct act_place){.world = world, .left = dice % 10};
		break;
	case ACT_CHOOSE:
		state.choose = (struct act_choose){.left = dice % 20};
		break;
	default:
		state.talk = (struct act_talk){.world = world, .left = dice % 20};
		break;
	}
	return spawn_state(world, join, &state);
}

/* ---- foreign threads ---- */

struct nap {
	struct pollrt_async async;
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(nap)
{
	POLLRT_BEGIN();
	POLLRT_YIELD();
	POLLRT_SLEEP(self->sleep, POLLRT_US(500));
	POLLRT_END();
}

/* Puts a new task in place of one that is aborted or left alone. */
static void replace_handle(struct world *world, uint64_t dice)
{
	struct pollrt_join fresh = {0}, old;

	spawn_actor(world, &fresh, 1);
	pthread_mutex_lock(&world->lock);
	old = world->handles[dice % HANDLES];
	world->handles[dice % HANDLES] = fresh;
	pthread_mutex_unlock(&world->lock);
	if (old.task && dice % 3)
		pollrt_join_abort(&old);
	pollrt_join_detach(&old);
}

static void *foreign_thread(void *argument)
{
	struct world *world = argument;
	uint64_t seed = new_seed(world);

	for (unsigned int i = 0; !world->stop; i++) {
		uint64_t dice = next_random(&seed);

		signal_slot(&world->slots[i % SLOTS], dice);
		commons_visit(&world->commons, dice / 512);
		world->users++;
		if (!world->quiet && dice % 16 == 0)
			replace_handle(world, dice / 16);
		if (!world->quiet && dice % 512 == 0)
			pollrt_block_on(world->rt, nap, &(struct nap){0});
		world->users--;
		if (dice % 64 == 0)
			usleep(100);
	}
	return NULL;
}

/* ---- rounds ---- */

struct root {
	struct pollrt_async async;
	struct world *world;
	bool abrupt;
	unsigned int i;
	struct pollrt_join joins[ROOTS];
	struct pollrt_sleep sleep;
};

static POLLRT_ASYNC(root)
{
	POLLRT_BEGIN();
	for (self->i = 0; self->i < ROOTS; self->i++)
		CHECK(!spawn_actor(self->world, &self->joins[self->i], 3));
	if (self->abrupt)
		POLLRT_SLEEP(self->sleep, POLLRT_MS(5));
	for (self->i = 0; self->i < ROOTS; self->i++) {
		if (!self->abrupt)
			POLLRT_AWAIT(pollrt_join(&self->joins[self->i], cx));
		pollrt_join_detach(&self->joins[self->i]);
	}
	POLLRT_END();
}

static void check_counters(const struct world *world)
{
	struct pollrt_metrics m;

	pollrt_metrics(world->rt, &m);
	if (m.spawns + m.wakes != m.polls + m.discards ||
	    m.spawns != m.completions + m.cancellations)
		fprintf(stderr,
			"spawns %" PRIu64 " wakes %" PRIu64 " polls %" PRIu64 " discards %" PRIu64
			" completions %" PRIu64 " cancellations %" PRIu64 "\n",
			m.spawns, m.wakes, m.polls, m.discards, m.completions, m.cancellations);
	CHECK(m.spawns == m.completions + m.cancellations);
	CHECK(m.spawns + m.wakes == m.polls + m.discards);
	CHECK(m.block_on_polls >= m.block_ons &&
	      m.block_on_polls <= m.block_ons + m.block_on_wakes);
	CHECK(m.blocking_runs <= m.blocking_jobs);
	CHECK(world->spawned == world->dropped);
}

static struct world *world_new(uint64_t seed, const struct pollrt_config *config)
{
	struct world *world = calloc(1, sizeof(*world));
	int err;

	CHECK(world);
	world->seeds = seed;
	pthread_mutex_init(&world->lock, NULL);
	for (unsigned int i = 0; i < SLOTS; i++)
		pthread_mutex_init(&world->slots[i].lock, NULL);
	commons_open(&world->commons);
	err = pollrt_runtime_create(&world->rt, config);
	CHECK(!err);
	return world;
}

static uint64_t run_round(uint64_t seed)
{
	struct pollrt_config config = {
		.flavour = next_random(&seed) % 4 ? POLLRT_MULTI_THREAD : POLLRT_CURRENT_THREAD,
		.workers = 1 + (unsigned int)next_random(&seed) % 6,
		.blocking_limit = 1 + (unsigned int)next_random(&seed) % 8,
		.blocking_keepalive_ns = POLLRT_MS(1 + next_random(&seed) % 3),
	};
	struct root *root_state = calloc(1, sizeof(*root_state));
	pthread_t threads[FOREIGN];
	struct pollrt_metrics m;
	struct world *world;

	if (config.flavour == POLLRT_CURRENT_THREAD)
		config.workers = 1;
	world = world_new(seed, &config);
	CHECK(root_state);
	root_state->world = world;
	root_state->abrupt = next_random(&seed) % 3 == 0;
	for (unsigned int i = 0; i < FOREIGN; i++)
		CHECK(!pthread_create(&threads[i], NULL, foreign_thread, world));
	CHECK(!pollrt_block_on(world->rt, root, root_state));
	/* They go on waking tasks while the runtime shuts down, but have to be out of it. */
	world->quiet = true;
	while (world->users)
		usleep(100);
	pollrt_runtime_shutdown(world->rt);
	world->stop = true;
	for (unsigned int i = 0; i < FOREIGN; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < HANDLES; i++)
		pollrt_join_detach(&world->handles[i]);
	check_counters(world);
	commons_close(&world->commons);
	pollrt_metrics(world->rt, &m);
	pollrt_runtime_destroy(world->rt);
	free(root_state);
	free(world);
	return m.polls;
}

/* A lost wakeup shows as a round that never ends. */
static void *watchdog(void *argument)
{
	_Atomic unsigned int *rounds = argument;
	unsigned int seen = 0, since = 0;

	for (;;) {
		sleep(1);
		since = *rounds == seen ? since + 1 : 0;
		seen = *rounds;
		CHECK(since < HANG_SECONDS);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : pollrt_now_ns();
	uint64_t end = pollrt_now_ns() + (uint64_t)(seconds * 1e9), polls = 0;
	static _Atomic unsigned int rounds;
	pthread_t thread;

	printf("stress: seed %" PRIu64 "\n", seed);
	fflush(stdout);
	CHECK(!pthread_create(&thread, NULL, watchdog, &rounds));
	pthread_detach(thread);
	do {
		polls += run_round(seed + rounds);
		rounds++;
	} while (pollrt_now_ns() < end);
	printf("stress: %u rounds, %" PRIu64 " polls\n", rounds, polls);
	return 0;
}
