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

#include "emit/svg_diff.h"
#include "emit/svg_head.h"
#include "emit/svg_tree.h"
#include "emit/xml.h"
#include "util/text.h"

#define WIDTH 1200
#define ROW 21
#define FOOT 44
#define MARGIN 4
#define COLUMN_HUNDREDTHS 725 /* of a pixel: what a character of the frames' font takes */
#define LEAST 10              /* hundredths: frames narrower than this are merged, or left out */
#define PIXEL 100
#define MOST_FRAMES 10000 /* if there are more, the narrowest of less than a pixel are, too */

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
static const struct svg_layout compared = {.pad = 24, .top = 130, .alone = true};
static const struct svg_layout inside = {.pad = 0, .top = 36, .alone = false};

struct svg_writer {
	FILE *out;
	const struct svg_layout *layout;
	const struct model *model;
	const struct flame *flame;
	struct svg_tree tree;
	unsigned least; /* hundredths of a pixel that a frame takes to be drawn */
	size_t narrow;  /* frames that take less */
	uint64_t narrow_ns;
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

static void put_title(const struct svg_writer *writer, const struct svg_node *node,
		      const char *name)
{
	FILE *out = writer->out;

	fputs("<title>", out);
	xml_put(out, name);
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

static int put_node(const struct svg_writer *writer, const struct svg_node *node, const char *name)
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
	put_title(writer, node, name);
	fputs("<rect class=\"", out);
	put_class(writer, node);
	fputs("\" width=\"", out);
	put_pixels(out, drawn);
	fprintf(out, "\" height=\"%d\" rx=\"2.5\"/>", ROW - 1);
	err = put_label(out, name, drawn);
	fputs("</g>\n", out);
	return err;
}

/* Of what takes less than a pixel as much is drawn as a browser bears: the widest. */
static void choose_least(struct svg_writer *writer)
{
	const struct svg_tree *tree = &writer->tree;
	size_t drawn = 0, all = 0, narrow[PIXEL] = {0};

	for (size_t i = 0; i < tree->nnodes; i++) {
		uint64_t width = scale(writer, tree->nodes[i].ns);

		all += tree->nodes[i].ns > 0;
		if (width < PIXEL)
			narrow[width]++;
		else
			drawn++;
	}
	writer->least = PIXEL;
	while (writer->least > LEAST && drawn + narrow[writer->least - 1] <= MOST_FRAMES)
		drawn += narrow[--writer->least];
	writer->narrow = all - drawn;
}

/* Makes one box of a frame and its siblings after it, which are not wider; returns the last of them. */
static size_t merge(const struct svg_tree *tree, size_t first, struct svg_node *box, size_t *merged)
{
	size_t last = first;

	*box = tree->nodes[first];
	box->frame = NULL;
	box->ns = box->base_ns = *merged = 0;
	for (size_t i = first; i != SVG_NONE; i = tree->nodes[i].sibling) {
		const struct svg_node *node = &tree->nodes[i];

		last = i;
		/* What only the base has is not drawn. */
		if (!node->ns)
			continue;
		box->ns += node->ns;
		box->base_ns += node->base_ns;
		++*merged;
	}
	return last;
}

/* Visits frames, and in the stead of narrow siblings one box, with how many it is made of. */
static int visit_boxes(struct svg_writer *writer,
		       int (*visit)(struct svg_writer *writer, const struct svg_node *box,
				    size_t merged))
{
	const struct svg_tree *tree = &writer->tree;
	int err = 0;

	for (size_t i = 0; !err && i != SVG_NONE;) {
		bool narrow = scale(writer, tree->nodes[i].ns) < writer->least;
		struct svg_node box = tree->nodes[i];
		size_t merged = 0;

		if (narrow)
			i = merge(tree, i, &box, &merged);
		err = visit(writer, &box, merged);
		i = svg_tree_next(tree, i, narrow);
	}
	return err;
}

static int measure_box(struct svg_writer *writer, const struct svg_node *box, size_t merged)
{
	if (merged)
		writer->narrow_ns += box->ns;
	if (scale(writer, box->ns) >= writer->least && box->depth >= writer->rows)
		writer->rows = box->depth + 1;
	return 0;
}

static int put_box(struct svg_writer *writer, const struct svg_node *box, size_t merged)
{
	char name[64];

	if (scale(writer, box->ns) < writer->least)
		return 0;
	if (!merged)
		return put_node(writer, box, box->frame ? box->frame->name : "all");
	snprintf(name, sizeof(name), "[%s narrower frames]", text_grouped(merged).s);
	return put_node(writer, box, name);
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
			classes[i].legend ? classes[i].legend : svg_head_root(writer->flame->by);

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

	fprintf(out, "<g class=\"foot\">\n<text class=\"hint\" x=\"%u\" y=\"%u\"></text>\n",
		writer->layout->pad, y);
	fprintf(out, "<text class=\"sub\" x=\"%u\" y=\"%u\">", writer->layout->pad, y + 18);
	if (writer->narrow) {
		fprintf(out, "%s frame%s narrower than %u.%02u px merged or left out: ",
			text_grouped(writer->narrow).s, writer->narrow == 1 ? "" : "s",
			writer->least / PIXEL, writer->least % PIXEL);
		xml_put(out, text_share(writer->narrow_ns, writer->flame->total_ns).s);
		fputs(" of the time", out);
	}
	if (capture->events_lost)
		fprintf(out, "%s<tspan class=\"warn\">%s events were lost</tspan>",
			writer->narrow ? " · " : "", text_grouped(capture->events_lost).s);
	fputs("</text>\n</g>\n", out);
}

static int put_picture(struct svg_writer *writer)
{
	const struct svg_layout *layout = writer->layout;
	unsigned bottom, height;
	FILE *out = writer->out;
	int err = 0;

	writer->rows = 1;
	if (writer->flame->total_ns) {
		choose_least(writer);
		visit_boxes(writer, measure_box);
	}
	bottom = layout->top + writer->rows * ROW;
	height = bottom + FOOT;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		"viewBox=\"0 0 %d %u\" data-pad=\"%u\" data-top=\"%u\" data-row=\"%d\"%s>\n",
		WIDTH, height, WIDTH, height, layout->pad, layout->top, ROW,
		layout->alone ? "" : " data-inside=\"\"");
	if (layout->alone) {
		fputs("<title>", out);
		err = svg_head_put_heading(writer->model, writer->flame, out);
		fputs("</title>\n", out);
	}
	fprintf(out, "<style><![CDATA[\n%s]]></style>\n", style);
	if (layout->alone) {
		fputs("<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n", out);
		err = err ? err
			  : svg_head_put(writer->model, writer->flame, &writer->tree, layout->pad,
					 out);
	}
	if (writer->flame->base)
		svg_diff_put_legend(layout->pad, layout->top - 33, out);
	else
		put_legend(writer);
	if (!writer->flame->total_ns)
		fprintf(out,
			"<text class=\"sub\" x=\"%u\" y=\"%u\">The capture holds no such "
			"time.</text>\n",
			layout->pad, layout->top + 14);
	else
		err = err ? err : visit_boxes(writer, put_box);
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
