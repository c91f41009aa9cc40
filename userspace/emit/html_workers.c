// SPDX-License-Identifier: MIT
/*
 * The HTML report's workers over time: of each a small chart, a column for each slice, stacked from
 * what polls did in it to what else kept the worker from parking.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "emit/html_page.h"
#include "emit/names.h"
#include "emit/sort.h"
#include "util/text.h"

#define MOST_WORKERS 128
#define MANY_WORKERS 16 /* whose charts are lower */
#define MOST_MARKS 10   /* slowest polls that are marked */
#define LEAST_MARKED UINT64_C(1000000)
#define UNIT 1000 /* a chart's height, and a slice's width */
#define TICKS 4

/* From the bottom up. */
enum layer { LAYER_ON_CPU, LAYER_RUNQUEUE, LAYER_BLOCKED, LAYER_BETWEEN, LAYERS };

static const struct {
	const char *class, *name;
} layers[LAYERS] = {
	[LAYER_ON_CPU] = {"oncpu", "on CPU"},
	[LAYER_RUNQUEUE] = {"runqueue", "run queue"},
	[LAYER_BLOCKED] = {"blocked", "blocked"},
	[LAYER_BETWEEN] = {"between", "busy between polls"},
};

struct chart {
	struct html *html;
	const struct model_worker *worker;
	bool parks; /* slices show when it was parked */
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of a slice, what the worker was observed for. */
static uint64_t observed(const struct chart *chart, size_t slice)
{
	const struct model *model = chart->html->model;
	uint64_t from = slice * model->slice_ns;
	uint64_t to = min_u64(from + model->slice_ns, model->capture.duration_ns);
	uint64_t start = chart->worker->start_ns, end = start + chart->worker->observed_ns;

	from = from > start ? from : start;
	to = min_u64(to, end);
	return to > from ? to - from : 0;
}

/* What a slice holds, in bounds of its length whatever the events said. */
static void split_slice(const struct chart *chart, size_t i, uint64_t split[LAYERS])
{
	const uint64_t *ns = chart->worker->slices[i].ns;
	uint64_t whole = observed(chart, i);
	uint64_t polling = min_u64(ns[MODEL_PART_POLLING], whole);

	split[LAYER_BLOCKED] = min_u64(ns[MODEL_PART_BLOCKED], polling);
	split[LAYER_RUNQUEUE] = min_u64(ns[MODEL_PART_RUNQUEUE], polling - split[LAYER_BLOCKED]);
	split[LAYER_ON_CPU] = polling - split[LAYER_BLOCKED] - split[LAYER_RUNQUEUE];
	whole -= polling;
	split[LAYER_BETWEEN] = chart->parks ? whole - min_u64(ns[MODEL_PART_PARKED], whole) : 0;
}

/* Height of all layers up to one. */
static unsigned int height(const struct chart *chart, size_t i, int layer)
{
	const struct model *model = chart->html->model;
	uint64_t length =
		min_u64(model->slice_ns, model->capture.duration_ns - i * model->slice_ns);
	uint64_t split[LAYERS], sum = 0;

	split_slice(chart, i, split);
	for (int k = 0; k <= layer; k++)
		sum += split[k];
	return length ? (unsigned int)((double)sum / (double)length * UNIT + 0.5) : 0;
}

/* The first slice with polls that were not timed. */
static size_t first_sampled(const struct model *model)
{
	return model->capture.estimated ? model->capture.sampled_since_ns / model->slice_ns
					: model->nslices;
}

/* The outline of all layers up to one, steps that are alike as one; lower layers are drawn over it. */
static void put_layer(const struct chart *chart, enum layer layer)
{
	struct html *html = chart->html;
	size_t sampled = first_sampled(html->model);
	unsigned int before = 0;

	html_print(html, "<path class=\"%s\" d=\"M0 %d", layers[layer].class, UNIT);
	for (size_t i = 0; i < html->model->nslices; i++) {
		/* What may be polls that were not timed is left to the ground. */
		bool open = layer == LAYER_BETWEEN && i >= sampled;
		unsigned int now = height(chart, i, open ? LAYER_BLOCKED : layer);

		if (now != before)
			html_print(html, "H%zuV%u", i * UNIT, UNIT - now);
		before = now;
	}
	html_print(html, "H%zuV%dZ\"/>", html->model->nslices * UNIT, UNIT);
}

/* The ground is hatched where polls were not timed: covers it where there are none, from the top down. */
static void put_cover(const struct chart *chart)
{
	struct html *html = chart->html;
	size_t sampled = first_sampled(html->model);
	unsigned int before = 0;

	html_print(html, "<path class=\"parked\" d=\"M0 0V%d", UNIT);
	for (size_t i = 0; i < html->model->nslices; i++) {
		unsigned int now = i < sampled    ? 0
				   : chart->parks ? height(chart, i, LAYER_BETWEEN)
						  : UNIT;

		if (now != before)
			html_print(html, "H%zuV%u", i * UNIT, UNIT - now);
		before = now;
	}
	html_print(html, "H%zuV0Z\"/>", html->model->nslices * UNIT);
}

/* For the script: a slice's layers in ns, "0" for one that is empty. */
static void put_data(const struct chart *chart)
{
	struct html *html = chart->html;

	html_print(html, " data-slices=\"");
	for (size_t i = 0; i < html->model->nslices; i++) {
		uint64_t split[LAYERS];

		split_slice(chart, i, split);
		if (i)
			html_print(html, ";");
		for (int k = 0; k < LAYERS; k++)
			html_print(html, k ? ",%" PRIu64 : "%" PRIu64, split[k]);
	}
	html_print(html, "\"");
}

/* How many of the slowest polls are worth it. */
static size_t marked(const struct model *model)
{
	size_t n = 0;

	while (n < model->nslowest && n < MOST_MARKS && model->slowest[n].poll_ns >= LEAST_MARKED)
		n++;
	return n;
}

static void put_marks(const struct chart *chart)
{
	struct html *html = chart->html;
	const struct model *model = html->model;

	for (size_t i = 0; i < marked(model); i++) {
		const struct model_slow_poll *poll = &model->slowest[i];

		if (poll->tid != chart->worker->tid)
			continue;
		html_print(html, "<a class=\"mark\" href=\"#poll-%zu\" style=\"left:", i + 1);
		html_percent(html, min_u64(poll->start_ns, model->capture.duration_ns),
			     model->capture.duration_ns);
		html_print(html, "\" title=\"slow poll at +%s: %s, ",
			   text_duration(poll->start_ns).s, text_duration(poll->poll_ns).s);
		html_foreign(html, model->types[poll->type].name);
		html_print(html, "\" aria-label=\"slow poll %zu\"></a>", i + 1);
	}
}

static void put_chart(const struct chart *chart)
{
	struct html *html = chart->html;
	const struct model *model = html->model;

	html_print(html, "<div class=\"chart%s\"%s", model->capture.estimated ? " sampled" : "",
		   chart->parks ? " data-parks=\"\"" : "");
	put_data(chart);
	html_print(html, "><svg viewBox=\"0 0 ");
	/* The last slice may be cut short by the capture's end. */
	html_print(html, "%.0f %d\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
		   (double)model->capture.duration_ns / (double)model->slice_ns * UNIT, UNIT);
	if (model->capture.estimated)
		put_cover(chart);
	for (int layer = LAYERS - 1; layer >= 0; layer--)
		put_layer(chart, layer);
	html_print(html, "</svg>");
	put_marks(chart);
	html_print(html, "</div>");
}

/* Whether the probes show when a worker is parked: one that never was may show it, too. */
static bool has_parks(const struct model *model, const struct model_worker *worker)
{
	if (!(model->sources[worker->source].capabilities & EVENT_CAN_PARK))
		return false;
	for (size_t i = 0; worker->slices && i < model->nslices; i++) {
		if (worker->slices[i].ns[MODEL_PART_PARKED])
			return true;
	}
	return worker->has_busy && !worker->parked_ns;
}

static void put_worker(struct html *html, const struct model_worker *worker)
{
	const struct model *model = html->model;
	const struct chart chart = {
		.html = html, .worker = worker, .parks = has_parks(model, worker)};
	const struct model_process *process =
		&model->processes[model->sources[worker->source].process];

	html_print(html, "<li><span class=\"who\"><span class=\"name\">");
	html_foreign(html, worker->name);
	html_print(html, "</span> <span class=\"at\">tid %u", worker->tid);
	if (!emit_target(html->model))
		html_print(html, " of pid %u", process->pid);
	html_print(html, "</span></span>");
	if (worker->slices && model->nslices)
		put_chart(&chart);
	else
		html_print(html, "<div class=\"chart\"></div>");
	html_print(html, "<span class=\"does\"><b>");
	html_foreign(html,
		     worker->has_busy ? text_share(worker->busy_ns, worker->observed_ns).s : "n/a");
	html_print(html, "</b> busy <span class=\"at\">on CPU %s · %s poll%s</span></span></li>\n",
		   worker->has_on_cpu ? text_duration(worker->on_cpu_ns).s : "n/a",
		   text_count(worker->polls).s, worker->polls == 1 ? "" : "s");
}

static void put_axis(struct html *html)
{
	uint64_t duration = html->model->capture.duration_ns;

	html_print(html, "<li class=\"axis\" aria-hidden=\"true\"><span></span><div>");
	for (unsigned int i = 0; i <= TICKS; i++) {
		html_print(html, "<span style=\"left:%u%%\">%s</span>", 100 * i / TICKS,
			   i ? text_duration(duration / TICKS * i).s : "0");
	}
	html_print(html, "</div><span></span></li>\n");
}

static void put_legend(struct html *html)
{
	const struct model *model = html->model;
	size_t parking = 0;
	bool parks;

	for (size_t i = 0; i < model->nworkers; i++)
		parking += has_parks(model, &model->workers[i]);
	parks = parking > 0;
	html_print(html, "<p class=\"legend\">");
	for (int layer = 0; layer < (parks ? LAYERS : LAYER_BETWEEN); layer++)
		html_print(html, "<span class=\"key\"><i class=\"%s\"></i>%s</span> ",
			   layers[layer].class, layers[layer].name);
	html_print(html, "<span class=\"key\"><i class=\"parked\"></i>%s</span> ",
		   parking == model->nworkers ? "parked"
		   : parks                    ? "parked, or in no poll"
					      : "in no poll");
	if (model->capture.estimated)
		html_print(html,
			   "<span class=\"key\"><i class=\"untimed\"></i>%s, or in a poll that was "
			   "not timed</span> ",
			   parks ? "between polls" : "in no poll");
	if (marked(model))
		html_print(html,
			   "<span class=\"key\"><i class=\"mark\"></i>one of the slowest polls"
			   "</span> ");
	html_print(html, "</p>\n");
	if (model->capture.estimated)
		html_print(html,
			   "<p class=\"note\">Colours show polls that were timed: from +%s on that "
			   "is one in %u.</p>\n",
			   text_duration(model->capture.sampled_since_ns).s,
			   model->capture.sampled_one_in);
}

static void put_quotas(struct html *html)
{
	const struct model *model = html->model;

	for (size_t i = 0; i < model->nprocesses; i++) {
		const struct model_process *process = &model->processes[i];
		const struct model_quota *quota = &process->quota;

		if (!quota->throttled)
			continue;
		html_print(html, "<p class=\"note\">");
		if (emit_target(model))
			html_print(html, "Throttled in ");
		else
			html_print(html, "pid %u: throttled in ", process->pid);
		html_foreign(html, text_share(quota->throttled, quota->periods).s);
		html_print(html, " of %s periods, for %s in sum over CPUs: cgroup <code>",
			   text_grouped(quota->periods).s, text_duration(quota->throttled_ns).s);
		html_foreign(html, quota->cgroup);
		html_print(html, "</code> may use %s of CPU time in each %s.</p>\n",
			   text_duration(quota->quota_ns).s, text_duration(quota->period_ns).s);
	}
}

void html_workers(struct html *html)
{
	const struct model *model = html->model;
	const struct model_worker **workers;
	size_t shown = min_u64(model->nworkers, MOST_WORKERS);
	char note[96];

	if (!model->nworkers)
		return;
	workers = calloc(model->nworkers, sizeof(*workers));
	if (!workers) {
		html->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < model->nworkers; i++)
		workers[i] = &model->workers[i];
	if (shown < model->nworkers)
		emit_sort_workers(workers, model->nworkers);
	snprintf(note, sizeof(note), "over time, a column for each %s",
		 text_duration(model->slice_ns).s);
	html_section(html, "workers", "Workers", note);
	put_legend(html);
	html_print(html, "<ul class=\"workers%s%s\"", shown > MANY_WORKERS ? " many" : "",
		   emit_target(model) ? "" : " several");
	html_print(html, " data-slice=\"%" PRIu64 "\" data-duration=\"%" PRIu64 "\"",
		   model->slice_ns, model->capture.duration_ns);
	if (model->capture.estimated)
		html_print(html, " data-sampled=\"%" PRIu64 "\"", model->capture.sampled_since_ns);
	html_print(html, ">\n");
	for (size_t i = 0; i < shown; i++)
		put_worker(html, workers[i]);
	put_axis(html);
	html_print(html, "</ul>\n");
	put_quotas(html);
	if (shown < model->nworkers)
		html_print(html, "<p class=\"note\">The busiest; %zu others are left out.</p>\n",
			   model->nworkers - shown);
	html_section_end(html);
	free(workers);
}
