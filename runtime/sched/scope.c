// SPDX-License-Identifier: MIT
#include "sched/scope.h"

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

static void nested_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_nested *self = POLLRT_CONTAINER_OF(cleanup, struct pollrt_nested, cleanup);

	scope_end(&self->scope);
}

void scope_enter(struct pollrt_nested *self, struct pollrt_cx *cx)
{
	if (!self->cleanup.run)
		pollrt_defer(cx, &self->cleanup, nested_drop);
	self->outer = cx->scope;
	cx->scope = &self->scope;
}

void scope_leave(struct pollrt_nested *self, struct pollrt_cx *cx)
{
	cx->scope = self->outer;
}

void scope_close(struct pollrt_nested *self)
{
	scope_end(&self->scope);
	pollrt_undefer(&self->cleanup);
}
