// SPDX-License-Identifier: MIT
#include <errno.h>
#include <time.h>

#include "sched/context.h"
#include "sched/runtime.h"
#include "sched/task.h"

uint64_t pollrt_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whether the timer that was started is still to fire, and will wake this task then. */
static bool sleep_goes_on(struct pollrt_sleep *self, struct pollrt_cx *cx)
{
	if (driver_timer_fired(&self->timer))
		return false;
	return self->timer.task == cx->task ||
	       driver_timer_retarget(&cx->task->rt->driver, &self->timer, cx->task);
}

static void sleep_drop(struct pollrt_cleanup *cleanup)
{
	struct pollrt_sleep *self = POLLRT_CONTAINER_OF(cleanup, struct pollrt_sleep, cleanup);

	driver_timer_stop(&self->timer.task->rt->driver, &self->timer);
	/* Polled again, as an interval's may be, it starts anew. */
	self->timer.task = NULL;
}

/* Starts the timer. False if its time has come already. */
static bool sleep_start(struct pollrt_sleep *self, struct pollrt_cx *cx)
{
	struct driver *driver = &cx->task->rt->driver;
	uint64_t now = pollrt_now_ns();

	if (!self->until_ns)
		self->until_ns = self->ns > UINT64_MAX - now ? UINT64_MAX : now + self->ns;
	if (self->until_ns <= now)
		return false;
	self->timer.tick = driver_tick_after(driver, self->until_ns);
	self->timer.task = cx->task;
	driver_timer_start(driver, &self->timer);
	pollrt_defer(cx, &self->cleanup, sleep_drop);
	return true;
}

enum pollrt_poll pollrt_sleep(struct pollrt_sleep *self, struct pollrt_cx *cx)
{
	if (!context_budget_left(cx))
		return POLLRT_PENDING;
	if (self->timer.task ? sleep_goes_on(self, cx) : sleep_start(self, cx)) {
		context_waits(cx);
		return POLLRT_PENDING;
	}
	if (self->timer.task)
		pollrt_undefer(&self->cleanup);
	context_budget_spend();
	return POLLRT_READY;
}

enum pollrt_poll pollrt_interval_tick(struct pollrt_interval *self, struct pollrt_cx *cx)
{
	if (!self->next_ns)
		self->next_ns = pollrt_now_ns();
	if (!self->sleep.until_ns)
		self->sleep = (struct pollrt_sleep){.until_ns = self->next_ns};
	if (pollrt_sleep(&self->sleep, cx) == POLLRT_PENDING)
		return POLLRT_PENDING;
	self->sleep.until_ns = 0;
	self->next_ns += self->period_ns;
	return POLLRT_READY;
}
