// SPDX-License-Identifier: MIT
/*
 * The report as a page that explains itself.
 *
 * All that it tells is rendered here, so that it can be read where no script runs; html.js then
 * folds details away, and sorts, searches and points. Names come from a traced program: they are escaped for terminals
 * first, then for HTML, and stand in text and quoted attributes only, never in script.
 */
#include "emit/html.h"

#include <errno.h>

#include "emit/html_page.h"
#include "emit/names.h"
#include "emit/quality.h"
#include "emit/svg.h"
#include "util/text.h"

static const char style[] =
#include "html.css.inc"
	;
static const char script[] =
#include "html.js.inc"
	;

static void put_title(struct html *html)
{
	const struct model_process *target = emit_target(html->model);

	if (target)
		html_foreign(html, target->comm);
	else
		html_print(html, "%zu processes", html->model->nprocesses);
}

static void put_head(struct html *html)
{
	html_print(html,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>");
	put_title(html);
	html_print(html, ": where %s tasks' time went</title>\n<style>\n%s</style>\n</head>\n",
		   emit_target(html->model) ? "its" : "their", style);
}

static void put_source(struct html *html, const struct model_source *source)
{
	html_print(html, "<li>");
	html_foreign(html, source->runtime);
	html_print(html, "%s", *source->version ? " " : "");
	html_foreign(html, source->version);
	if (source->workers)
		html_print(html, ", %u worker%s", source->workers, source->workers == 1 ? "" : "s");
	html_print(html, "</li>\n");
}

/* A process that became one with a runtime is not worth a line. */
static bool is_told(const struct model *model, size_t process)
{
	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].process == process)
			return true;
	}
	return !model->nsources;
}

static void put_process(struct html *html, size_t index)
{
	const struct model *model = html->model;
	const struct model_process *process = &model->processes[index];

	html_print(html, "<ul class=\"capture\">\n<li><b>");
	html_foreign(html, process->comm);
	html_print(html, "</b> pid %u%s</li>\n", process->pid, process->exited ? ", exited" : "");
	for (size_t i = 0; i < model->nsources; i++) {
		if (model->sources[i].process == index)
			put_source(html, &model->sources[i]);
	}
	html_print(html, "<li><code>");
	html_foreign(html, *process->command_line ? process->command_line : process->exe);
	html_print(html, "</code></li>\n</ul>\n");
}

static void put_warning(void *context, const char *text)
{
	struct html *html = context;

	html_print(html, "<p class=\"warning\">");
	html_foreign(html, text);
	html_print(html, "</p>\n");
}

static void put_capture(struct html *html)
{
	const struct model *model = html->model;
	const struct model_capture *capture = &model->capture;

	for (size_t i = 0; i < model->nprocesses; i++) {
		if (is_told(model, i))
			put_process(html, i);
	}
	html_print(html, "<ul class=\"capture\">\n<li>captured for <b>%s</b> from %s</li>\n",
		   text_duration(capture->duration_ns).s, text_date(capture->start_unix_ns).s);
	html_print(html, "<li>Linux ");
	html_foreign(html, capture->kernel);
	html_print(html, " ");
	html_foreign(html, capture->arch);
	html_print(html, ", %u CPU%s</li>\n</ul>\n", capture->ncpus,
		   capture->ncpus == 1 ? "" : "s");
	if (capture->estimated)
		put_warning(html, quality_sampling(model).s);
	quality_warnings(model, put_warning, html);
}

static void put_link(struct html *html, bool is_there, const char *id, const char *name)
{
	if (is_there)
		html_print(html, "<a href=\"#%s\">%s</a>\n", id, name);
}

static void put_bar(struct html *html)
{
	const struct model *model = html->model;

	html_print(html, "<nav aria-label=\"Sections\">\n<div class=\"links\">\n");
	put_link(html, true, "summary", "Summary");
	put_link(html, model->nworkers, "workers", "Workers");
	put_link(html, model->ntypes, "types", "Types");
	put_link(html, true, "flame", "Flame graph");
	put_link(html, model->nslowest, "polls", "Slowest polls");
	put_link(html, model->njobs, "jobs", "Blocking pool");
	put_link(html, model->ntasks, "tasks", "Tasks");
	html_print(html, "</div>\n</nav>\n");
}

static void put_flame(struct html *html, const struct flame *flame)
{
	int err;

	html_section(html, "flame", "Flame graph", "time inside polls, by task type");
	if (flame->total_ns) {
		html_print(html, "<div class=\"flame\">\n");
		err = emit_svg_inside(html->model, flame, html->out);
		if (!html->err)
			html->err = err;
		html_print(html, "</div>\n");
	} else {
		html_print(html, "<p class=\"note\">The capture holds no such time.</p>\n");
	}
	html_section_end(html);
}

static void put_line(struct html *html, const char *text)
{
	if (!*text)
		return;
	html_print(html, "<p>");
	html_foreign(html, text);
	html_print(html, "</p>\n");
}

static void put_foot(struct html *html)
{
	const struct model_capture *capture = &html->model->capture;
	const struct quality_uncertainty uncertainty = quality_uncertainty(html->model);

	html_print(html, "<footer>\n");
	put_line(html, quality_cost(html->model).s);
	if (uncertainty.slight)
		put_line(html, uncertainty.text);
	put_line(html, quality_unwound(html->model).s);
	html_print(html, "<p>pollscope ");
	html_foreign(html, capture->tool_version);
	html_print(html, ": <code>");
	html_foreign(html, capture->command_line);
	html_print(html, "</code></p>\n</footer>\n");
}

int emit_html(const struct model *model, const struct flame *flame, const char *sort, FILE *out)
{
	struct html html = {.out = out, .model = model, .sort = sort};

	put_head(&html);
	html_print(&html, "<body>\n<header>\n<h1>");
	put_title(&html);
	html_print(&html, " <small>where %s tasks' time went</small></h1>\n",
		   emit_target(model) ? "its" : "their");
	put_capture(&html);
	html_print(&html, "</header>\n");
	put_bar(&html);
	html_print(&html, "<main>\n");
	html_summary(&html);
	html_workers(&html);
	html_types(&html);
	put_flame(&html, flame);
	html_polls(&html);
	html_jobs(&html);
	html_tasks(&html);
	html_print(&html, "</main>\n");
	put_foot(&html);
	html_print(&html, "<script>\n%s</script>\n</body>\n</html>\n", script);
	if (!html.err && ferror(out))
		html.err = -EIO;
	return html.err;
}
