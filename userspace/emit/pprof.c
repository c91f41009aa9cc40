// SPDX-License-Identifier: MIT
#include "emit/pprof.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "emit/pprof_tables.h"
#include "emit/quality.h"

/* In this order in each sample. */
enum value { ONCPU, OFFCPU, BLOCKED, VALUES };

PPROF_DEFINE_NEW(Sample, sample, Profile, sample)
PPROF_DEFINE_NEW(ValueType, value_type, Profile, sample_type)
PPROF_DEFINE_NEW(Label, label, Sample, label)

static int add_text(struct pprof_tables *tables, Pprof__Sample *sample, const char *key,
		    const char *text)
{
	Pprof__Label *label = new_label(sample);

	if (!label)
		return -ENOMEM;
	return pprof_tables_string(tables, key, &label->key) |
	       pprof_tables_string(tables, text, &label->str);
}

static int add_number(struct pprof_tables *tables, Pprof__Sample *sample, const char *key,
		      int64_t number)
{
	Pprof__Label *label = new_label(sample);

	if (!label)
		return -ENOMEM;
	label->num = number;
	return pprof_tables_string(tables, key, &label->key);
}

static int add_labels(struct pprof_tables *tables, Pprof__Sample *sample,
		      const struct model_weight *weight)
{
	const struct model *model = tables->model;
	const struct model_type *type = &model->types[weight->type];
	const char *cause = weight->kind == MODEL_WEIGHT_RUNQUEUE ? "run-queue" : weight->cause;
	int err = add_text(tables, sample, "task_type", type->name);

	if (!err && *type->location)
		err = add_text(tables, sample, "task_location", type->location);
	if (!err && cause)
		err = add_text(tables, sample, "cause", cause);
	if (!err)
		err = add_number(tables, sample, "pid",
				 model->processes[model->sources[type->source].process].pid);
	return err;
}

static int add_stack(struct pprof_tables *tables, Pprof__Sample *sample, uint32_t index)
{
	const struct model_stack none = {0};
	const struct model_stack *stack =
		index < tables->model->nstacks ? &tables->model->stacks[index] : &none;
	uint32_t n = (uint32_t)stack->nkernel + stack->nuser;
	int err = 0;

	sample->location_id = calloc(n + 1, sizeof(*sample->location_id));
	if (!sample->location_id)
		return -ENOMEM;
	sample->n_location_id = n ? n : 1;
	if (!n)
		return pprof_tables_no_stack(tables, sample->location_id);
	for (uint32_t i = 0; !err && i < n; i++)
		err = pprof_tables_location(tables, stack, i, &sample->location_id[i]);
	return err;
}

static int add_sample(struct pprof_tables *tables, const struct model_weight *weight)
{
	Pprof__Sample *sample = new_sample(tables->profile);
	bool on_cpu = weight->kind == MODEL_WEIGHT_ON_CPU;

	if (!sample)
		return -ENOMEM;
	sample->value = calloc(VALUES, sizeof(*sample->value));
	if (!sample->value)
		return -ENOMEM;
	sample->n_value = VALUES;
	sample->value[on_cpu ? ONCPU : OFFCPU] = (int64_t)weight->ns;
	if (weight->kind == MODEL_WEIGHT_BLOCKED)
		sample->value[BLOCKED] = (int64_t)weight->count;
	return add_stack(tables, sample, weight->stack) || add_labels(tables, sample, weight)
		       ? -ENOMEM
		       : 0;
}

/* Whether it is time inside a poll, which these profiles are about. */
static bool is_polling(enum model_weight_kind kind)
{
	switch (kind) {
	case MODEL_WEIGHT_ON_CPU:
	case MODEL_WEIGHT_BLOCKED:
	case MODEL_WEIGHT_RUNQUEUE:
		return true;
	case MODEL_WEIGHT_SCHEDULED:
	case MODEL_WEIGHT_IDLE:
		break;
	}
	return false;
}

static int add_value_type(struct pprof_tables *tables, const char *name, const char *unit)
{
	Pprof__ValueType *type = new_value_type(tables->profile);

	if (!type)
		return -ENOMEM;
	return pprof_tables_string(tables, name, &type->type) |
	       pprof_tables_string(tables, unit, &type->unit);
}

struct comments {
	struct pprof_tables *tables;
	int err;
};

static void add_comment(void *context, const char *text)
{
	struct comments *comments = context;
	Pprof__Profile *profile = comments->tables->profile;
	size_t n = profile->n_comment;
	int64_t *grown;

	if (comments->err || !*text)
		return;
	grown = reallocarray(profile->comment, n + 1, sizeof(*grown));
	if (!grown) {
		comments->err = -ENOMEM;
		return;
	}
	profile->comment = grown;
	profile->n_comment = n + 1;
	comments->err = pprof_tables_string(comments->tables, text, &grown[n]);
}

/* What made it, and how far it is to be trusted: pprof shows it above its tables. */
static int add_comments(struct pprof_tables *tables)
{
	const struct model *model = tables->model;
	struct comments comments = {.tables = tables};

	add_comment(&comments, model->capture.command_line);
	if (model->capture.estimated)
		add_comment(&comments, quality_sampling(model).s);
	quality_warnings(model, add_comment, &comments);
	return comments.err;
}

static int add_head(struct pprof_tables *tables)
{
	const struct model_capture *capture = &tables->model->capture;
	Pprof__Profile *profile = tables->profile;

	profile->time_nanos = (int64_t)capture->start_unix_ns;
	profile->duration_nanos = (int64_t)capture->duration_ns;
	profile->period = (int64_t)capture->sample_period_ns;
	profile->period_type = malloc(sizeof(*profile->period_type));
	if (!profile->period_type)
		return -ENOMEM;
	pprof__value_type__init(profile->period_type);
	return add_value_type(tables, "oncpu", "nanoseconds") |
	       add_value_type(tables, "offcpu", "nanoseconds") |
	       add_value_type(tables, "blocked", "count") |
	       pprof_tables_string(tables, "oncpu", &profile->default_sample_type) |
	       pprof_tables_string(tables, "cpu", &profile->period_type->type) |
	       pprof_tables_string(tables, "nanoseconds", &profile->period_type->unit) |
	       add_comments(tables);
}

/* Writes the bytes as a gzip file. */
static int write_gzip(uint8_t *bytes, size_t size, FILE *out)
{
	enum { GZIP = 16, DEFAULT_MEMORY = 8 };
	unsigned char packed[1 << 14];
	z_stream z = {.next_in = bytes, .avail_in = (uInt)size};
	int state;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, DEFAULT_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	do {
		z.next_out = packed;
		z.avail_out = sizeof(packed);
		state = deflate(&z, Z_FINISH);
		fwrite(packed, 1, sizeof(packed) - z.avail_out, out);
	} while (state == Z_OK && !ferror(out));
	deflateEnd(&z);
	return ferror(out) ? -EIO : 0;
}

static int write_profile(const Pprof__Profile *profile, FILE *out)
{
	size_t size = pprof__profile__get_packed_size(profile);
	uint8_t *bytes = size <= UINT32_MAX ? malloc(size) : NULL;
	int err;

	if (!bytes)
		return -ENOMEM;
	pprof__profile__pack(profile, bytes);
	err = write_gzip(bytes, size, out);
	free(bytes);
	return err;
}

int emit_pprof(const struct model *model, FILE *out)
{
	struct pprof_tables tables;
	int err = pprof_tables_init(&tables, model);

	if (!err)
		err = add_head(&tables);
	for (size_t i = 0; !err && i < model->nweights; i++) {
		if (is_polling(model->weights[i].kind))
			err = add_sample(&tables, &model->weights[i]);
	}
	if (!err)
		err = write_profile(tables.profile, out);
	pprof_tables_release(&tables);
	return err;
}
