// SPDX-License-Identifier: MIT
// links: tokio core symbolize util -lZydis -ldw -lelf -liberty
/* What functions of hand-made code call and refer to. */
#include "tokio_file.h"

#define FIRST (FILE_CODE + 0x40)
#define SECOND (FILE_CODE + 0x80)
#define THIRD (FILE_CODE + 0xc0)
#define OUTER (FILE_CODE + 0x800)

static const struct code_function *function(const struct tokio_file *f, uint64_t at)
{
	const struct code_function *found = code_function(f->code, at + f->base);

	assert_non_null(found);
	return found;
}

static void expect_callees(const struct tokio_file *f, uint64_t at, size_t n, ...)
{
	const struct code_function *found = function(f, at);
	va_list callees;

	assert_int_equal(found->ncallees, n);
	va_start(callees, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(found->callees[i], va_arg(callees, int) + f->base);
	va_end(callees);
}

static void calls_and_references_are_told_once_and_in_order(void **state)
{
	struct tokio_file f;
	uint64_t at = FIRST;

	(void)state;
	file_init(&f, FORM_RELA);
	at = FILE_CALL(&f, at, THIRD);
	at = FILE_LEA(&f, at, FILE_DATA + 8);
	at = FILE_CALL(&f, at, SECOND);
	at = FILE_CALL(&f, at, THIRD);
	at = FILE_LEA(&f, at, FILE_TEXT);
	at = FILE_LEA(&f, at, FILE_DATA + 8);
	at = FILE_JMP(&f, at, FIRST); /* within itself */
	at = FILE_JMP(&f, at, OUTER);
	file_function(&f, FIRST, at - FIRST);
	file_open(&f);
	expect_callees(&f, FIRST + 3, 3, THIRD, SECOND, OUTER);
	assert_int_equal(function(&f, FIRST)->start, FIRST);
	assert_int_equal(function(&f, FIRST)->end, at);
	assert_int_equal(function(&f, FIRST)->nreferences, 2);
	assert_int_equal(function(&f, FIRST)->references[0], FILE_DATA + 8);
	assert_int_equal(function(&f, FIRST)->references[1], FILE_TEXT);
	file_close(&f);
}

static void pointers_are_followed(void **state)
{
	(void)state;
	for (enum file_form form = FORM_RELA; form <= FORM_FIXED; form++) {
		struct tokio_file f;
		uint64_t at = FIRST;

		file_init(&f, form);
		at = file_code(&f, at, "\xff\x15", 2, FILE_DATA); /* call *x(%rip) */
		at = FILE_LOAD(&f, at, FILE_DATA + 8);
		at = FILE_LOAD(&f, at, FILE_DATA + 16);
		at = FILE_RET(&f, at);
		file_function(&f, FIRST, at - FIRST);
		file_pointer(&f, FILE_DATA, SECOND);
		file_pointer(&f, FILE_DATA + 8, THIRD);
		file_pointer(&f, FILE_DATA + 16, FILE_DATA + 64);
		file_open(&f);
		expect_callees(&f, FIRST, 2, SECOND, THIRD);
		assert_int_equal(function(&f, FIRST)->nreferences, 2);
		assert_int_equal(function(&f, FIRST)->references[0], THIRD + f.base);
		assert_int_equal(function(&f, FIRST)->references[1], FILE_DATA + 64 + f.base);
		file_close(&f);
	}
}

static void immediates_refer_where_addresses_are_fixed(void **state)
{
	struct tokio_file f;
	uint32_t address;
	uint64_t at = FIRST;

	(void)state;
	file_init(&f, FORM_FIXED);
	address = FILE_DATA + f.base;
	at = file_code(&f, at, "\xbf", 1, 0); /* mov $x,%edi */
	at = file_code(&f, at, (const char *)&address, sizeof(address), 0);
	at = FILE_RET(&f, at);
	file_function(&f, FIRST, at - FIRST);
	file_open(&f);
	assert_int_equal(function(&f, FIRST)->nreferences, 1);
	assert_int_equal(function(&f, FIRST)->references[0], address);
	file_close(&f);
}

/* Where the table does not know a function, its code ends with what no branch in it goes beyond. */
static void functions_without_description_end_by_their_flow(void **state)
{
	struct tokio_file f;
	uint64_t at = FIRST;

	(void)state;
	file_init(&f, FORM_RELA);
	at = file_code(&f, at, "\x74\x01", 2, 0); /* je: over the first ret */
	at = FILE_RET(&f, at);
	at = FILE_CALL(&f, at, SECOND);
	at = FILE_RET(&f, at);
	FILE_CALL(&f, at, THIRD); /* another function's */
	file_open(&f);
	assert_int_equal(function(&f, FIRST)->end, at);
	expect_callees(&f, FIRST, 1, SECOND);
	file_close(&f);
}

static void what_is_no_code_is_no_function(void **state)
{
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	file_open(&f);
	assert_null(code_function(f.code, FILE_DATA));
	assert_null(code_function(f.code, 0));
	assert_null(code_function(f.code, UINT64_MAX));
	file_close(&f);
}

/* A table that is not in order, and says that functions are larger than all code. */
static void a_hostile_table_costs_bounded_work(void **state)
{
	struct tokio_file f;
	size_t decoded = 0;

	(void)state;
	file_init(&f, FORM_RELA);
	for (size_t i = 0; i < FILE_FUNCTIONS; i++)
		file_function(&f, FILE_CODE + i * 8, UINT32_MAX);
	memset(f.bytes + FILE_CODE, 0x90, FILE_DATA - FILE_CODE);
	file_open(&f);
	for (size_t i = FILE_CODE; i < FILE_DATA; i++) {
		const struct code_function *found = code_function(f.code, i);

		decoded += found && found->start == i ? found->end - i : 0;
	}
	assert_true(decoded <= 17 * (FILE_DATA - FILE_CODE));
	file_close(&f);
}

struct visits {
	uint64_t start[8];
	size_t n, stop_after;
};

static bool visit(void *context, const struct code_function *function, unsigned int depth)
{
	struct visits *visits = context;

	(void)depth;
	visits->start[visits->n++] = function->start;
	return visits->n != visits->stop_after;
}

/* FIRST calls SECOND and THIRD, SECOND calls OUTER, all call FIRST. */
static void walks_go_to_the_nearest_first_and_end(void **state)
{
	static const uint64_t order[] = {FIRST, SECOND, THIRD, OUTER};
	struct visits all = {0}, near = {0}, few = {0}, two = {.stop_after = 2};
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	FILE_RET(&f, FILE_CALL(&f, FILE_CALL(&f, FIRST, SECOND), THIRD));
	FILE_RET(&f, FILE_CALL(&f, FILE_CALL(&f, SECOND, FIRST), OUTER));
	FILE_RET(&f, FILE_CALL(&f, THIRD, FIRST));
	FILE_RET(&f, FILE_CALL(&f, OUTER, FIRST));
	file_open(&f);
	assert_int_equal(code_walk(f.code, FIRST, 8, 8, visit, &all), 0);
	assert_int_equal(all.n, 4);
	assert_memory_equal(all.start, order, sizeof(order));
	assert_int_equal(code_walk(f.code, FIRST, 1, 8, visit, &near), 0);
	assert_int_equal(near.n, 3);
	assert_int_equal(code_walk(f.code, FIRST, 8, 2, visit, &few), 0);
	assert_int_equal(few.n, 2);
	assert_int_equal(code_walk(f.code, FIRST, 8, 8, visit, &two), 1);
	assert_int_equal(two.n, 2);
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_and_references_are_told_once_and_in_order),
		cmocka_unit_test(pointers_are_followed),
		cmocka_unit_test(immediates_refer_where_addresses_are_fixed),
		cmocka_unit_test(functions_without_description_end_by_their_flow),
		cmocka_unit_test(what_is_no_code_is_no_function),
		cmocka_unit_test(a_hostile_table_costs_bounded_work),
		cmocka_unit_test(walks_go_to_the_nearest_first_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
