// SPDX-License-Identifier: MIT
#include "attach/governor.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/clock.h"
#include "util/text.h"

/* Shortest window, and the least CPU time in it: that is counted in ticks of mostly 10 ms. */
#define WINDOW_NS (500 * NSEC_PER_MSEC)
#define CPU_NS (100 * NSEC_PER_MSEC)

/* Less than one part in this many of a single CPU hurts nobody, whatever else the target does. */
#define NEGLIGIBLE 100

#define ONE_IN_MIN 4
#define ONE_IN_MAX 256
#define ONE_IN_OTHERWISE 64

void governor_start(struct governor *g, uint32_t max_percent, const struct governor_reading *now)
{
	*g = (struct governor){.max_percent = max_percent, .looked = now->time, .since = *now};
}

bool governor_due(const struct governor *g, uint64_t time)
{
	return g->max_percent && !g->decided && time >= g->looked + WINDOW_NS;
}

static struct governor_reading window_of(const struct governor_reading *since,
					 const struct governor_reading *now)
{
	return (struct governor_reading){
		.time = now->time - since->time,
		.cpu_ns = now->cpu_ns - since->cpu_ns,
		.polls = now->polls - since->polls,
		.polls_ns = now->polls_ns - since->polls_ns,
		.skips_ns = now->skips_ns - since->skips_ns,
		.wakes_ns = now->wakes_ns - since->wakes_ns,
		.others_ns = now->others_ns - since->others_ns,
	};
}

static uint64_t probes_ns(const struct governor_reading *window)
{
	return window->polls_ns + window->wakes_ns + window->others_ns;
}

/* The probes' share of the CPU time in percent, had one poll in one_in been recorded. */
static double share_of(const struct governor_reading *window, uint32_t one_in)
{
	double exact = probes_ns(window);
	double own = window->cpu_ns > exact ? window->cpu_ns - exact : 0;
	double polls = (double)window->polls_ns / one_in +
		       (double)window->skips_ns * (one_in - 1) / one_in;
	double probes = one_in == 1 ? exact : polls + window->others_ns;

	return probes > 0 ? 100 * probes / (own + probes) : 0;
}

/* The smallest that brings the share under the limit. */
static uint32_t one_in_of(const struct governor *g, const struct governor_reading *window)
{
	for (uint32_t one_in = ONE_IN_MIN; one_in <= ONE_IN_MAX; one_in *= 2)
		if (share_of(window, one_in) <= g->max_percent)
			return one_in;
	return ONE_IN_OTHERWISE;
}

static void decision_tell(const struct governor *g, const struct governor_reading *window,
			  uint32_t one_in, char *why, size_t why_len)
{
	double left = share_of(window, one_in);
	bool is_enough = left <= g->max_percent;

	snprintf(why, why_len,
		 "tracing each poll takes %.0f%% of the target's CPU time, all its threads (limit "
		 "%" PRIu32 "%%, --max-overhead; %s polls/s): from here on one poll in %" PRIu32
		 " is timed, which %stakes about %.0f%%%s, and times are estimates "
		 "(--sample 1 for exact ones)",
		 share_of(window, 1), g->max_percent,
		 text_count(window->polls * NSEC_PER_SEC / window->time).s, one_in,
		 is_enough ? "" : "still ", left,
		 is_enough ? "" : ", for each poll hits a probe all the same");
}

uint32_t governor_decide(struct governor *g, const struct governor_reading *now, char *why,
			 size_t why_len)
{
	struct governor_reading window = window_of(&g->since, now);
	double share = share_of(&window, 1);
	uint32_t one_in;

	g->looked = now->time;
	/* A target that does little has a longer window. */
	if (!g->max_percent || g->decided || window.time < WINDOW_NS || window.cpu_ns < CPU_NS)
		return 0;
	g->since = *now;
	if (share <= g->max_percent || probes_ns(&window) < window.time / NEGLIGIBLE)
		return 0;
	g->decided = true;
	one_in = one_in_of(g, &window);
	decision_tell(g, &window, one_in, why, why_len);
	return one_in;
}
