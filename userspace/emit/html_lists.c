// SPDX-License-Identifier: MIT
/* The HTML report's single things: the slowest polls, jobs of blocking pools, tasks. */
#include <inttypes.h>

#include "emit/frames.h"
#include "emit/html_page.h"
#include "emit/names.h"
#include "util/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct html_column poll_columns[] = {
	{"type", NULL, NULL, true},
	{"took", "took", "from its start to its end; ≥: it had not ended", false},
	{"on cpu", NULL, NULL, false},
	{"run queue", NULL, "waited for a CPU", false},
	{"blocked", NULL, NULL, false},
	{"largest part", NULL, NULL, true},
	{"task", NULL, NULL, false},
	{"at", NULL, "its start, since the capture's", false},
	{"thread", NULL, NULL, false},
};

static const char *cause_of(const struct model_slow_poll *poll)
{
	return poll->cause ? poll->cause : "unknown";
}

static const struct {
	const char *class, *name, *where;
} parts[] = {
	[MODEL_LARGEST_ON_CPU] = {"c-oncpu", "on cpu", "was on CPU when sampled last"},
	[MODEL_LARGEST_RUNQUEUE] = {"c-runqueue", "run queue", "waited for a CPU longest"},
	[MODEL_LARGEST_BLOCKED] = {"c-blocked", NULL, "was blocked longest"},
};

static const char *part_name(const struct model_slow_poll *poll)
{
	const char *name = parts[model_poll_largest(poll)].name;

	return name ? name : cause_of(poll);
}

static int put_frame(void *context, const struct emit_frame *frame)
{
	struct html *html = context;

	html_print(html, "<li%s>", frame->kernel ? " class=\"kernel\"" : "");
	html_foreign(html, frame->name);
	if (*frame->file) {
		html_print(html, " <span class=\"at\">");
		html_foreign(html, frame->file);
		if (frame->line)
			html_print(html, ":%u", frame->line);
		html_print(html, "</span>");
	}
	html_print(html, "</li>\n");
	return 0;
}

/* Where the poll spent its largest part: it ends as in flames. */
static void put_stack(struct html *html, const struct model_slow_poll *poll)
{
	enum model_largest largest = model_poll_largest(poll);
	int err;

	html_print(html, "<tr class=\"more\"><td colspan=\"%zu\"><div>\n", COUNT(poll_columns));
	html_print(html,
		   "<p class=\"facts\">Where it %s, root first:</p>\n"
		   "<ol class=\"stack\">\n",
		   parts[largest].where);
	err = emit_frames_visit(html->model, poll->stack, put_frame, html);
	if (!html->err)
		html->err = err;
	html_print(html, "<li class=\"%s\">[%s", parts[largest].class,
		   largest == MODEL_LARGEST_BLOCKED ? "blocked: " : "");
	html_foreign(html, part_name(poll));
	html_print(html, "]</li></ol>\n</div></td></tr>\n");
}

static void put_poll(struct html *html, size_t index)
{
	const struct model *model = html->model;
	const struct model_slow_poll *poll = &model->slowest[index];
	const struct model_type *type = &model->types[poll->type];
	const struct html_split split = {poll->on_cpu_ns, poll->runqueue_ns, poll->blocked_ns};

	html_print(html, "<tbody class=\"item\" id=\"poll-%zu\">\n<tr>", index + 1);
	html_name(html, type->source, type->name, "");
	html_split(html, poll->poll_ns, model->slowest[0].poll_ns, &split,
		   poll->in_progress ? "≥" : "");
	html_duration(html, "c-oncpu", poll->on_cpu_ns);
	html_duration(html, "c-runqueue", poll->runqueue_ns);
	html_duration(html, "c-blocked", poll->blocked_ns);
	html_print(html, "<td class=\"%s\">", parts[model_poll_largest(poll)].class);
	html_foreign(html, part_name(poll));
	html_print(html, "</td>");
	html_print(html, "<td class=\"num\" data-v=\"%" PRIu64 "\">#%" PRIu64 "</td>", poll->task,
		   poll->task);
	html_print(html, "<td class=\"num\" data-v=\"%" PRIu64 "\">+%s</td>", poll->start_ns,
		   text_duration(poll->start_ns).s);
	html_print(html, "<td class=\"num\" data-v=\"%u\">%u</td></tr>\n", poll->tid, poll->tid);
	if (poll->stack != MODEL_NO_STACK)
		put_stack(html, poll);
	html_print(html, "</tbody>\n");
}

void html_polls(struct html *html)
{
	const struct model *model = html->model;

	if (!model->nslowest)
		return;
	html_section(html, "polls", "Slowest polls", "");
	html_table(html, poll_columns, COUNT(poll_columns), "took");
	for (size_t i = 0; i < model->nslowest; i++)
		put_poll(html, i);
	html_table_end(html);
	html_section_end(html);
}

static const struct html_column job_columns[] = {
	{"kind", NULL, "what runs, and where it is queued or written", true},
	{"ran", "ran", NULL, false},
	{"run p50", NULL, NULL, false},
	{"run p99", NULL, NULL, false},
	{"run max", NULL, NULL, false},
	{"waited", NULL, "queued, until a thread took it", false},
	{"wait p50", NULL, NULL, false},
	{"wait p99", NULL, NULL, false},
	{"wait max", NULL, NULL, false},
	{"jobs", NULL, "ended", false},
	{"running", NULL, "not ended", false},
};

static void put_job(struct html *html, const struct model_job *job)
{
	html_print(html, "<tbody class=\"item\"><tr>");
	html_name(html, job->source, job->name, job->location);
	html_duration(html, "", job->run_ns);
	html_duration(html, "", job->run.p50);
	html_duration(html, "", job->run.p99);
	html_duration(html, "", job->run.max);
	if (job->has_wait) {
		html_duration(html, "", job->queued_ns);
		html_duration(html, "", job->wait_ns.p50);
		html_duration(html, "", job->wait_ns.p99);
		html_duration(html, "", job->wait_ns.max);
	} else {
		html_unknown(html, 4);
	}
	html_count(html, job->jobs);
	html_count(html, job->running);
	html_print(html, "</tr>\n");
	html_print(html, "<tr class=\"more\"><td colspan=\"%zu\"><div>\n", COUNT(job_columns));
	html_full(html, job->location, &job->full);
	html_print(html, "</div></td></tr>\n");
	html_print(html, "</tbody>\n");
}

void html_jobs(struct html *html)
{
	const struct model *model = html->model;

	if (!model->njobs)
		return;
	html_section(html, "jobs", "Blocking pool", "");
	html_table(html, job_columns, COUNT(job_columns), "ran");
	for (size_t i = 0; i < model->njobs; i++)
		put_job(html, &model->jobs[i]);
	html_table_end(html);
	html_section_end(html);
}

static const struct html_column task_columns[] = {
	{"type", NULL, NULL, true},
	{"task", NULL, NULL, false},
	{"longest poll", "longest", NULL, false},
	{"polling", NULL, NULL, false},
	{"on cpu", NULL, NULL, false},
	{"run queue", NULL, NULL, false},
	{"blocked", NULL, NULL, false},
	{"sched", NULL, "woken, and waiting for a worker", false},
	{"idle", NULL, NULL, false},
	{"lifetime", NULL, NULL, false},
	{"polls", NULL, NULL, false},
	{"state", NULL, "at the capture's end", true},
	{"since", NULL, "how long it was in that state", false},
};

static void put_task(struct html *html, const struct model_task *task)
{
	const struct model_type *type = &html->model->types[task->type];
	const struct model_times *times = &task->times;

	html_print(html, "<tbody class=\"item\"><tr>");
	html_name(html, type->source, type->name, "");
	html_print(html, "<td class=\"num\" data-v=\"%" PRIu64 "\">#%" PRIu64 "</td>", task->id,
		   task->id);
	html_duration(html, "strong", task->max_poll_ns);
	html_duration(html, "", times->polling_ns);
	html_duration(html, "c-oncpu", times->on_cpu_ns);
	html_duration(html, "c-runqueue", times->runqueue_ns);
	html_duration(html, "c-blocked", times->blocked_ns);
	if (type->has_scheduled)
		html_duration(html, "", times->scheduled_ns);
	else
		html_unknown(html, 1);
	html_duration(html, "", times->idle_ns);
	html_duration(html, "", times->lifetime_ns);
	html_count(html, task->polls);
	html_print(html, "<td>%s</td>", emit_state_name(task->state));
	html_duration(html, "", task->in_progress_ns);
	html_print(html, "</tr></tbody>\n");
}

void html_tasks(struct html *html)
{
	const struct model *model = html->model;

	if (!model->ntasks)
		return;
	html_section(html, "tasks", "Tasks", "those with the longest polls");
	html_table(html, task_columns, COUNT(task_columns), "longest");
	for (size_t i = 0; i < model->ntasks; i++)
		put_task(html, &model->tasks[i]);
	html_table_end(html);
	html_section_end(html);
}
