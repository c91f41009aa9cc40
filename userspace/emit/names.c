// SPDX-License-Identifier: MIT
#include "emit/names.h"

static const char *const event_names[EVENT_TYPES] = {
	[0] = "unknown",
	[EVENT_CAPTURE_START] = "capture_start",
	[EVENT_CAPTURE_END] = "capture_end",
	[EVENT_PROCESS] = "process",
	[EVENT_SOURCE] = "source",
	[EVENT_MODULE] = "module",
	[EVENT_KIND] = "kind",
	[EVENT_THREAD] = "thread",
	[EVENT_THREAD_TOTALS] = "thread_totals",
	[EVENT_PROCESS_EXIT] = "process_exit",
	[EVENT_PATH] = "path",
	[EVENT_SYMBOL] = "symbol",
	[EVENT_LOST] = "lost",
	[EVENT_OVERHEAD] = "overhead",
	[EVENT_POLL] = "poll",
	[EVENT_OFFCPU] = "offcpu",
	[EVENT_SAMPLE] = "sample",
	[EVENT_SPAWN] = "spawn",
	[EVENT_WAKE] = "wake",
	[EVENT_ABORT] = "abort",
	[EVENT_TERMINATE] = "terminate",
	[EVENT_WORKER_START] = "worker_start",
	[EVENT_WORKER_STOP] = "worker_stop",
	[EVENT_PARK] = "park",
	[EVENT_UNPARK] = "unpark",
	[EVENT_BLOCKING_QUEUE] = "blocking_queue",
	[EVENT_BLOCKING_START] = "blocking_start",
	[EVENT_BLOCKING_END] = "blocking_end",
	[EVENT_BLOCK_ON_ENTER] = "block_on_enter",
	[EVENT_BLOCK_ON_EXIT] = "block_on_exit",
	[EVENT_SAMPLING] = "sampling",
	[EVENT_SKIPPED] = "skipped",
	[EVENT_AWAIT] = "await",
	[EVENT_CPU_QUOTA] = "cpu_quota",
};

const char *emit_event_name(uint32_t type)
{
	return event_names[type < EVENT_TYPES ? type : 0];
}

const char *emit_state_name(enum model_state state)
{
	switch (state) {
	case MODEL_IDLE:
		return "idle";
	case MODEL_SCHEDULED:
		return "scheduled";
	case MODEL_POLLING:
		return "polling";
	case MODEL_DONE:
		return "done";
	case MODEL_CANCELLED:
		return "cancelled";
	}
	return "unknown";
}

const char *emit_end_name(uint32_t reason)
{
	switch (reason) {
	case EVENT_END_DURATION:
		return "duration";
	case EVENT_END_INTERRUPTED:
		return "interrupted";
	case EVENT_END_TARGET_EXITED:
		return "target-exited";
	}
	return "cut";
}

const char *emit_capability_name(size_t i)
{
	/* In the order of enum event_capability's bits. */
	static const char *const names[] = {
		"poll",          "wake",  "spawn",          "terminate", "abort",
		"worker",        "park",  "blocking",       "block_on",  "ids_reused",
		"polls_overlap", "await", "awaits_refused",
	};

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

const struct model_process *emit_target(const struct model *model)
{
	if (!model->nsources)
		return model->nprocesses == 1 ? &model->processes[0] : NULL;
	for (size_t i = 1; i < model->nsources; i++) {
		if (model->sources[i].process != model->sources[0].process)
			return NULL;
	}
	return &model->processes[model->sources[0].process];
}

const struct model_source *emit_runtime(const struct model *model)
{
	return model->nsources == 1 ? &model->sources[0] : NULL;
}
