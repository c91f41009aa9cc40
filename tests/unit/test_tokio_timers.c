// SPDX-License-Identifier: MIT
// links: tokio core symbolize util -lZydis -ldw -lelf -liberty
/* Which functions of hand-made code are timers'. */
#include "tokio_file.h"

#include "tokio/timers.h"

#define FIRST (FILE_CODE + 0x40)
#define SECOND (FILE_CODE + 0x80)
#define THIRD (FILE_CODE + 0xc0)
#define OLD_PLACE FILE_DATA
#define PLACE (FILE_DATA + 32)
#define OTHER_PLACE (FILE_DATA + 64)
#define OWN_PLACE (FILE_DATA + 96)
#define OLD_NAME FILE_TEXT
#define NAME (FILE_TEXT + 0x60)
#define OTHER_NAME (FILE_TEXT + 0xc0)
#define OWN_NAME (FILE_TEXT + 0x120)

/* lea, or as the address is taken where it is known: mov $imm32,%eax */
static uint64_t take(struct tokio_file *f, uint64_t at, uint64_t place)
{
	uint32_t address = place + f->base;

	if (f->form != FORM_FIXED)
		return FILE_LEA(f, at, place);
	file_put(f, at, "\xb8", 1);
	file_put(f, at + 1, &address, sizeof(address));
	return at + 5;
}

static void program(struct tokio_file *f, enum file_form form, uint64_t first, uint64_t second,
		    uint64_t third)
{
	const uint64_t functions[] = {FIRST, SECOND, THIRD};
	const uint64_t places[] = {first, second, third};

	file_init(f, form);
	file_location(f, OLD_PLACE, OLD_NAME, "/registry/tokio-1.21.0/src/time/driver/entry.rs", 3);
	file_location(f, PLACE, NAME, "/registry/tokio-1.24.2/src/runtime/time/entry.rs", 567);
	file_location(f, OTHER_PLACE, OTHER_NAME, "/registry/tokio-1.24.2/src/runtime/park.rs", 9);
	file_location(f, OWN_PLACE, OWN_NAME, "src/time/entry.rs", 9);
	for (size_t i = 0; i < 3; i++) {
		uint64_t at = file_code(f, functions[i], "\x53", 1, 0); /* push %rbx */

		at = take(f, at, places[i]);
		at = take(f, at, places[i]);
		at = FILE_RET(f, at);
		file_function(f, functions[i], at - functions[i]);
	}
	file_open(f);
}

/* FIRST calls SECOND, which panics for it. */
static void what_calls_a_small_one_is_a_timers_too(void **state)
{
	struct timers timers;
	struct tokio_file f;
	uint64_t at;

	(void)state;
	file_init(&f, FORM_RELA);
	file_location(&f, PLACE, NAME, "/registry/tokio-1.24.2/src/runtime/time/entry.rs", 567);
	at = FILE_CALL(&f, FIRST, SECOND);
	at = FILE_RET(&f, at);
	file_function(&f, FIRST, at - FIRST);
	at = FILE_LEA(&f, SECOND, PLACE);
	at = FILE_RET(&f, at);
	file_function(&f, SECOND, at - SECOND);
	at = FILE_CALL(&f, THIRD, FIRST);
	at = FILE_RET(&f, at);
	file_function(&f, THIRD, at - THIRD);
	file_open(&f);
	assert_int_equal(timers_find(f.file, f.image, f.code, &timers), 0);
	assert_int_equal(timers.n, 2);
	assert_int_equal(timers.list[0].start, SECOND);
	assert_int_equal(timers.list[1].start, FIRST);
	timers_release(&timers);
	file_close(&f);
}

static void functions_that_panic_in_timers_are_found(void **state)
{
	(void)state;
	for (enum file_form form = FORM_RELA; form <= FORM_FIXED; form++) {
		struct timers timers;
		struct tokio_file f;

		program(&f, form, OLD_PLACE, OTHER_PLACE, PLACE);
		assert_int_equal(timers_find(f.file, f.image, f.code, &timers), 0);
		assert_int_equal(timers.n, 2);
		assert_int_equal(timers.list[0].start, FIRST + f.base);
		assert_true(timers.list[0].end > FIRST + f.base &&
			    timers.list[0].end <= SECOND + f.base);
		assert_int_equal(timers.list[1].start, THIRD + f.base);
		timers_release(&timers);
		assert_int_equal(timers.n, 0);
		file_close(&f);
	}
}

static void the_programs_own_files_are_no_timers(void **state)
{
	struct timers timers;
	struct tokio_file f;

	(void)state;
	program(&f, FORM_RELA, OWN_PLACE, OTHER_PLACE, OWN_PLACE);
	assert_int_equal(timers_find(f.file, f.image, f.code, &timers), 0);
	assert_int_equal(timers.n, 0);
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_that_panic_in_timers_are_found),
		cmocka_unit_test(what_calls_a_small_one_is_a_timers_too),
		cmocka_unit_test(the_programs_own_files_are_no_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
