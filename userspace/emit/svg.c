// SPDX-License-Identifier: MIT
/*
 * A flame graph as a picture that explains itself.
 *
 * The file is drawn completely here, so that it can be seen where no script runs; svg.js then takes
 * over and draws anew for the window, the zoom and the search. What it needs to know about a frame
 * stands in the frame's attributes and <title>. Names come from a traced program: they are escaped
 * for terminals first (which leaves no byte that XML forbids), then for XML, and stand in text
 * only, never in script.
 */
#include "emit/svg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emit/names.h"
#include "emit/svg_diff.h"
#include "emit/svg_tree.h"
#include "emit/xml.h"
#include "util/text.h"

#define WIDTH 1200
#define ROW 21
#define FOOT 44
#define MARGIN 4
#define COLUMN_HUNDREDTHS 725 /* of a pixel: what a character of the frames' font takes */
#define LEAST_HUNDREDTHS 10   /* frames narrower than this are left out */

static const char style[] =
#include "svg.css.inc"
	;
static const char script[] =
#include "svg.js.inc"
	;

/* In the order of enum flame_class; the letter is the CSS class. */
static const struct svg_class {
	char letter;
	const char *legend;
} classes[FLAME_CLASSES] = {
	[FLAME_ROOT] = {'r', NULL},
	[FLAME_USER] = {'u', "program"},
	[FLAME_LIBRARY] = {'l', "libraries"},
	[FLAME_KERNEL] = {'k', "kernel"},
	[FLAME_BLOCKED] = {'b', "blocked by"},
	[FLAME_RUNQUEUE] = {'q', "waiting"},
	[FLAME_WAKER] = {'w', "woken by"},
	[FLAME_UNKNOWN] = {'n', "unknown"},
};

/* A file of its own has a heading and air around it; in a page, that has those. */
struct svg_layout {
	unsigned pad, top;
	bool alone;
};

static const struct svg_layout alone = {.pad = 24, .top = 112, .alone = true};
static const struct svg_layout compared = {.pad = 24, .top = 132, .alone = true};
static const struct svg_layout inside = {.pad = 0, .top = 36, .alone = false};

struct svg_writer {
	FILE *out;
	const struct svg_layout *layout;
	const struct model *model;
	const struct flame *flame;
	struct svg_tree tree;
	size_t left_out;
	uint64_t left_out_ns;
	unsigned rows;
};

/* A length in pixels: locales have no say in it. */
static void put_pixels(FILE *out, uint64_t hundredths)
{
	fprintf(out, "%" PRIu64 ".%02u", hundredths / 100, (unsigned)(hundredths % 100));
}

static uint64_t scale(const struct svg_writer *writer, uint64_t ns)
{
	return (uint64_t)((double)ns / (double)writer->flame->total_ns *
			  ((WIDTH - 2 * writer->layout->pad) * 100));
}

/* A colour that is a name's own, so that neighbours differ and a function looks the same
 * everywhere. */
static unsigned shade(const char *name)
{
	uint32_t hash = 2166136261;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619;
	return (hash ^ hash >> 15) & 3;
}

static const char *node_name(const struct svg_node *node)
{
	return node->frame ? node->frame->name : "all";
}

/* The letter and number of a node's fill. */
static void put_class(const struct svg_writer *writer, const struct svg_node *node)
{
	FILE *out = writer->out;

	if (writer->flame->base)
		svg_diff_put_class(writer->flame, node, out);
	else if (node->frame)
		fprintf(out, "%c%u", classes[node->frame->class].letter, shade(node->frame->name));
	else
		fputs("all", out);
}

static void put_title(const struct svg_writer *writer, const struct svg_node *node)
{
	FILE *out = writer->out;

	fputs("<title>", out);
	xml_put(out, node_name(node));
	fprintf(out, "\n%s · ", text_duration(node->ns).s);
	xml_put(out, text_share(node->ns, writer->flame->total_ns).s);
	fputs(" of all", out);
	if (node->depth > 1) {
		fputs(" · ", out);
		xml_put(out, text_share(node->ns, writer->tree.nodes[node->parent].ns).s);
		fputs(" of parent", out);
	}
	if (writer->flame->base) {
		fputc('\n', out);
		svg_diff_put_change(writer->flame, node, out);
	}
	fputs("</title>", out);
}

static int put_label(FILE *out, const char *name, uint64_t drawn)
{
	uint64_t columns = drawn > 200 * MARGIN ? (drawn - 200 * MARGIN) / COLUMN_HUNDREDTHS : 0;
	char *label;

	if (columns < 3)
		return 0;
	label = text_shorten(name, columns);
	if (!label)
		return -ENOMEM;
	fprintf(out, "<text x=\"%d\" y=\"%d\">", MARGIN, ROW - 7);
	xml_put(out, label);
	fputs("</text>", out);
	free(label);
	return 0;
}

static int put_node(struct svg_writer *writer, const struct svg_node *node)
{
	uint64_t width = scale(writer, node->ns), drawn = width > 300 ? width - 100 : width * 3 / 4;
	FILE *out = writer->out;
	int err;

	fprintf(out,
		"<g class=\"f\" data-s=\"%" PRIu64 "\" data-v=\"%" PRIu64 "\" data-d=\"%u\" "
		"transform=\"translate(",
		node->start_ns, node->ns, node->depth);
	put_pixels(out, writer->layout->pad * 100 + scale(writer, node->start_ns));
	fprintf(out, ",%u)\">", writer->layout->top + node->depth * ROW);
	put_title(writer, node);
	fputs("<rect class=\"", out);
	put_class(writer, node);
	fputs("\" width=\"", out);
	put_pixels(out, drawn);
	fprintf(out, "\" height=\"%d\" rx=\"2.5\"/>", ROW - 1);
	err = put_label(out, node_name(node), drawn);
	fputs("</g>\n", out);
	return err;
}

/* Counts what is too narrow to be drawn, and the rows that are. */
static void measure(struct svg_writer *writer)
{
	const struct svg_tree *tree = &writer->tree;
	size_t hidden = SVG_NONE;

	for (size_t i = 0; i != SVG_NONE; i = svg_tree_next(tree, i, false)) {
		const struct svg_node *node = &tree->nodes[i];

		if (hidden != SVG_NONE && node->depth > tree->nodes[hidden].depth) {
			writer->left_out += node->ns > 0;
			continue;
		}
		hidden = SVG_NONE;
		if (scale(writer, node->ns) < LEAST_HUNDREDTHS) {
			hidden = i;
			writer->left_out += node->ns > 0;
			writer->left_out_ns += node->ns;
		} else if (node->depth >= writer->rows) {
			writer->rows = node->depth + 1;
		}
	}
}

static int put_nodes(struct svg_writer *writer)
{
	const struct svg_tree *tree = &writer->tree;
	size_t i = 0;
	int err = 0;

	while (!err && i != SVG_NONE) {
		bool narrow = scale(writer, tree->nodes[i].ns) < LEAST_HUNDREDTHS;

		if (!narrow)
			err = put_node(writer, &tree->nodes[i]);
		i = svg_tree_next(tree, i, narrow);
	}
	return err;
}

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

static const char *by_text(enum flame_by by)
{
	return by == FLAME_BY_TASK ? "task" : by == FLAME_BY_WORKER ? "worker" : "task type";
}

static int put_heading(const struct svg_writer *writer)
{
	const struct model_process *target = emit_target(writer->model);
	FILE *out = writer->out;
	int err = 0;

	if (target)
		err = xml_put_foreign(out, target->comm);
	else
		fprintf(out, "%zu processes", writer->model->nprocesses);
	fprintf(out, ": %s, by %s%s", kind_text(writer->flame->kind), by_text(writer->flame->by),
		writer->flame->base ? ", compared" : "");
	return err;
}

static int put_subtitle(const struct svg_writer *writer)
{
	const struct model_capture *capture = &writer->model->capture;
	const struct model_process *target = emit_target(writer->model);
	const struct model_source *runtime = emit_runtime(writer->model);
	FILE *out = writer->out;
	int err = 0;

	fprintf(out, "<text class=\"sub\" x=\"%u\" y=\"61\">", writer->layout->pad);
	fprintf(out, "%s in all", text_duration(writer->flame->total_ns).s);
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
	fputs("</text>\n", out);
	return err;
}

/* What is compared: a line more of subtitle. */
static void put_compared(const struct svg_writer *writer)
{
	fprintf(writer->out, "<text class=\"sub\" x=\"%u\" y=\"81\">", writer->layout->pad);
	svg_diff_put_subtitle(writer->flame, &writer->tree, writer->out);
	fputs("</text>\n", writer->out);
}

/* Only classes that are in the picture. */
static void put_legend(const struct svg_writer *writer)
{
	bool present[FLAME_CLASSES] = {false};
	FILE *out = writer->out;
	unsigned x = writer->layout->pad, y = writer->layout->top - 33;

	for (size_t i = 1; i < writer->tree.nnodes; i++)
		present[writer->tree.nodes[i].frame->class] = true;
	fputs("<g class=\"legend\">\n", out);
	for (size_t i = 0; i < FLAME_CLASSES; i++) {
		const char *text =
			classes[i].legend ? classes[i].legend : by_text(writer->flame->by);

		if (!present[i])
			continue;
		fprintf(out,
			"<rect class=\"%c0\" x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" "
			"rx=\"3\"/>"
			"<text class=\"key\" x=\"%u\" y=\"%u\">%s</text>\n",
			classes[i].letter, x, y, x + 18, y + 10, text);
		x += 40 + 13 * (unsigned)strlen(text) / 2;
	}
	fputs("</g>\n", out);
}

static void put_foot(const struct svg_writer *writer, unsigned y)
{
	const struct model_capture *capture = &writer->model->capture;
	FILE *out = writer->out;

	fprintf(out, "<text class=\"hint\" x=\"%u\" y=\"%u\"></text>\n", writer->layout->pad, y);
	fprintf(out, "<text class=\"sub\" x=\"%u\" y=\"%u\">", writer->layout->pad, y + 18);
	if (writer->left_out) {
		fprintf(out, "%s frame%s narrower than 0.1 px left out: ",
			text_grouped(writer->left_out).s, writer->left_out == 1 ? "" : "s");
		xml_put(out, text_share(writer->left_out_ns, writer->flame->total_ns).s);
		fputs(" of the time", out);
	}
	if (capture->events_lost)
		fprintf(out, "%s<tspan class=\"warn\">%s events were lost</tspan>",
			writer->left_out ? " · " : "", text_grouped(capture->events_lost).s);
	fputs("</text>\n", out);
}

/* Heading and subtitle. */
static int put_head(const struct svg_writer *writer)
{
	FILE *out = writer->out;
	int err;

	fprintf(out,
		"<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n"
		"<text class=\"title\" x=\"%u\" y=\"38\">",
		writer->layout->pad);
	err = put_heading(writer);
	fputs("</text>\n", out);
	err = err ? err : put_subtitle(writer);
	if (writer->flame->base)
		put_compared(writer);
	return err;
}

static int put_picture(struct svg_writer *writer)
{
	const struct svg_layout *layout = writer->layout;
	unsigned bottom, height;
	FILE *out = writer->out;
	int err = 0;

	writer->rows = 1;
	if (writer->flame->total_ns)
		measure(writer);
	bottom = layout->top + writer->rows * ROW;
	height = bottom + FOOT;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		"viewBox=\"0 0 %d %u\" data-pad=\"%u\" data-top=\"%u\" data-row=\"%d\"%s>\n",
		WIDTH, height, WIDTH, height, layout->pad, layout->top, ROW,
		layout->alone ? "" : " data-inside=\"\"");
	if (layout->alone) {
		fputs("<title>", out);
		err = put_heading(writer);
		fputs("</title>\n", out);
	}
	fprintf(out, "<style><![CDATA[\n%s]]></style>\n", style);
	if (layout->alone)
		err = err ? err : put_head(writer);
	if (writer->flame->base)
		svg_diff_put_legend(layout->pad, layout->top - 33, out);
	else
		put_legend(writer);
	if (!writer->flame->total_ns)
		fprintf(out,
			"<text class=\"sub\" x=\"%u\" y=\"%u\">The capture holds none.</text>\n",
			layout->pad, layout->top + 14);
	else
		err = err ? err : put_nodes(writer);
	put_foot(writer, bottom + 18);
	fprintf(out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", script);
	return err;
}

static int draw(const struct svg_layout *layout, const struct model *model,
		const struct flame *flame, FILE *out)
{
	struct svg_writer writer = {.out = out, .layout = layout, .model = model, .flame = flame};
	int err = svg_tree_build(&writer.tree, flame);

	if (!err)
		err = put_picture(&writer);
	if (!err && ferror(out))
		err = -EIO;
	svg_tree_free(&writer.tree);
	return err;
}

int emit_svg(const struct model *model, const struct flame *flame, FILE *out)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	return draw(flame->base ? &compared : &alone, model, flame, out);
}

int emit_svg_inside(const struct model *model, const struct flame *flame, FILE *out)
{
	return draw(&inside, model, flame, out);
}
