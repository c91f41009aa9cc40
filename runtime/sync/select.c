// SPDX-License-Identifier: MIT
#include "pollrt_select.h"

#include "sched/scope.h"
#include "sched/xorshift.h"

unsigned int pollrt_select_start(unsigned int count)
{
	/* Of no use to other threads. */
	static _Thread_local uint32_t seed = 1;

	return xorshift_next(&seed) % count;
}

void pollrt_select_enter(struct pollrt_select *self, struct pollrt_cx *cx)
{
	scope_enter(&self->nested, cx);
}

enum pollrt_poll pollrt_select_leave(struct pollrt_select *self, struct pollrt_cx *cx,
				     enum pollrt_poll inner)
{
	scope_leave(&self->nested, cx);
	if (inner == POLLRT_READY)
		scope_close(&self->nested);
	return inner;
}
