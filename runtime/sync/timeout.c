// SPDX-License-Identifier: MIT
#include <errno.h>

#include "io/driver.h"
#include "sched/context.h"
#include "sched/scope.h"

void pollrt_timeout_enter(struct pollrt_timeout *self, struct pollrt_cx *cx)
{
	scope_enter(&self->nested, cx);
	self->over = self->sleep.timer.task && driver_timer_fired(&self->sleep.timer);
	context_top->given_up += self->over;
}

enum pollrt_poll pollrt_timeout_leave(struct pollrt_timeout *self, struct pollrt_cx *cx,
				      enum pollrt_poll inner)
{
	context_top->given_up -= self->over;
	scope_leave(&self->nested, cx);
	if (inner == POLLRT_READY) {
		self->status = 0;
		/* Stops the sleep too, which has registered itself in the outer scope. */
		if (self->sleep.timer.task) {
			pollrt_undefer(&self->sleep.cleanup);
			self->sleep.cleanup.run(&self->sleep.cleanup);
		}
	} else {
		self->sleep.ns = self->ns;
		if (pollrt_sleep(&self->sleep, cx) == POLLRT_PENDING)
			return POLLRT_PENDING;
		self->status = -ETIMEDOUT;
	}
	scope_close(&self->nested);
	return POLLRT_READY;
}
