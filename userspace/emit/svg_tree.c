// SPDX-License-Identifier: MIT
#include "emit/svg_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tree_builder {
	struct svg_tree *tree;
	size_t capacity;
};

static size_t add_node(struct tree_builder *builder, size_t parent, const struct flame_frame *frame)
{
	struct svg_tree *tree = builder->tree;
	struct svg_node *node;

	if (tree->nnodes == builder->capacity) {
		size_t capacity = builder->capacity ? 2 * builder->capacity : 1024;
		void *nodes = reallocarray(tree->nodes, capacity, sizeof(*tree->nodes));

		if (!nodes)
			return SVG_NONE;
		tree->nodes = nodes;
		builder->capacity = capacity;
	}
	node = &tree->nodes[tree->nnodes];
	*node = (struct svg_node){
		.frame = frame, .parent = parent, .child = SVG_NONE, .sibling = SVG_NONE};
	if (parent != SVG_NONE) {
		node->depth = tree->nodes[parent].depth + 1;
		node->sibling = tree->nodes[parent].child;
		tree->nodes[parent].child = tree->nnodes;
	}
	return tree->nnodes++;
}

/*
 * Stacks are sorted: one shares its beginning with the one before it, or with none. A node's newest
 * child is therefore the only one that can be meant again.
 */
static int add_stack(struct tree_builder *builder, const struct flame_stack *stack)
{
	struct svg_tree *tree = builder->tree;
	size_t node = 0;

	tree->nodes[0].ns += stack->ns;
	tree->nodes[0].base_ns += stack->base_ns;
	for (size_t i = 0; i < stack->nframes; i++) {
		size_t child = tree->nodes[node].child;

		if (child == SVG_NONE || tree->nodes[child].frame != stack->frames[i])
			child = add_node(builder, node, stack->frames[i]);
		if (child == SVG_NONE)
			return -ENOMEM;
		tree->nodes[child].ns += stack->ns;
		tree->nodes[child].base_ns += stack->base_ns;
		node = child;
	}
	return 0;
}

static int compare_nodes(const void *left, const void *right, void *data)
{
	const struct svg_node *nodes = data;
	size_t a = *(const size_t *)left, b = *(const size_t *)right;

	if (nodes[a].ns != nodes[b].ns)
		return nodes[a].ns < nodes[b].ns ? 1 : -1;
	/* Nodes were made in the order of names. */
	return a < b ? -1 : 1;
}

/* Sorts the children of a node and places them side by side. scratch has room for all nodes. */
static void place_children(struct svg_tree *tree, size_t node, size_t *scratch)
{
	uint64_t start = tree->nodes[node].start_ns;
	size_t n = 0;

	for (size_t child = tree->nodes[node].child; child != SVG_NONE;
	     child = tree->nodes[child].sibling)
		scratch[n++] = child;
	if (!n)
		return;
	qsort_r(scratch, n, sizeof(*scratch), compare_nodes, tree->nodes);
	tree->nodes[node].child = scratch[0];
	for (size_t i = 0; i < n; i++) {
		tree->nodes[scratch[i]].sibling = i + 1 < n ? scratch[i + 1] : SVG_NONE;
		tree->nodes[scratch[i]].start_ns = start;
		start += tree->nodes[scratch[i]].ns;
	}
}

int svg_tree_build(struct svg_tree *tree, const struct flame *flame)
{
	struct tree_builder builder = {.tree = tree};
	size_t *scratch;
	int err = 0;

	*tree = (struct svg_tree){0};
	if (add_node(&builder, SVG_NONE, NULL) == SVG_NONE)
		return -ENOMEM;
	for (size_t i = 0; !err && i < flame->nstacks; i++)
		err = add_stack(&builder, &flame->stacks[i]);
	if (err)
		return err;
	scratch = calloc(tree->nnodes, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	/* A parent has a lesser index than its children, so it has been placed before them. */
	for (size_t i = 0; i < tree->nnodes; i++)
		place_children(tree, i, scratch);
	free(scratch);
	return 0;
}

void svg_tree_free(struct svg_tree *tree)
{
	free(tree->nodes);
}

size_t svg_tree_next(const struct svg_tree *tree, size_t node, bool skip)
{
	if (!skip && tree->nodes[node].child != SVG_NONE)
		return tree->nodes[node].child;
	while (node != SVG_NONE && tree->nodes[node].sibling == SVG_NONE)
		node = tree->nodes[node].parent;
	return node == SVG_NONE ? SVG_NONE : tree->nodes[node].sibling;
}
