/* SPDX-License-Identifier: MIT */
/* The words above a flame graph. Internal to emit. */
#ifndef POLLSCOPE_EMIT_SVG_HEAD_H
#define POLLSCOPE_EMIT_SVG_HEAD_H

#include <stdio.h>

#include "emit/svg_tree.h"

/* What a root of the flame is. */
const char *svg_head_root(enum flame_by by);

/* Whose time is shown, of what kind: text, without an element around it. Returns 0 or -ENOMEM. */
int svg_head_put_heading(const struct model *model, const struct flame *flame, FILE *out);

/* The heading and what is to be known of the capture, or both captures, as a group at x. Returns 0 or -ENOMEM. */
int svg_head_put(const struct model *model, const struct flame *flame, const struct svg_tree *tree,
		 unsigned x, FILE *out);

#endif
