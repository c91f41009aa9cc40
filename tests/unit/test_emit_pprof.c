// SPDX-License-Identifier: MIT
// links: emit core util -lprotobuf-c -lz -ljansson
/* Profiles for pprof: what samples, locations and mappings say, and that their sums are the model's. */
#include <errno.h>
#include <inttypes.h>
#include <zlib.h>

#include "emit/pprof.h"
#include "golden.h"
#include "pprof.pb-c.h"
#include "sample_model.h"

/* Room for the sample model's. */
#define PROFILE_MAX (1 << 16)

/* To be freed by pprof__profile__free_unpacked(). */
static Pprof__Profile *profile_of(const struct model *model)
{
	static unsigned char bytes[PROFILE_MAX];
	char *packed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&packed, &size);
	z_stream z = {.next_out = bytes, .avail_out = sizeof(bytes)};
	Pprof__Profile *profile;

	assert_int_equal(emit_pprof(model, out), 0);
	fclose(out);
	z.next_in = (unsigned char *)packed;
	z.avail_in = size;
	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
	profile = pprof__profile__unpack(NULL, sizeof(bytes) - z.avail_out, bytes);
	assert_non_null(profile);
	free(packed);
	return profile;
}

static const char *text_of(const Pprof__Profile *profile, int64_t index)
{
	assert_in_range(index, 0, profile->n_string_table - 1);
	return profile->string_table[index];
}

/* ---- as text ---- */

static void print_mappings(const Pprof__Profile *profile, FILE *out)
{
	for (size_t i = 0; i < profile->n_mapping; i++) {
		const Pprof__Mapping *m = profile->mapping[i];

		assert_int_equal(m->id, i + 1);
		fprintf(out,
			"mapping %" PRIu64 " 0x%" PRIx64 "-0x%" PRIx64 " +0x%" PRIx64
			" %s [%s]%s%s%s%s\n",
			m->id, m->memory_start, m->memory_limit, m->file_offset,
			text_of(profile, m->filename), text_of(profile, m->build_id),
			m->has_functions ? " functions" : "", m->has_filenames ? " files" : "",
			m->has_line_numbers ? " lines" : "", m->has_inline_frames ? " inline" : "");
	}
}

static void print_locations(const Pprof__Profile *profile, FILE *out)
{
	for (size_t i = 0; i < profile->n_location; i++) {
		const Pprof__Location *l = profile->location[i];

		assert_int_equal(l->id, i + 1);
		assert_in_range(l->mapping_id, 0, profile->n_mapping);
		fprintf(out, "location %" PRIu64 " mapping %" PRIu64 " 0x%" PRIx64, l->id,
			l->mapping_id, l->address);
		for (size_t k = 0; k < l->n_line; k++) {
			const Pprof__Function *f;

			assert_in_range(l->line[k]->function_id, 1, profile->n_function);
			f = profile->function[l->line[k]->function_id - 1];
			fprintf(out, "%s %s", k ? " in" : "", text_of(profile, f->name));
			if (f->filename)
				fprintf(out, " %s:%" PRId64, text_of(profile, f->filename),
					l->line[k]->line);
		}
		fputc('\n', out);
	}
}

static void print_samples(const Pprof__Profile *profile, FILE *out)
{
	for (size_t i = 0; i < profile->n_sample; i++) {
		const Pprof__Sample *s = profile->sample[i];

		fprintf(out, "sample");
		for (size_t k = 0; k < s->n_value; k++)
			fprintf(out, " %" PRId64, s->value[k]);
		for (size_t k = 0; k < s->n_label; k++) {
			fprintf(out, " %s=", text_of(profile, s->label[k]->key));
			if (s->label[k]->str)
				fprintf(out, "%s", text_of(profile, s->label[k]->str));
			else
				fprintf(out, "%" PRId64, s->label[k]->num);
		}
		fprintf(out, " at");
		for (size_t k = 0; k < s->n_location_id; k++) {
			assert_in_range(s->location_id[k], 1, profile->n_location);
			fprintf(out, " %" PRIu64, s->location_id[k]);
		}
		fputc('\n', out);
	}
}

static void profile_is_as_documented(void **state)
{
	const struct model model = sample_model();
	Pprof__Profile *profile = profile_of(&model);
	struct golden_stream stream;
	FILE *out = golden_open(&stream);
	char *text;

	(void)state;
	for (size_t i = 0; i < profile->n_sample_type; i++)
		fprintf(out, "type %s %s\n", text_of(profile, profile->sample_type[i]->type),
			text_of(profile, profile->sample_type[i]->unit));
	fprintf(out, "default %s, every %" PRId64 " %s of %s\n",
		text_of(profile, profile->default_sample_type), profile->period,
		text_of(profile, profile->period_type->unit),
		text_of(profile, profile->period_type->type));
	fprintf(out, "from %" PRId64 " for %" PRId64 ": %s\n", profile->time_nanos,
		profile->duration_nanos, text_of(profile, profile->comment[0]));
	for (size_t i = 1; i < profile->n_comment; i++)
		fprintf(out, "comment %s\n", text_of(profile, profile->comment[i]));
	print_mappings(profile, out);
	print_locations(profile, out);
	print_samples(profile, out);
	text = golden_close(&stream);
	golden_check("profile.pprof.txt", text);
	free(text);
	pprof__profile__free_unpacked(profile, NULL);
}

/* ---- what holds of it ---- */

static void values_sum_to_the_model(void **state)
{
	const struct model model = sample_model();
	Pprof__Profile *profile = profile_of(&model);
	int64_t sums[3] = {0}, off = 0, sleeps = 0;

	(void)state;
	for (size_t i = 0; i < profile->n_sample; i++)
		for (size_t k = 0; k < 3; k++)
			sums[k] += profile->sample[i]->value[k];
	for (size_t i = 0; i < model.ntypes; i++)
		off += model.types[i].times.blocked_ns + model.types[i].times.runqueue_ns;
	for (size_t i = 0; i < model.nweights; i++)
		sleeps +=
			model.weights[i].kind == MODEL_WEIGHT_BLOCKED ? model.weights[i].count : 0;
	assert_int_equal(sums[0], 601 * SAMPLE_PERIOD_NS);
	assert_int_equal(sums[1], off);
	assert_int_equal(sums[2], sleeps);
	pprof__profile__free_unpacked(profile, NULL);
}

/* pprof takes it that a table names each thing once. */
static void tables_are_distinct(void **state)
{
	const struct model model = sample_model();
	Pprof__Profile *p = profile_of(&model);

	(void)state;
	assert_string_equal(p->string_table[0], "");
	for (size_t i = 0; i < p->n_string_table; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p->string_table[i], p->string_table[k]);
	for (size_t i = 0; i < p->n_function; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(p->function[i]->name != p->function[k]->name ||
				    p->function[i]->filename != p->function[k]->filename);
	for (size_t i = 0; i < p->n_location; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(p->location[i]->address != p->location[k]->address ||
				    p->location[i]->mapping_id != p->location[k]->mapping_id);
	pprof__profile__free_unpacked(p, NULL);
}

/* That pprof may look it up in the binary, by address and build id. */
static void code_without_a_name_stays_an_address(void **state)
{
	struct model model = sample_model();
	struct model_symbol symbols[COUNT(sample_symbols)];
	struct model_frame unknown = {"[demo-server+0x1700]", "", 0};
	Pprof__Profile *profile;

	(void)state;
	memcpy(symbols, sample_symbols, sizeof(symbols));
	for (size_t i = 0; i < COUNT(symbols); i++) {
		symbols[i].nframes = 1;
		symbols[i].frames = &unknown;
	}
	model.symbols = symbols;
	profile = profile_of(&model);
	assert_int_equal(profile->location[0]->address, 0x401700);
	assert_int_equal(profile->location[0]->n_line, 0);
	assert_int_equal(profile->location[0]->mapping_id, 1);
	assert_false(profile->mapping[0]->has_functions);
	pprof__profile__free_unpacked(profile, NULL);
}

static void estimated_profile_says_so(void **state)
{
	struct model model = sample_model();
	Pprof__Profile *profile;

	(void)state;
	model.capture.estimated = true;
	model.capture.sampled_one_in = 16;
	profile = profile_of(&model);
	assert_true(profile->n_comment > 1);
	assert_non_null(strstr(text_of(profile, profile->comment[1]),
			       "estimated: one poll in 16 was timed"));
	pprof__profile__free_unpacked(profile, NULL);
}

static void empty_model_is_a_profile_without_samples(void **state)
{
	struct model model = {.capture = {.command_line = "", .end_reason = EVENT_END_DURATION}};
	Pprof__Profile *profile = profile_of(&model);

	(void)state;
	assert_int_equal(profile->n_sample, 0);
	assert_int_equal(profile->n_sample_type, 3);
	assert_int_equal(profile->n_comment, 0);
	pprof__profile__free_unpacked(profile, NULL);
}

static void failed_write_is_told(void **state)
{
	const struct model model = sample_model();
	FILE *full = golden_full();

	(void)state;
	assert_int_equal(emit_pprof(&model, full), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_is_as_documented),
		cmocka_unit_test(values_sum_to_the_model),
		cmocka_unit_test(tables_are_distinct),
		cmocka_unit_test(code_without_a_name_stays_an_address),
		cmocka_unit_test(estimated_profile_says_so),
		cmocka_unit_test(empty_model_is_a_profile_without_samples),
		cmocka_unit_test(failed_write_is_told),
	};

	return cmocka_run_group_tests_name("emit_pprof", tests, NULL, NULL);
}
