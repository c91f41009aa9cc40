/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_PPROF_H
#define POLLSCOPE_EMIT_PPROF_H

#include <stdio.h>

#include "core/model.h"

/*
 * Writes a gzipped profile.proto, as `go tool pprof` and what else reads pprof's profiles take it. Its sample types are
 * oncpu (nanoseconds: samples x period), offcpu (nanoseconds: blocked and run queue, exact) and blocked (count of sleeps);
 * labels are task_type, task_location, pid and, off CPU, cause. Comments tell what casts doubt on it. Returns 0, -ENOMEM or -EIO.
 */
int emit_pprof(const struct model *model, FILE *out);

#endif
