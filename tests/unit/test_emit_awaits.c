// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* A type's idle time by await point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emit/awaits.h"
#include "sample_model.h"

/* Of the sample's first type, with these weights of its own instead. */
static struct emit_awaits awaits_of(struct model *model, struct model_weight *weights, size_t n)
{
	struct emit_awaits awaits;

	model->weights = weights;
	model->nweights = n;
	assert_int_equal(emit_awaits(model, 0, &awaits), 0);
	return awaits;
}

static struct model_weight weight_of(uint64_t task, uint32_t stack, uint64_t count, uint64_t ns)
{
	return (struct model_weight){.kind = MODEL_WEIGHT_IDLE,
				     .task = task,
				     .stack = stack,
				     .count = count,
				     .ns = ns,
				     .whole_ns = ns};
}

static void shares_are_of_the_types_idle_time(void **state)
{
	const struct model model = sample_model();

	(void)state;
	for (uint32_t type = 0; type < model.ntypes; type++) {
		struct emit_awaits awaits;
		uint64_t idle_ns = 0;

		assert_int_equal(emit_awaits(&model, type, &awaits), 0);
		for (size_t i = 0; i < awaits.count; i++) {
			idle_ns += awaits.list[i].idle_ns;
			assert_true(!i || awaits.list[i - 1].idle_ns >= awaits.list[i].idle_ns);
		}
		if (type == 2)
			assert_int_equal(awaits.count, 0);
		else
			assert_int_equal(idle_ns, model.types[type].times.idle_ns);
		emit_awaits_clear(&awaits);
	}
}

/* By other ways to the same line, of other tasks: what weighs most is shown. */
static void stacks_of_one_place_are_one(void **state)
{
	uint64_t other[] = {0x401d00, 0x401b00, 0x401900, 0x401400};
	struct model_stack stacks[] = {{0, 0, 4, frames_wait_request}, {0, 0, 4, other}};
	struct model_weight weights[] = {weight_of(1, 0, 2, 20), weight_of(1, 1, 1, 30),
					 weight_of(2, 0, 3, 5)};
	struct model model = sample_model();
	struct emit_awaits awaits;

	(void)state;
	model.stacks = stacks;
	model.nstacks = COUNT(stacks);
	awaits = awaits_of(&model, weights, COUNT(weights));
	assert_int_equal(awaits.count, 1);
	assert_string_equal(awaits.list[0].function, "read_request");
	assert_string_equal(awaits.list[0].location, "server.c:95");
	assert_string_equal(awaits.list[0].leaf, "pollrt_write_all");
	assert_int_equal(awaits.list[0].count, 6);
	assert_int_equal(awaits.list[0].sampled_ns, 55);
	assert_int_equal(awaits.list[0].stack, 1);
	emit_awaits_clear(&awaits);
}

static void without_lines_places_are_told_apart_by_what_they_await(void **state)
{
	struct model_weight weights[] = {weight_of(0, 6, 1, 10), weight_of(0, 8, 1, 30)};
	struct model_symbol symbols[COUNT(sample_symbols)];
	struct model_frame nowhere = {"serve", "", 0};
	struct model model = sample_model();
	struct emit_awaits awaits;

	(void)state;
	memcpy(symbols, sample_symbols, sizeof(symbols));
	for (size_t i = 0; i < COUNT(symbols); i++) {
		if (symbols[i].frames == symbol_handle || symbols[i].frames == symbol_read_request)
			symbols[i].frames = &nowhere;
	}
	model.symbols = symbols;
	awaits = awaits_of(&model, weights, COUNT(weights));
	assert_int_equal(awaits.count, 2);
	assert_string_equal(awaits.list[0].function, "serve");
	assert_string_equal(awaits.list[0].location, "");
	assert_string_equal(awaits.list[0].leaf, "pollrt_write_all");
	assert_string_equal(awaits.list[1].leaf, "pollrt_read");
	emit_awaits_clear(&awaits);
}

/* The third is by the same way as the first until it is in a library's code, as far as can be seen. */
static void stripped_stacks_part_at_their_places(void **state)
{
	uint64_t first[] = {0x402900, 0x402200, 0x402100},
		 second[] = {0x402900, 0x402300, 0x402100};
	uint64_t third[] = {0x402a00, 0x402200, 0x402100};
	struct model_stack stacks[] = {{0, 0, 3, first}, {0, 0, 3, second}, {0, 0, 3, third}};
	struct model_weight weights[] = {weight_of(0, 0, 1, 10), weight_of(0, 1, 1, 30),
					 weight_of(0, 2, 1, 1)};
	struct model_weight same[] = {weight_of(1, 0, 1, 10), weight_of(2, 0, 1, 30)};
	struct model model = sample_model();
	struct emit_awaits awaits;
	char **functions;

	(void)state;
	model.stacks = stacks;
	model.nstacks = COUNT(stacks);
	awaits = awaits_of(&model, weights, COUNT(weights));
	assert_int_equal(awaits.count, 2);
	assert_string_equal(awaits.list[0].function, "demo-server+0x2300");
	assert_string_equal(awaits.list[1].function, "demo-server+0x2200");
	assert_int_equal(awaits.list[1].count, 2);
	assert_null(awaits.list[0].leaf);
	emit_awaits_clear(&awaits);

	assert_int_equal(emit_await_functions(&model, &functions), 0);
	assert_string_equal(functions[0], "demo-server+0x2200");
	assert_string_equal(functions[1], "demo-server+0x2300");
	assert_string_equal(functions[2], "demo-server+0x2200");
	for (size_t i = 0; i < model.nstacks; i++)
		free(functions[i]);
	free(functions);

	/* Tasks that all wait in one place: in what their poll function calls. */
	awaits = awaits_of(&model, same, COUNT(same));
	assert_int_equal(awaits.count, 1);
	assert_string_equal(awaits.list[0].function, "demo-server+0x2200");
	emit_awaits_clear(&awaits);
}

/* Two places' gaps: 10 and 30, and three of 20. */
static struct emit_awaits two_places(struct model *model, uint64_t idle_ns, uint64_t count)
{
	static struct model_type types[COUNT(sample_types)];
	static struct model_weight weights[2];

	memcpy(types, sample_types, sizeof(types));
	types[0].times.idle_ns = idle_ns;
	model->types = types;
	weights[0] = weight_of(0, 6, count, 40);
	weights[0].squares = weights[0].sampled_squares = 10 * 10 + 30 * 30;
	weights[1] = weight_of(0, 8, 3, 60);
	weights[1].squares = weights[1].sampled_squares = 3 * 20 * 20;
	return awaits_of(model, weights, COUNT(weights));
}

static void shares_have_a_standard_error(void **state)
{
	/* Of the squares of the gaps' (0.6 of one, 0.4 of the other place) */
	const double squares = 1000 * 0.36 + 1200 * 0.16;
	struct model model = sample_model();
	struct emit_awaits awaits = two_places(&model, 100000000, 2);
	struct emit_await all;

	(void)state;
	assert_int_equal(awaits.count, 2);
	assert_float_equal(awaits.list[0].share, 0.6, 1e-9);
	assert_float_equal(awaits.list[1].share, 0.4, 1e-9);
	assert_float_equal(awaits.list[0].error, sqrt(squares) / 100, 1e-6);
	assert_float_equal(awaits.list[1].error, sqrt(squares) / 100, 1e-6);
	assert_string_equal(emit_await_share(&awaits, &awaits.list[0]).s, "60% ±23");
	all = emit_awaits_sum(&awaits, 0);
	assert_int_equal(all.count, 5);
	assert_int_equal(all.idle_ns, 100000000);
	emit_awaits_clear(&awaits);

	/* Half of all that there is to be known is known. */
	awaits = two_places(&model, 200, 2);
	assert_float_equal(awaits.list[0].error, sqrt(squares / 2) / 100, 1e-6);
	emit_awaits_clear(&awaits);
}

static void what_was_seen_whole_has_no_error(void **state)
{
	struct model model = sample_model();
	struct emit_awaits awaits = two_places(&model, 100, 1);

	(void)state;
	assert_true(awaits.list[0].error == 0);
	assert_true(awaits.list[1].error == 0);
	assert_string_equal(emit_await_share(&awaits, &awaits.list[1]).s, "40.0%");
	emit_awaits_clear(&awaits);
}

/* Neither of a place with one gap nor where there are but four in all. */
static void error_of_few_gaps_is_unknown(void **state)
{
	struct model model = sample_model();
	struct emit_awaits awaits = two_places(&model, 1000, 1);
	struct model_weight weights[] = {weight_of(0, 6, 1, 10), weight_of(0, 8, 4, 990)};

	(void)state;
	assert_true(isnan(awaits.list[0].error));
	assert_true(isnan(awaits.list[1].error));
	assert_string_equal(emit_await_share(&awaits, &awaits.list[1]).s, "40% ±?");
	emit_awaits_clear(&awaits);

	model.types[0].times.idle_ns = 100000;
	awaits = awaits_of(&model, weights, COUNT(weights));
	assert_false(isnan(awaits.list[0].error));
	assert_true(isnan(awaits.list[1].error));
	emit_awaits_clear(&awaits);
}

/* Of a hundred equal gaps all were there: about one in a hundred may not be. */
static void only_place_that_was_seen_may_not_be_the_only_one(void **state)
{
	struct model_weight weight = weight_of(0, 6, 100, 1000);
	struct model model = sample_model();
	struct emit_awaits awaits;

	(void)state;
	weight.squares = weight.sampled_squares = 100 * 10 * 10;
	awaits = awaits_of(&model, &weight, 1);
	assert_float_equal(awaits.list[0].error, 0.01, 1e-6);
	assert_string_equal(emit_await_share(&awaits, &awaits.list[0]).s, "100% ±1");
	emit_awaits_clear(&awaits);
}

static void shares_are_as_precise_as_their_error(void **state)
{
	static const struct {
		uint64_t whole_ns;
		double error;
		const char *text;
	} cases[] = {
		{41700, 0, "41.7%"},         {41700, 0.34, "42% ±34"},
		{41700, 0.0095, "42% ±1"},   {41700, 0.004, "41.7% ±0.4"},
		{41700, 1e-9, "41.7% ±0.1"}, {300, 0.02, "<1% ±2"},
		{300, NAN, "<1% ±?"},        {20, 0.0001, "<0.1% ±0.1"},
		{99999, 0.3, "100% ±30"},
	};
	const struct emit_awaits awaits = {.all = {.whole_ns = 100000}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct emit_await await = {.whole_ns = cases[i].whole_ns,
						 .share = (double)cases[i].whole_ns / 100000,
						 .error = cases[i].error};

		assert_string_equal(emit_await_share(&awaits, &await).s, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_of_the_types_idle_time),
		cmocka_unit_test(stacks_of_one_place_are_one),
		cmocka_unit_test(without_lines_places_are_told_apart_by_what_they_await),
		cmocka_unit_test(stripped_stacks_part_at_their_places),
		cmocka_unit_test(shares_have_a_standard_error),
		cmocka_unit_test(what_was_seen_whole_has_no_error),
		cmocka_unit_test(error_of_few_gaps_is_unknown),
		cmocka_unit_test(only_place_that_was_seen_may_not_be_the_only_one),
		cmocka_unit_test(shares_are_as_precise_as_their_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
