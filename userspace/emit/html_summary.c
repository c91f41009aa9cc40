// SPDX-License-Identifier: MIT
/* The top of the HTML report: sums, and what stands out of them. */
#include <inttypes.h>

#include "emit/html_page.h"
#include "util/text.h"

#define MS UINT64_C(1000000)

/* What is worth a sentence. Shares are percent. */
#define LEAST_SHARE 1           /* of the workers' time, blocked by a cause or on the run queue */
#define LEAST_RUNQUEUE_SHARE 10 /* of polling, besides */
#define LEAST_BUSY_SHARE 90     /* of a worker's time */
#define LEAST_SLEEP (1 * MS)    /* or that */
#define LEAST_POLL (1 * MS)
#define LEAST_WAIT (1 * MS)      /* for a worker */
#define LEAST_JOB_WAIT (10 * MS) /* for a thread of the blocking pool */
#define MOST_CAUSES 3
#define MOST_RANKED (MOST_CAUSES + 2)

#define FEW 100 /* of fewer there is no 99th percentile but the longest */

struct sums {
	uint64_t polls, tasks, polling_ns, on_cpu_ns, runqueue_ns, blocked_ns, scheduled_ns;
	uint64_t busy_ns, observed_ns, workers;
	bool has_scheduled, has_busy;
};

static struct sums sums_of(const struct model *model)
{
	struct sums sums = {.has_busy = true};

	for (size_t i = 0; i < model->ntypes; i++) {
		const struct model_type *type = &model->types[i];

		sums.polls += type->polls;
		sums.tasks += type->tasks;
		sums.polling_ns += type->times.polling_ns;
		sums.on_cpu_ns += type->times.on_cpu_ns;
		sums.runqueue_ns += type->times.runqueue_ns;
		sums.blocked_ns += type->times.blocked_ns;
		sums.scheduled_ns += type->times.scheduled_ns;
		sums.has_scheduled |= type->has_scheduled;
	}
	for (size_t i = 0; i < model->nworkers; i++) {
		sums.busy_ns += model->workers[i].busy_ns;
		sums.observed_ns += model->workers[i].observed_ns;
		sums.has_busy &= model->workers[i].has_busy;
	}
	for (size_t i = 0; i < model->nsources; i++)
		sums.workers += model->sources[i].workers;
	return sums;
}

static bool is_share(uint64_t part, uint64_t whole, unsigned int percent)
{
	return whole && (double)part >= (double)whole * percent / 100;
}

static void put_share(struct html *html, uint64_t part, uint64_t whole)
{
	html_foreign(html, text_share(part, whole).s);
}

static void put_type_name(struct html *html, const struct model_type *type)
{
	html_print(html, "<code>");
	html_foreign(html, type->name);
	html_print(html, "</code>");
}

static void put_key(struct html *html, const char *class, const char *name, uint64_t ns,
		    uint64_t whole)
{
	html_print(html, "<span class=\"key\"><i class=\"%s\"></i>%s <b>", class, name);
	put_share(html, ns, whole);
	html_print(html, "</b></span> ");
}

static void put_tile(struct html *html, const char *name, const char *value)
{
	html_print(html, "<div><dt>%s</dt><dd><b>%s</b>", name, value);
}

static void put_tiles(struct html *html, const struct sums *sums)
{
	const struct model *model = html->model;

	html_print(html, "<dl class=\"tiles\">\n");
	put_tile(html, "Inside polls", text_duration(sums->polling_ns).s);
	put_key(html, "oncpu", "on CPU", sums->on_cpu_ns, sums->polling_ns);
	put_key(html, "runqueue", "run queue", sums->runqueue_ns, sums->polling_ns);
	put_key(html, "blocked", "blocked", sums->blocked_ns, sums->polling_ns);
	html_print(html, "</dd></div>\n");
	if (sums->has_scheduled && !model->capture.estimated) {
		put_tile(html, "Waiting for a worker", text_duration(sums->scheduled_ns).s);
		html_print(html, "<span>sum over all tasks</span></dd></div>\n");
	}
	if (model->nslowest) {
		put_tile(html, "Slowest poll", text_duration(model->slowest[0].poll_ns).s);
		html_print(html, "<span>");
		put_type_name(html, &model->types[model->slowest[0].type]);
		html_print(html, "</span></dd></div>\n");
	}
	put_tile(html, "Polls", text_grouped(sums->polls).s);
	if (model->capture.estimated)
		html_print(html, "<span>counted; their times are estimates</span></dd></div>\n");
	else
		html_print(html, "<span>of %s tasks</span></dd></div>\n",
			   text_grouped(sums->tasks).s);
	if (model->nworkers) {
		html_print(html, "<div><dt>Workers busy</dt><dd><b>");
		if (sums->has_busy)
			put_share(html, sums->busy_ns, sums->observed_ns);
		else
			html_print(html, "n/a");
		html_print(html, "</b><span>of the time, ");
		if (sums->workers > model->nworkers)
			html_print(html, "%zu of %" PRIu64 " seen</span></dd></div>\n",
				   model->nworkers, sums->workers);
		else
			html_print(html, "%zu in all</span></dd></div>\n", model->nworkers);
	}
	html_print(html, "</dl>\n");
}

struct stand_out {
	const struct model_type *type;
	const struct model_cause *cause;
};

/* The causes that cost most, one for each type, longest first; returns how many. */
static size_t find_causes(const struct model *model, const struct sums *sums,
			  struct stand_out found[MOST_CAUSES])
{
	size_t n = 0;

	for (size_t i = 0; i < model->ntypes; i++) {
		const struct model_type *type = &model->types[i];
		const struct model_cause *cause = type->causes;
		size_t at = n;

		if (!type->ncauses || (cause->max_ns < LEAST_SLEEP &&
				       !is_share(cause->total_ns, sums->observed_ns, LEAST_SHARE)))
			continue;
		while (at && found[at - 1].cause->total_ns < cause->total_ns)
			at--;
		if (at == MOST_CAUSES)
			continue;
		n += n < MOST_CAUSES;
		for (size_t k = n - 1; k > at; k--)
			found[k] = found[k - 1];
		found[at] = (struct stand_out){type, cause};
	}
	return n;
}

static void put_cause(struct html *html, const struct stand_out *out)
{
	const struct model_cause *cause = out->cause;

	html_print(html, "<li><a href=\"#types\">");
	put_type_name(html, out->type);
	html_print(html, "</a> was blocked <b>%s</b> by <code class=\"c-blocked\">",
		   text_duration(cause->total_ns).s);
	html_foreign(html, cause->cause);
	html_print(html, "</code>");
	if (cause->target) {
		html_print(html, " on <code>");
		html_foreign(html, cause->target);
		html_print(html, "</code>");
	}
	html_print(html, ": ");
	put_share(html, cause->total_ns, out->type->times.polling_ns);
	html_print(html, " of its polling, in %s sleep%s of up to %s.</li>\n",
		   text_grouped(cause->count).s, cause->count == 1 ? "" : "s",
		   text_duration(cause->max_ns).s);
}

static void put_slowest(struct html *html)
{
	const struct model *model = html->model;
	const struct model_slow_poll *poll = model->slowest;

	html_print(html, "<li>The <a href=\"#poll-1\">slowest poll</a> took <b>%s%s</b>: ",
		   poll->in_progress ? "≥" : "", text_duration(poll->poll_ns).s);
	put_type_name(html, &model->types[poll->type]);
	html_print(html, " #%" PRIu64 " at +%s, %s of it on CPU, %s on the run queue, %s blocked",
		   poll->task, text_duration(poll->start_ns).s, text_duration(poll->on_cpu_ns).s,
		   text_duration(poll->runqueue_ns).s, text_duration(poll->blocked_ns).s);
	if (poll->cause) {
		html_print(html, ", most by <code class=\"c-blocked\">");
		html_foreign(html, poll->cause);
		html_print(html, "</code>");
	}
	html_print(html, "%s.</li>\n",
		   poll->in_progress ? "; it had not ended when the capture did" : "");
}

static size_t tell_wait(struct html *html)
{
	const struct model *model = html->model;
	const struct model_type *worst = NULL;

	for (size_t i = 0; i < model->ntypes; i++) {
		const struct model_type *type = &model->types[i];

		if (type->has_scheduled && !type->untimed &&
		    type->scheduled_wait_ns.p99 >= LEAST_WAIT &&
		    (!worst || type->scheduled_wait_ns.p99 > worst->scheduled_wait_ns.p99))
			worst = type;
	}
	if (!worst)
		return 0;
	html_print(html, "<li>%s of <a href=\"#types\">",
		   worst->polls < FEW ? "The longest wait" : "One in 100 waits");
	put_type_name(html, worst);
	if (worst->polls < FEW) {
		html_print(html, "</a> for a worker, of %s poll%s, took <b>%s</b>.</li>\n",
			   text_grouped(worst->polls).s, worst->polls == 1 ? "" : "s",
			   text_duration(worst->scheduled_wait_ns.max).s);
		return 1;
	}
	html_print(html, "</a> for a worker took <b>%s</b> or more, the longest %s.</li>\n",
		   text_duration(worst->scheduled_wait_ns.p99).s,
		   text_duration(worst->scheduled_wait_ns.max).s);
	return 1;
}

static void put_runqueue(struct html *html, const struct sums *sums)
{
	html_print(html, "<li><b>");
	put_share(html, sums->runqueue_ns, sums->polling_ns);
	html_print(html, "</b> of the time inside polls went by waiting for a CPU: others ran, or "
			 "a CPU quota was used up.</li>\n");
}

/* What took time of the workers. */
struct finding {
	enum { FINDING_CAUSE, FINDING_SLOWEST, FINDING_RUNQUEUE } kind;
	uint64_t ns;
	struct stand_out cause;
};

/* Puts one in its place: the longest comes first. */
static void rank(struct finding *findings, size_t *n, struct finding finding)
{
	size_t at = (*n)++;

	for (; at && findings[at - 1].ns < finding.ns; at--)
		findings[at] = findings[at - 1];
	findings[at] = finding;
}

static size_t find_ranked(const struct model *model, const struct sums *sums,
			  struct finding findings[MOST_RANKED])
{
	struct stand_out causes[MOST_CAUSES];
	size_t n = 0, ncauses = find_causes(model, sums, causes);

	for (size_t i = 0; i < ncauses; i++)
		rank(findings, &n,
		     (struct finding){FINDING_CAUSE, causes[i].cause->total_ns, causes[i]});
	if (model->nslowest && model->slowest->poll_ns >= LEAST_POLL)
		rank(findings, &n,
		     (struct finding){.kind = FINDING_SLOWEST, .ns = model->slowest->poll_ns});
	if (is_share(sums->runqueue_ns, sums->polling_ns, LEAST_RUNQUEUE_SHARE) &&
	    is_share(sums->runqueue_ns, sums->observed_ns, LEAST_SHARE))
		rank(findings, &n,
		     (struct finding){.kind = FINDING_RUNQUEUE, .ns = sums->runqueue_ns});
	return n;
}

static size_t tell_ranked(struct html *html, const struct sums *sums)
{
	struct finding findings[MOST_RANKED];
	size_t n = find_ranked(html->model, sums, findings);

	for (size_t i = 0; i < n; i++) {
		switch (findings[i].kind) {
		case FINDING_CAUSE:
			put_cause(html, &findings[i].cause);
			break;
		case FINDING_SLOWEST:
			put_slowest(html);
			break;
		case FINDING_RUNQUEUE:
			put_runqueue(html, sums);
			break;
		}
	}
	return n;
}

static size_t tell_workers(struct html *html)
{
	const struct model *model = html->model;
	size_t busy = 0;

	for (size_t i = 0; i < model->nworkers; i++)
		busy += is_share(model->workers[i].busy_ns, model->workers[i].observed_ns,
				 LEAST_BUSY_SHARE);
	if (!busy)
		return 0;
	html_print(html,
		   "<li><b>%zu of %zu</b> <a href=\"#workers\">workers</a> %s busy for %u%% of the "
		   "time or more.</li>\n",
		   busy, model->nworkers, busy == 1 ? "was" : "were", LEAST_BUSY_SHARE);
	return 1;
}

static void put_job_wait(struct html *html, const struct model_job *job)
{
	uint64_t jobs = job->jobs + job->running;

	if (jobs < FEW)
		html_print(html, "<li>The longest wait of %s", text_grouped(jobs).s);
	else
		html_print(html, "<li>One in 100");
	html_print(html, " <a href=\"#jobs\">blocking job%s</a> <code>", jobs == 1 ? "" : "s");
	html_foreign(html, job->name);
	if (jobs < FEW)
		html_print(html, "</code> for a thread took <b>%s</b>.</li>\n",
			   text_duration(job->wait_ns.max).s);
	else
		html_print(html, "</code> waited <b>%s</b> or more for a thread.</li>\n",
			   text_duration(job->wait_ns.p99).s);
}

static size_t tell_jobs(struct html *html)
{
	const struct model *model = html->model;
	size_t told = 0;

	for (size_t i = 0; i < model->njobs && !told; i++) {
		const struct model_job *job = &model->jobs[i];

		if (!job->has_wait || job->wait_ns.p99 < LEAST_JOB_WAIT)
			continue;
		put_job_wait(html, job);
		told = 1;
	}
	return told;
}

void html_summary(struct html *html)
{
	const struct sums sums = sums_of(html->model);
	size_t told = 0;

	html_print(html, "<section id=\"summary\" aria-label=\"Summary\">\n");
	put_tiles(html, &sums);
	html_print(html, "<h2>What stands out</h2>\n<ul class=\"findings\">\n");
	told += tell_ranked(html, &sums);
	told += tell_wait(html);
	told += tell_workers(html);
	told += tell_jobs(html);
	if (!sums.polls)
		html_print(html, "<li>Nothing: no task was polled.</li>\n");
	else if (!told)
		html_print(html,
			   "<li>Nothing inside of polls: none took %s, none was blocked for "
			   "long, and no task waited for a worker. What tasks wait for while they "
			   "are idle: see <a href=\"#types\">task types</a>.</li>\n",
			   text_duration(LEAST_POLL).s);
	html_print(html, "</ul>\n");
	html_section_end(html);
}
