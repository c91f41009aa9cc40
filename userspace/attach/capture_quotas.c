// SPDX-License-Identifier: MIT
/* The limits of CPU time that the targets are under, and what these do during a capture. */
#include <stdlib.h>

#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/targets.h"
#include "util/clock.h"
#include "util/utf8.h"

#define LOOK_NS (200 * NSEC_PER_MSEC) /* what is not known of a target that ends, and its cgroup */

/* Of one process. */
struct capture_quota {
	uint16_t process;
	uint64_t periods; /* told */
	struct cgroup_quotas quotas;
};

static bool is_one_of(uint16_t process, const uint16_t *live, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (live[i] == process)
			return true;
	}
	return false;
}

/* Those of processes that have ended, or gone by exec: what was told of them counts. */
static void ended_forget(struct capture *c, const uint16_t *live, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nquotas; i++) {
		if (is_one_of(c->quotas[i]->process, live, n))
			c->quotas[kept++] = c->quotas[i];
		else
			free(c->quotas[i]);
	}
	c->nquotas = kept;
}

/* There is room for as many as live. NULL: out of memory. */
static struct capture_quota *quota_of(struct capture *c, uint16_t process)
{
	for (size_t i = 0; i < c->nquotas; i++) {
		if (c->quotas[i]->process == process)
			return c->quotas[i];
	}
	c->quotas[c->nquotas] = calloc(1, sizeof(**c->quotas));
	if (!c->quotas[c->nquotas])
		return NULL;
	c->quotas[c->nquotas]->process = process;
	return c->quotas[c->nquotas++];
}

static int quota_tell(struct capture_quota *quota, struct event_sink *sink, uint64_t time)
{
	const struct cgroup_quota *worst = cgroup_quotas_worst(&quota->quotas);
	char cgroup[CGROUP_PATH];
	struct event event = {
		.time = time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_CPU_QUOTA,
	};

	if (!worst || worst->periods == quota->periods)
		return 0;
	quota->periods = worst->periods;
	utf8_copy(cgroup, worst->cgroup, sizeof(cgroup) - 1);
	event.cpu_quota = (struct event_cpu_quota){
		.process = quota->process,
		.quota_ns = worst->quota_ns,
		.period_ns = worst->period_ns,
		.periods = worst->periods,
		.throttled = worst->throttled,
		.throttled_ns = worst->throttled_ns,
		.cgroup = cgroup,
	};
	return sink->take(sink, &event);
}

static int look(struct capture *c, struct event_sink *sink, uint64_t time)
{
	pid_t pids[CAPTURE_QUOTAS];
	uint16_t processes[CAPTURE_QUOTAS];
	size_t n = targets_live(c->targets, pids, processes, CAPTURE_QUOTAS);
	int err = 0;

	c->quotas_seen = time;
	ended_forget(c, processes, n);
	for (size_t i = 0; i < n && !err; i++) {
		struct capture_quota *quota = quota_of(c, processes[i]);

		if (!quota)
			continue;
		cgroup_quotas_look(&quota->quotas, &c->cgroup_mounts, "", pids[i]);
		err = quota_tell(quota, sink, time);
	}
	return err;
}

int capture_quotas_follow(struct capture *c, uint64_t now)
{
	if (!c->start || (c->quotas_seen && now < c->quotas_seen + LOOK_NS))
		return 0;
	if (!c->quotas_seen)
		cgroup_mounts_find(&c->cgroup_mounts, "");
	return look(c, intake_sink(c->intake), now);
}

int capture_quotas_finish(struct capture *c, uint64_t time)
{
	return look(c, &c->passing, time);
}

void capture_quotas_release(struct capture *c)
{
	for (size_t i = 0; i < c->nquotas; i++)
		free(c->quotas[i]);
}
