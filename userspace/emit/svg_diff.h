/* SPDX-License-Identifier: MIT */
/*
 * What the picture of a comparison has of its own: colours by change, and words about it. Weights
 * are compared per second of capture. Internal to emit.
 */
#ifndef POLLSCOPE_EMIT_SVG_DIFF_H
#define POLLSCOPE_EMIT_SVG_DIFF_H

#include <stdio.h>

#include "emit/svg_tree.h"

/* The CSS class of a node: d0 for much less than in the base, d3 for the same, d6 for much more. */
void svg_diff_put_class(const struct flame *flame, const struct svg_node *node, FILE *out);

/* Both weights of a node, and its change. */
void svg_diff_put_change(const struct flame *flame, const struct svg_node *node, FILE *out);

/* The change of all, the base's capture, and how much of it is in frames that are gone. */
void svg_diff_put_subtitle(const struct flame *flame, const struct svg_tree *tree, FILE *out);

void svg_diff_put_legend(unsigned x, unsigned y, FILE *out);

#endif
