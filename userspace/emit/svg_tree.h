/* SPDX-License-Identifier: MIT */
/* A flame's stacks as a tree of boxes. Internal to emit. */
#ifndef POLLSCOPE_EMIT_SVG_TREE_H
#define POLLSCOPE_EMIT_SVG_TREE_H

#include "emit/flame.h"

#define SVG_NONE SIZE_MAX

struct svg_node {
	const struct flame_frame *frame; /* NULL: the root, all there is */
	uint64_t start_ns, ns;           /* where its box begins, and how long it is */
	uint64_t base_ns;                /* what it weighs in the base; ns is 0 in only that */
	size_t parent, child, sibling;   /* indices; SVG_NONE: there is none */
	unsigned depth;
};

/* Nodes[0] is the root. Children are listed widest first, ties by name. */
struct svg_tree {
	struct svg_node *nodes;
	size_t nnodes;
};

/* Returns 0 or -ENOMEM; svg_tree_free() after either. */
int svg_tree_build(struct svg_tree *tree, const struct flame *flame);
void svg_tree_free(struct svg_tree *tree);

/* The node after `node` in preorder, without what is beneath it if `skip` is set; SVG_NONE at the
 * end. */
size_t svg_tree_next(const struct svg_tree *tree, size_t node, bool skip);

#endif
