// SPDX-License-Identifier: MIT
#include "pollrt_select.h"

static void guard_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_guard *guard = POLLRT_CONTAINER_OF(cleanup, struct pollrt_guard, cleanup);

	pollrt_join_abort(&guard->join);
	pollrt_join_detach(&guard->join);
}

void pollrt_guard(struct pollrt_guard *guard, struct pollrt_cx *cx)
{
	pollrt_defer(cx, &guard->cleanup, guard_drop);
}

void pollrt_guard_end(struct pollrt_guard *guard)
{
	pollrt_undefer(&guard->cleanup);
	guard_drop(&guard->cleanup);
}
