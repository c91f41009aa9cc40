/* SPDX-License-Identifier: MIT */
#ifndef POLLSCOPE_EMIT_SVG_H
#define POLLSCOPE_EMIT_SVG_H

#include <stdio.h>

#include "emit/flame.h"

/*
 * Draws a flame as one self-contained SVG file: root at the top, widest first. Its script only
 * reads what the file holds as text; without scripts it is a still picture. A comparison has the
 * widths of its own capture, and colours by what changed since the base's. Returns 0, -ENOMEM or -EIO.
 */
int emit_svg(const struct model *model, const struct flame *flame, FILE *out);

/*
 * The same as an element of an HTML page, without heading and search box: it searches for the regular
 * expression (null: nothing) that an event "search" brings in its detail.
 */
int emit_svg_inside(const struct model *model, const struct flame *flame, FILE *out);

#endif
