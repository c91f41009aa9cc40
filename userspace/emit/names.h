/* SPDX-License-Identifier: MIT */
/* What the model's and events' constants are called in every form of output. */
#ifndef POLLSCOPE_EMIT_NAMES_H
#define POLLSCOPE_EMIT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/model.h"

/* "poll", "worker_start", …; "unknown" for 0 and what is none. */
const char *emit_event_name(uint32_t type);

/* "idle", "scheduled", "polling", "done", "cancelled" */
const char *emit_state_name(enum model_state state);

/* "duration", "interrupted", "target-exited", "cut" */
const char *emit_end_name(uint32_t reason);

/* The name of the i-th capability bit; NULL past the last. */
const char *emit_capability_name(size_t i);

/* Those that say what probes show. */
#define EMIT_SIGNALS (~(uint32_t)EVENT_NO_SIGNALS)

/*
 * The process that a capture is about: the only one with a runtime, or the only one. NULL where
 * there are several or none.
 */
const struct model_process *emit_target(const struct model *model);

/* The only runtime of that process; NULL where there are several or none. */
const struct model_source *emit_runtime(const struct model *model);

#endif
