// SPDX-License-Identifier: MIT
#include "emit/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct folded_line {
	char *stack;
	uint64_t us;
};

static char *join(const struct flame_stack *stack)
{
	size_t length = 0;
	char *line, *end;

	for (size_t i = 0; i < stack->nframes; i++)
		length += strlen(stack->frames[i]->name) + 1;
	line = malloc(length + 1);
	if (!line)
		return NULL;
	end = line;
	for (size_t i = 0; i < stack->nframes; i++) {
		if (i)
			*end++ = ';';
		end = stpcpy(end, stack->frames[i]->name);
	}
	return line;
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(((const struct folded_line *)left)->stack,
		      ((const struct folded_line *)right)->stack);
}

static int make_lines(const struct flame *flame, struct folded_line *lines)
{
	size_t n = flame->nstacks;
	uint64_t *ns = calloc(n + 1, sizeof(*ns)), *us = calloc(n + 1, sizeof(*us));
	uint64_t total_us = flame->total_ns / 1000 + (flame->total_ns % 1000 >= 500);
	int err = ns && us ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++)
		ns[i] = flame->stacks[i].ns;
	if (!err)
		err = flame_apportion(total_us, ns, n, us);
	for (size_t i = 0; !err && i < n; i++) {
		lines[i] = (struct folded_line){join(&flame->stacks[i]), us[i]};
		if (!lines[i].stack)
			err = -ENOMEM;
	}
	free(ns);
	free(us);
	return err;
}

int emit_folded(const struct flame *flame, FILE *out)
{
	struct folded_line *lines = calloc(flame->nstacks + 1, sizeof(*lines));
	int err = lines ? make_lines(flame, lines) : -ENOMEM;

	if (!err) {
		qsort(lines, flame->nstacks, sizeof(*lines), compare_lines);
		for (size_t i = 0; i < flame->nstacks; i++) {
			if (lines[i].us)
				fprintf(out, "%s %" PRIu64 "\n", lines[i].stack, lines[i].us);
		}
		if (ferror(out))
			err = -EIO;
	}
	for (size_t i = 0; lines && i < flame->nstacks; i++)
		free(lines[i].stack);
	free(lines);
	return err;
}
