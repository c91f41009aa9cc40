// SPDX-License-Identifier: MIT
#include "sched/state.h"

#include <sched.h>

/*
 * Every transition is acquire and release: what a waker wrote before its wake is seen by the poll
 * that follows, and what a poll wrote is seen by the next one on another thread.
 */
static bool exchange(struct state *state, uint64_t *word, uint64_t next)
{
	return atomic_compare_exchange_weak_explicit(&state->word, word, next, memory_order_acq_rel,
						     memory_order_acquire);
}

enum state_wake state_wake(struct state *state, bool own)
{
	uint64_t word = state_load(state), next;

	for (;;) {
		if (word & STATE_COMPLETE)
			return STATE_WAKE_REDUNDANT;
		/*
		 * A redundant wake is written too: it orders this thread's earlier stores before
		 * the poll that will clear NOTIFIED. A mere load could pass them.
		 */
		if (word & STATE_NOTIFIED)
			next = word;
		else if (!(word & STATE_RUNNING))
			next = (word | STATE_NOTIFIED) + STATE_REF;
		else
			next = word | STATE_NOTIFIED | (own ? 0 : STATE_WAKING);
		if (exchange(state, &word, next))
			break;
	}
	if (word & STATE_NOTIFIED)
		return STATE_WAKE_REDUNDANT;
	if (!(word & STATE_RUNNING))
		return STATE_WAKE_IDLE;
	return own ? STATE_WAKE_OWN : STATE_WAKE_RUNNING;
}

bool state_wake_done(struct state *state)
{
	uint64_t word = state_load(state), next;

	do {
		next = word & ~STATE_WAKING;
		if (!(word & (STATE_RUNNING | STATE_COMPLETE)))
			next += STATE_REF;
	} while (!exchange(state, &word, next));
	return !(word & (STATE_RUNNING | STATE_COMPLETE));
}

uint64_t state_start(struct state *state)
{
	return atomic_fetch_xor_explicit(&state->word, STATE_RUNNING | STATE_NOTIFIED,
					 memory_order_acq_rel);
}

void state_cancel(struct state *state)
{
	atomic_fetch_or_explicit(&state->word, STATE_RUNNING, memory_order_acq_rel);
}

enum state_idle state_idle(struct state *state)
{
	uint64_t word = state_load(state), next;
	bool queue;

	do {
		if (word & STATE_CANCELLED)
			return STATE_IDLE_CANCELLED;
		queue = (word & STATE_NOTIFIED) && !(word & STATE_WAKING);
		next = word & ~STATE_RUNNING;
		if (!queue)
			next -= STATE_REF;
	} while (!exchange(state, &word, next));
	return queue ? STATE_IDLE_QUEUE : STATE_IDLE_DONE;
}

uint64_t state_complete(struct state *state)
{
	uint64_t word = atomic_fetch_xor_explicit(&state->word, STATE_RUNNING | STATE_COMPLETE,
						  memory_order_acq_rel);

	if (word & STATE_WAKING) {
		while (state_load(state) & STATE_WAKING)
			sched_yield();
	}
	return word;
}

bool state_abort(struct state *state)
{
	uint64_t word = state_load(state), next;
	bool idle;

	do {
		if (word & (STATE_COMPLETE | STATE_CANCELLED))
			return false;
		idle = !(word & (STATE_RUNNING | STATE_NOTIFIED));
		next = word | STATE_CANCELLED;
		if (idle)
			next = (next | STATE_NOTIFIED) + STATE_REF;
	} while (!exchange(state, &word, next));
	return idle;
}

bool state_claim(struct state *state)
{
	uint64_t word = state_load(state), next;
	bool running;

	do {
		if (word & STATE_COMPLETE)
			return false;
		running = word & STATE_RUNNING;
		next = word | STATE_CANCELLED;
		if (!running)
			next = (next | STATE_RUNNING) + STATE_REF;
	} while (!exchange(state, &word, next));
	return !running;
}

bool state_join_set(struct state *state)
{
	uint64_t word = state_load(state);

	do {
		if (word & STATE_COMPLETE)
			return false;
	} while (!exchange(state, &word, word | STATE_JOIN_WAKER));
	return true;
}

bool state_join_unset(struct state *state)
{
	uint64_t word = state_load(state);

	do {
		if (word & STATE_COMPLETE)
			return false;
	} while (!exchange(state, &word, word & ~STATE_JOIN_WAKER));
	return true;
}
