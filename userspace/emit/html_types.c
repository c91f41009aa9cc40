// SPDX-License-Identifier: MIT
/* The HTML report's heart: task types, and beneath each what blocked it. */
#include <errno.h>
#include <stdlib.h>

#include "emit/awaits.h"
#include "emit/html_page.h"
#include "emit/quality.h"
#include "emit/sort.h"
#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct html_column columns[] = {
	{"type", "name", "what tasks of one kind are called, and where they are spawned or written",
	 true},
	{"polling", "polling_ns", "time inside polls: on CPU, run queue and blocked", false},
	{"on cpu", "on_cpu_ns", "of polling: the thread ran", false},
	{"run queue", "runqueue_ns", "of polling: the thread could run and waited for a CPU",
	 false},
	{"blocked", "blocked_ns", "of polling: the kernel had put the thread to sleep", false},
	{"sched", "scheduled_ns", "woken, and waiting for a worker", false},
	{"sched p99", "scheduled_wait_ns.p99", "99 of 100 waits for a worker were no longer",
	 false},
	{"poll p50", "poll_ns.p50", "half of the polls took no longer", false},
	{"poll p99", "poll_ns.p99", "99 of 100 polls took no longer", false},
	{"poll max", "poll_ns.max", "the longest poll", false},
	{"polls", "polls", NULL, false},
	{"tasks", "tasks", "seen in the capture", false},
	{"alive", "alive", "at its end", false},
};

static void put_row(struct html *html, const struct model_type *type, uint64_t most)
{
	const struct model_times *times = &type->times;
	const struct html_split split = {times->on_cpu_ns, times->runqueue_ns, times->blocked_ns};

	html_print(html, "<tr>");
	html_name(html, type->source, type->name, type->location);
	if (type->untimed) {
		html_unknown(html, 9);
	} else {
		html_split(html, times->polling_ns, most, &split, "");
		html_duration(html, "c-oncpu", times->on_cpu_ns);
		html_duration(html, "c-runqueue", times->runqueue_ns);
		html_duration(html, "c-blocked", times->blocked_ns);
		if (type->has_scheduled) {
			html_duration(html, "", times->scheduled_ns);
			html_duration(html, "", type->scheduled_wait_ns.p99);
		} else {
			html_unknown(html, 2);
		}
		html_duration(html, "", type->poll_ns.p50);
		html_duration(html, "", type->poll_ns.p99);
		html_duration(html, "", type->poll_ns.max);
	}
	html_count(html, type->polls);
	if (html->model->capture.estimated) {
		html_unknown(html, 2);
	} else {
		html_count(html, type->tasks);
		html_count(html, type->alive);
	}
	html_print(html, "</tr>\n");
}

static void put_cause(struct html *html, const struct model_cause *cause, uint64_t polling_ns)
{
	html_print(html, "<tr><th scope=\"row\"><span class=\"cause\">");
	html_foreign(html, cause->cause);
	html_print(html, "</span></th><td class=\"target\">");
	if (cause->target)
		html_foreign(html, cause->target);
	html_print(html, "</td><td class=\"num\"><b>%s</b></td><td class=\"num\">",
		   text_duration(cause->total_ns).s);
	html_foreign(html, text_share(cause->total_ns, polling_ns).s);
	html_print(html, "</td><td class=\"num\">%s</td><td class=\"num\">%s</td></tr>\n",
		   text_count(cause->count).s, text_duration(cause->max_ns).s);
}

static void put_causes(struct html *html, const struct model_type *type)
{
	if (!type->ncauses)
		return;
	html_print(html, "<table class=\"causes\">\n<thead><tr><th scope=\"col\">blocked by</th>"
			 "<th scope=\"col\">on</th><th scope=\"col\" class=\"num\">in all</th>"
			 "<th scope=\"col\" class=\"num\">of polling</th>"
			 "<th scope=\"col\" class=\"num\">sleeps</th>"
			 "<th scope=\"col\" class=\"num\">longest</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < type->ncauses; i++)
		put_cause(html, &type->causes[i], type->times.polling_ns);
	html_print(html, "</tbody></table>\n");
}

static void put_await(struct html *html, const struct emit_awaits *awaits,
		      const struct emit_await *await)
{
	html_print(html, "<tr><th scope=\"row\"><span class=\"await\">");
	html_foreign(html, await->function);
	html_print(html, "</span></th><td class=\"target\">");
	html_foreign(html, await->location);
	html_print(html, "</td><td class=\"target\">");
	if (await->leaf)
		html_foreign(html, await->leaf);
	html_print(html, "</td><td class=\"num\"><b>%s</b></td><td class=\"num\">",
		   text_duration(await->idle_ns).s);
	html_foreign(html, emit_await_share(awaits, await).s);
	html_print(html, "</td><td class=\"num\">%s</td></tr>\n", text_count(await->count).s);
}

static void put_awaits(struct html *html, const struct model_type *type)
{
	struct emit_awaits awaits;
	int err = emit_awaits(html->model, type - html->model->types, &awaits);

	if (err && !html->err)
		html->err = err;
	if (!err && awaits.count) {
		html_print(html,
			   "<table class=\"causes\">\n<thead><tr><th scope=\"col\">idle at</th>"
			   "<th scope=\"col\">source</th><th scope=\"col\">in</th>"
			   "<th scope=\"col\" class=\"num\">about</th>"
			   "<th scope=\"col\" class=\"num\">of idle</th>"
			   "<th scope=\"col\" class=\"num\">sampled</th></tr></thead>\n<tbody>\n");
		for (size_t i = 0; i < awaits.count; i++)
			put_await(html, &awaits, &awaits.list[i]);
		html_print(html, "</tbody></table>\n");
	}
	emit_awaits_clear(&awaits);
}

static void put_percentiles(struct html *html, const char *of,
			    const struct model_percentiles *percentiles)
{
	html_print(html,
		   "<span>%s <b>p50</b> %s <b>p90</b> %s <b>p99</b> %s <b>max</b> %s</span>\n", of,
		   text_duration(percentiles->p50).s, text_duration(percentiles->p90).s,
		   text_duration(percentiles->p99).s, text_duration(percentiles->max).s);
}

static void put_facts(struct html *html, const struct model_type *type)
{
	html_print(html, "<p class=\"facts\">");
	if (!type->untimed)
		put_percentiles(html, "Polls", &type->poll_ns);
	if (type->has_scheduled && !type->untimed)
		put_percentiles(html, "Waits for a worker", &type->scheduled_wait_ns);
	if (type->has_scheduled)
		html_print(html, "<span>Wakes %s, redundant %s</span>\n", text_count(type->wakes).s,
			   text_count(type->redundant_wakes).s);
	if (!html->model->capture.estimated)
		html_print(html, "<span>Idle %s of %s alive</span>",
			   text_duration(type->times.idle_ns).s,
			   text_duration(type->times.lifetime_ns).s);
	html_print(html, "</p>\n");
}

static void put_type(struct html *html, const struct model_type *type, uint64_t most)
{
	html_print(html, "<tbody class=\"item\">\n");
	put_row(html, type, most);
	html_print(html, "<tr class=\"more\"><td colspan=\"%zu\"><div>\n", COUNT(columns));
	put_causes(html, type);
	put_awaits(html, type);
	put_facts(html, type);
	html_full(html, type->location, &type->full);
	html_print(html, "</div></td></tr>\n</tbody>\n");
}

void html_types(struct html *html)
{
	const struct model *model = html->model;
	const char *sort =
		html->sort && emit_sort_key_valid(html->sort) ? html->sort : EMIT_SORT_DEFAULT;
	const char *unseen = quality_unseen_waits(model);
	size_t *order;
	uint64_t most = 0;

	if (!model->ntypes)
		return;
	order = emit_sort_types(model, sort);
	if (!order) {
		html->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < model->ntypes; i++) {
		if (model->types[i].times.polling_ns > most)
			most = model->types[i].times.polling_ns;
	}
	html_section(html, "types", "Task types", "sched waits for a worker, run queue for a CPU");
	html_table(html, columns, COUNT(columns), sort);
	for (size_t i = 0; i < model->ntypes; i++)
		put_type(html, &model->types[order[i]], most);
	html_table_end(html);
	if (unseen)
		html_print(html, "<p class=\"note\">%s</p>\n", unseen);
	html_section_end(html);
	free(order);
}
