// SPDX-License-Identifier: MIT
#include "emit/svg_diff.h"

#include <string.h>

#include "util/text.h"

#define SECOND 1000000000
#define SAME 3 /* the step in the middle */

/* Steps of change: the least that each takes, as a part of the larger weight. */
static const struct svg_step {
	double least;
	const char *shrank, *grew;
} steps[SAME] = {
	{0.05, "−5%", "+5%"},
	{0.20, "−20%", "+25%"},
	{0.50, "halved", "doubled or new"},
};

static uint64_t rate(const struct flame *flame, const struct svg_node *node)
{
	return flame_rate(node->ns, flame->duration_ns, SECOND);
}

static uint64_t base_rate(const struct flame *flame, const struct svg_node *node)
{
	return flame_rate(node->base_ns, flame->base->capture.duration_ns, SECOND);
}

void svg_diff_put_class(const struct flame *flame, const struct svg_node *node, FILE *out)
{
	double now = (double)rate(flame, node), then = (double)base_rate(flame, node);
	double change = now - then, larger = now > then ? now : then;
	int step = 0;

	while (step < SAME && larger > 0 &&
	       (change < 0 ? -change : change) >= steps[step].least * larger)
		step++;
	fprintf(out, "d%d", change < 0 ? SAME - step : SAME + step);
}

/* "+12.3ms, +45.6%" */
static void put_difference(uint64_t now, uint64_t then, FILE *out)
{
	uint64_t change = now > then ? now - then : then - now;
	const char *sign = now > then ? "+" : "−";

	if (now == then)
		fputs("the same", out);
	else if (!then)
		fputs("new", out);
	else if (now / 10 >= then)
		fprintf(out, "+%s, ×%s", text_duration(change).s, text_count(now / then).s);
	else
		fprintf(out, "%s%s, %s%.1f%%", sign, text_duration(change).s, sign,
			100.0 * (double)change / (double)then);
}

/* "456ms, in the base 312ms: +144ms, +46.2%" */
static void put_both(const struct flame *flame, const struct svg_node *node, FILE *out)
{
	uint64_t now = rate(flame, node), then = base_rate(flame, node);

	fprintf(out, "%s, in the base ", text_duration(now).s);
	fprintf(out, "%s: ", text_duration(then).s);
	put_difference(now, then, out);
}

void svg_diff_put_change(const struct flame *flame, const struct svg_node *node, FILE *out)
{
	fputs("a second: ", out);
	put_both(flame, node, out);
}

/* Of frames that only the base has, a second of its capture. */
static uint64_t gone(const struct flame *flame, const struct svg_tree *tree)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < tree->nnodes; i++) {
		const struct svg_node *node = &tree->nodes[i];

		/* What is beneath one that is gone is counted with it. */
		if (!node->ns && (node->parent == SVG_NONE || tree->nodes[node->parent].ns))
			ns += node->base_ns;
	}
	return flame_rate(ns, flame->base->capture.duration_ns, SECOND);
}

void svg_diff_put_subtitle(const struct flame *flame, const struct svg_tree *tree, FILE *out)
{
	const struct model_capture *capture = &flame->base->capture;

	fputs("Compared per second of capture: ", out);
	put_both(flame, &tree->nodes[0], out);
	fprintf(out, " · gone, so not drawn: %s of the base", text_duration(gone(flame, tree)).s);
	fprintf(out, " · base captured for %s", text_duration(capture->duration_ns).s);
	fprintf(out, " from %s", text_date(capture->start_unix_ns).s);
}

/* Columns of a word in UTF-8 times the width of the legend's font, and air. */
static unsigned put_key(int class, const char *text, unsigned x, unsigned y, FILE *out)
{
	fprintf(out,
		"<rect class=\"d%d\" x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" rx=\"3\"/>"
		"<text class=\"key\" x=\"%u\" y=\"%u\">%s</text>\n",
		class, x, y, x + 18, y + 10, text);
	return x + 36 + 7 * (unsigned)text_width(text);
}

void svg_diff_put_legend(unsigned x, unsigned y, FILE *out)
{
	fputs("<g class=\"legend\">\n", out);
	for (int i = SAME - 1; i >= 0; i--)
		x = put_key(SAME - 1 - i, steps[i].shrank, x, y, out);
	x = put_key(SAME, "the same", x, y, out);
	for (int i = 0; i < SAME; i++)
		x = put_key(SAME + 1 + i, steps[i].grew, x, y, out);
	fputs("</g>\n", out);
}
