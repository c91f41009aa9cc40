// SPDX-License-Identifier: MIT
#include "events/restart.h"

#include <string.h>
#include <sys/syscall.h>

static int take(struct event_sink *sink, const struct event *event)
{
	struct restart *restart = (struct restart *)sink;
	struct event copy;

	if (event->type == EVENT_OFFCPU && event->offcpu.syscall >= 0) {
		uint32_t i = event->tid % RESTART_THREADS;

		if (event->offcpu.syscall != SYS_restart_syscall) {
			restart->last[i].tid = event->tid;
			restart->last[i].syscall = event->offcpu.syscall;
		} else if (restart->last[i].tid == event->tid) {
			copy = *event;
			copy.offcpu.syscall = restart->last[i].syscall;
			event = &copy;
		}
	}
	return restart->next->take(restart->next, event);
}

void restart_init(struct restart *restart, struct event_sink *next)
{
	memset(restart, 0, sizeof(*restart));
	restart->sink.take = take;
	restart->next = next;
}
