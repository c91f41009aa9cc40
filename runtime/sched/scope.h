/* SPDX-License-Identifier: MIT */
#ifndef POLLRT_SCOPE_H
#define POLLRT_SCOPE_H

#include "pollrt.h"

/** Runs what was deferred in @scope, latest first. */
void scope_end(struct pollrt_scope *scope);

/** From here to scope_leave(), what is deferred in this poll goes into @nested. */
void scope_enter(struct pollrt_nested *nested, struct pollrt_cx *cx);
void scope_leave(struct pollrt_nested *nested, struct pollrt_cx *cx);

/** Ends a nested scope that was left. */
void scope_close(struct pollrt_nested *nested);

#endif
