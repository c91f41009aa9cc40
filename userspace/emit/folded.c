// SPDX-License-Identifier: MIT
#include "emit/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct folded_line {
	char *stack;
	uint64_t us;
	uint64_t base_us; /* of a comparison; both are a second of capture then */
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

/* In microseconds; of a comparison, in those of a second of capture. */
static uint64_t total_us(const struct flame *flame)
{
	if (flame->base)
		return flame_rate(flame->total_ns, flame->duration_ns, 1000000);
	return flame->total_ns / 1000 + (flame->total_ns % 1000 >= 500);
}

static int make_lines(const struct flame *flame, struct folded_line *lines)
{
	uint64_t duration = flame->base ? flame->base->capture.duration_ns : 1;
	size_t n = flame->nstacks;
	uint64_t *ns = calloc(n + 1, sizeof(*ns)), *us = calloc(n + 1, sizeof(*us));
	uint64_t *base_us = calloc(n + 1, sizeof(*base_us));
	int err = ns && us && base_us ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++)
		ns[i] = flame->stacks[i].ns;
	if (!err)
		err = flame_apportion(total_us(flame), ns, n, us);
	for (size_t i = 0; !err && i < n; i++)
		ns[i] = flame->stacks[i].base_ns;
	if (!err)
		err = flame_apportion(flame_rate(flame->base_total_ns, duration, 1000000), ns, n,
				      base_us);
	for (size_t i = 0; !err && i < n; i++) {
		lines[i] = (struct folded_line){join(&flame->stacks[i]), us[i], base_us[i]};
		if (!lines[i].stack)
			err = -ENOMEM;
	}
	free(ns);
	free(us);
	free(base_us);
	return err;
}

static void put_line(const struct flame *flame, const struct folded_line *line, FILE *out)
{
	if (!line->us && !line->base_us)
		return;
	fputs(line->stack, out);
	if (flame->base)
		fprintf(out, " %" PRIu64, line->base_us);
	fprintf(out, " %" PRIu64 "\n", line->us);
}

int emit_folded(const struct flame *flame, FILE *out)
{
	struct folded_line *lines = calloc(flame->nstacks + 1, sizeof(*lines));
	int err = lines ? make_lines(flame, lines) : -ENOMEM;

	if (!err) {
		qsort(lines, flame->nstacks, sizeof(*lines), compare_lines);
		for (size_t i = 0; i < flame->nstacks; i++)
			put_line(flame, &lines[i], out);
		if (ferror(out))
			err = -EIO;
	}
	for (size_t i = 0; lines && i < flame->nstacks; i++)
		free(lines[i].stack);
	free(lines);
	return err;
}
