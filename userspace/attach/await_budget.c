// SPDX-License-Identifier: MIT
#include "attach/await_budget.h"

#include "util/clock.h"

/* What is saved up at most: of some 2,000 hits, so that a window is of use. */
#define SAVED_NS ((int64_t)NSEC_PER_MSEC)

/* Marsaglia's xorshift: how evenly it is spread does not matter here. */
static uint32_t draw(struct await_budget *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 17;
	b->random ^= b->random << 5;
	return b->random;
}

void await_budget_start(struct await_budget *b, uint64_t time, uint32_t seed)
{
	*b = (struct await_budget){
		.looked = time,
		.left_ns = SAVED_NS,
		.random = seed | 1,
		.on = true,
	};
}

bool await_budget_on(struct await_budget *b, uint64_t time, uint64_t spent_ns)
{
	b->left_ns += (time - b->looked) / AWAIT_BUDGET_ONE_IN;
	if (b->left_ns > SAVED_NS)
		b->left_ns = SAVED_NS;
	b->left_ns -= spent_ns - b->spent_ns;
	b->looked = time;
	b->spent_ns = spent_ns;
	if (b->on && b->left_ns < 0) {
		b->on = false;
		b->wanted_ns = SAVED_NS / 4 + draw(b) % (3 * SAVED_NS / 4);
	} else if (!b->on && b->left_ns >= b->wanted_ns) {
		b->on = true;
	}
	return b->on;
}
