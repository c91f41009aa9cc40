/* SPDX-License-Identifier: MIT */
#ifndef POLLRT_SCOPE_H
#define POLLRT_SCOPE_H

#include "pollrt.h"

/** Runs what was deferred in @scope, latest first. */
void scope_end(struct pollrt_scope *scope);

#endif
