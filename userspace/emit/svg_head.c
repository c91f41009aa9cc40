// SPDX-License-Identifier: MIT
#include "emit/svg_head.h"

#include "emit/names.h"
#include "emit/svg_diff.h"
#include "emit/xml.h"
#include "util/text.h"

static const char *kind_text(enum flame_kind kind)
{
	switch (kind) {
	case FLAME_WALL:
		return "time inside polls";
	case FLAME_ONCPU:
		return "on-CPU time, sampled";
	case FLAME_OFFCPU:
		return "off-CPU time inside polls";
	case FLAME_SCHED:
		return "time woken and waiting for a worker";
	case FLAME_IDLE:
		return "idle time, by where tasks wait";
	}
	return "";
}

const char *svg_head_root(enum flame_by by)
{
	return by == FLAME_BY_TASK ? "task" : by == FLAME_BY_WORKER ? "worker" : "task type";
}

int svg_head_put_heading(const struct model *model, const struct flame *flame, FILE *out)
{
	const struct model_process *target = emit_target(model);
	int err = 0;

	if (target)
		err = xml_put_foreign(out, target->comm);
	else
		fprintf(out, "%zu processes", model->nprocesses);
	fprintf(out, ": %s, by %s%s", kind_text(flame->kind), svg_head_root(flame->by),
		flame->base ? ", compared" : "");
	return err;
}

static int put_subtitle(const struct model *model, const struct flame *flame, FILE *out)
{
	const struct model_capture *capture = &model->capture;
	const struct model_process *target = emit_target(model);
	const struct model_source *runtime = emit_runtime(model);
	int err = 0;

	fprintf(out, "%s in all", text_duration(flame->total_ns).s);
	if (flame->kind == FLAME_ONCPU)
		fprintf(out, " · a sample is %s", text_duration(capture->sample_period_ns).s);
	fprintf(out, " · captured for %s", text_duration(capture->duration_ns).s);
	fprintf(out, " from %s", text_date(capture->start_unix_ns).s);
	if (capture->estimated)
		fprintf(out, " · estimated: one poll in %u was timed", capture->sampled_one_in);
	if (target)
		fprintf(out, " · pid %u", target->pid);
	if (runtime) {
		fputs(" · ", out);
		err = xml_put_foreign(out, runtime->runtime);
		if (*runtime->version)
			fputc(' ', out);
		err = err ? err : xml_put_foreign(out, runtime->version);
	}
	if (capture->tool_version && *capture->tool_version) {
		fputs(" · pollscope ", out);
		err = err ? err : xml_put_foreign(out, capture->tool_version);
	}
	return err;
}

int svg_head_put(const struct model *model, const struct flame *flame, const struct svg_tree *tree,
		 unsigned x, FILE *out)
{
	int err;

	fprintf(out, "<g class=\"head\">\n<text class=\"title\" x=\"%u\" y=\"38\">", x);
	err = svg_head_put_heading(model, flame, out);
	fprintf(out, "</text>\n<text class=\"sub\" x=\"%u\" y=\"61\">", x);
	err = err ? err : put_subtitle(model, flame, out);
	if (flame->base) {
		fprintf(out, "</text>\n<text class=\"sub\" x=\"%u\" y=\"79\">", x);
		svg_diff_put_subtitle(flame, tree, out);
	}
	fputs("</text>\n</g>\n", out);
	return err;
}
