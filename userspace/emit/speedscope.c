// SPDX-License-Identifier: MIT
#include "emit/speedscope.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#include "emit/flame.h"
#include "emit/json.h"
#include "emit/names.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct frame_number {
	const struct flame_frame *frame;
	size_t number;
	UT_hash_handle hh;
};

/* Stacks with the same root, which stand together: a task type's. */
struct root {
	size_t first, n;
	uint64_t ns;
};

struct speedscope {
	const struct flame *flame;
	FILE *out;
	struct frame_number *numbers; /* in their order */
	struct root *roots;           /* heaviest first */
	size_t nroots;
};

static int number_frames(struct speedscope *s, const struct flame_stack *stack)
{
	for (size_t i = 0; i < stack->nframes; i++) {
		struct frame_number *number;

		HASH_FIND_PTR(s->numbers, &stack->frames[i], number);
		if (number)
			continue;
		number = malloc(sizeof(*number));
		if (!number)
			return -ENOMEM;
		number->frame = stack->frames[i];
		number->number = HASH_COUNT(s->numbers);
		HASH_ADD_PTR(s->numbers, frame, number);
	}
	return 0;
}

/* By name where they weigh the same, which is the order that they have. */
static int compare_roots(const void *left, const void *right)
{
	const struct root *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns < b->ns ? 1 : -1;
	return (a->first > b->first) - (a->first < b->first);
}

static int number_stacks(struct speedscope *s)
{
	const struct flame *flame = s->flame;
	int err = 0;

	s->roots = calloc(flame->nstacks + 1, sizeof(*s->roots));
	if (!s->roots)
		return -ENOMEM;
	for (size_t i = 0; !err && i < flame->nstacks; i++) {
		const struct flame_stack *stack = &flame->stacks[i];

		if (!i || stack->frames[0] != flame->stacks[i - 1].frames[0])
			s->roots[s->nroots++].first = i;
		s->roots[s->nroots - 1].n++;
		s->roots[s->nroots - 1].ns += stack->ns;
		err = number_frames(s, stack);
	}
	qsort(s->roots, s->nroots, sizeof(*s->roots), compare_roots);
	return err;
}

static int print_frames(const struct speedscope *s)
{
	struct frame_number *number, *next;
	int err = 0;

	fputs("  \"shared\": {\"frames\": [", s->out);
	HASH_ITER (hh, s->numbers, number, next) {
		fputs(number->number ? ",\n    {\"name\": " : "\n    {\"name\": ", s->out);
		if (!err)
			err = emit_json_print_text(number->frame->given, s->out);
		fputc('}', s->out);
	}
	fputs("\n  ]},\n", s->out);
	return err;
}

static void print_stack(const struct speedscope *s, const struct flame_stack *stack)
{
	for (size_t i = 0; i < stack->nframes; i++) {
		struct frame_number *number;

		HASH_FIND_PTR(s->numbers, &stack->frames[i], number);
		fprintf(s->out, "%s%zu", i ? "," : "[", number->number);
	}
	fputc(']', s->out);
}

static int print_profile(const struct speedscope *s, const char *name, const struct root *root)
{
	const struct flame_stack *stacks = &s->flame->stacks[root->first];
	int err;

	fputs("    {\"type\": \"sampled\", \"name\": ", s->out);
	err = emit_json_print_text(name, s->out);
	fprintf(s->out,
		", \"unit\": \"nanoseconds\", \"startValue\": 0, \"endValue\": %" PRIu64
		",\n     \"samples\": [",
		root->ns);
	for (size_t i = 0; i < root->n; i++) {
		fputs(i ? ",\n       " : "\n       ", s->out);
		print_stack(s, &stacks[i]);
	}
	fputs("],\n     \"weights\": [", s->out);
	for (size_t i = 0; i < root->n; i++)
		fprintf(s->out, "%s%" PRIu64, i ? "," : "", stacks[i].ns);
	fputs("]}", s->out);
	return err;
}

static int print_profiles(const struct speedscope *s)
{
	const struct root all = {.n = s->flame->nstacks, .ns = s->flame->total_ns};
	int err;

	fputs("  \"profiles\": [\n", s->out);
	err = print_profile(s, "all task types", &all);
	for (size_t i = 0; !err && i < s->nroots; i++) {
		fputs(",\n", s->out);
		err = print_profile(s, s->flame->stacks[s->roots[i].first].frames[0]->given,
				    &s->roots[i]);
	}
	fputs("\n  ]\n}\n", s->out);
	return err;
}

static int print_document(struct speedscope *s, const struct model *model)
{
	const struct model_process *target = emit_target(model);
	char *name;
	int err;

	fputs("{\n  \"$schema\": \"" SCHEMA "\",\n  \"exporter\": \"pollscope\",\n  \"name\": ",
	      s->out);
	if (asprintf(&name, "%s: time inside polls%s", target ? target->comm : "pollscope",
		     model->capture.estimated ? ", estimated" : "") < 0)
		return -ENOMEM;
	err = emit_json_print_text(name, s->out);
	free(name);
	fputs(",\n  \"activeProfileIndex\": 0,\n", s->out);
	if (!err)
		err = print_frames(s);
	if (!err)
		err = print_profiles(s);
	return err;
}

int emit_speedscope(const struct model *model, FILE *out)
{
	struct flame *flame = flame_new(model, FLAME_WALL, FLAME_BY_TYPE);
	struct speedscope s = {.flame = flame, .out = out};
	struct frame_number *number, *next;
	int err = flame ? number_stacks(&s) : -ENOMEM;

	if (!err)
		err = print_document(&s, model);
	if (!err && ferror(out))
		err = -EIO;
	HASH_ITER (hh, s.numbers, number, next) {
		HASH_DEL(s.numbers, number);
		free(number);
	}
	free(s.roots);
	flame_free(flame);
	return err;
}
