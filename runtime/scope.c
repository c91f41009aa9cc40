// SPDX-License-Identifier: MIT
/* Cleanups, and the timeouts that bound their scope. */
#include "scope.h"

#include <errno.h>
#include <stddef.h>

void pollrt_defer(struct pollrt_cx *cx, struct pollrt_cleanup *cleanup,
		  void (*run)(struct pollrt_cleanup *cleanup))
{
	cleanup->run = run;
	LIST_INSERT_HEAD(cx->scope, cleanup, link);
}

void pollrt_undefer(struct pollrt_cleanup *cleanup)
{
	LIST_REMOVE(cleanup, link);
}

void scope_end(struct pollrt_scope *scope)
{
	struct pollrt_cleanup *cleanup;

	while ((cleanup = LIST_FIRST(scope))) {
		LIST_REMOVE(cleanup, link);
		cleanup->run(cleanup);
	}
}

static void timeout_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_timeout *self =
		(void *)((char *)cleanup - offsetof(struct pollrt_timeout, cleanup));

	scope_end(&self->inner);
}

void pollrt_timeout_enter(struct pollrt_timeout *self, struct pollrt_cx *cx)
{
	if (!self->cleanup.run)
		pollrt_defer(cx, &self->cleanup, timeout_drop);
	self->outer = cx->scope;
	cx->scope = &self->inner;
}

enum pollrt_poll pollrt_timeout_leave(struct pollrt_timeout *self, struct pollrt_cx *cx,
				      enum pollrt_poll inner)
{
	cx->scope = self->outer;
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
	scope_end(&self->inner);
	pollrt_undefer(&self->cleanup);
	return POLLRT_READY;
}
