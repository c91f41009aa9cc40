// SPDX-License-Identifier: MIT
// links: attach tokio core symbolize util -lZydis -ldw -lelf -liberty
/* What the adapter finds in a hand-made program. */
#include "tokio_program.h"

#include "attach/adapter.h"
#include "core/event.h"

#define ALL                                                                                        \
	(EVENT_CAN_POLL | EVENT_CAN_TERMINATE | EVENT_CAN_WAKE | EVENT_CAN_BLOCKING |              \
	 EVENT_CAN_AWAIT | EVENT_POLLS_OVERLAP)

#define RDI 5 /* DWARF's number */

/* Scans the file as it is made by now; file_close() closes it. */
static struct probe_plan scan(struct tokio_file *f)
{
	struct probe_plan plan;

	file_dynamic(f);
	assert_int_equal(file_open_bytes(f, FILE_SIZE), 0);
	assert_int_equal(adapter_tokio.scan(f->file, NULL, &plan), 0);
	return plan;
}

static void done(struct tokio_file *f, struct probe_plan *plan)
{
	probe_plan_release(plan);
	file_close(f);
}

/* The point in a function; NULL: there is none. */
static const struct probe_point *point_in(const struct probe_plan *plan, int function)
{
	const struct probe_point *found = NULL;

	for (size_t i = 0; i < plan->npoints; i++) {
		if (plan->points[i].offset < FUNCTION(function) ||
		    plan->points[i].offset >= FUNCTION(function + 1))
			continue;
		assert_null(found);
		found = &plan->points[i];
	}
	return found;
}

static void expect_point(const struct probe_plan *plan, int function, enum probe_program program,
			 uint8_t type, uint16_t id)
{
	const struct probe_point *point = point_in(plan, function);

	assert_non_null(point);
	assert_int_equal(point->program, program);
	assert_int_equal(point->offset, FUNCTION(function));
	assert_int_equal(point->cost, PROBE_EMULATED);
	assert_int_equal(point->site.type, type);
	assert_int_equal(point->site.kind, KIND_NONE);
	assert_int_equal(point->site.header.vtable, 16);
	assert_int_equal(point->site.header.vtable_id, 72);
	assert_int_equal(point->site.header.id, id);
}

static void tasks_jobs_and_wakers_get_probes_and_worker_loops_none(void **state)
{
	(void)state;
	for (enum file_form form = FORM_RELA; form <= FORM_FIXED; form++) {
		struct probe_plan plan;
		struct tokio_file f;

		program_init(&f, form);
		plan = scan(&f);
		assert_string_equal(plan.runtime, "tokio");
		assert_string_equal(plan.version, "1.24.2");
		assert_string_equal(plan.refusal, "");
		assert_string_equal(plan.found, "4 vtables: 2 of tasks, 1 of blocking jobs, "
						"1 of worker loops; wakers by what makes them");
		assert_int_equal(plan.npoints, 8);
		assert_int_equal(plan.capabilities, ALL);
		expect_point(&plan, POLL_FIRST, PROBE_TOKIO_POLL, WIRE_POLL, 40);
		expect_point(&plan, POLL_SECOND, PROBE_TOKIO_POLL, WIRE_POLL, 40);
		expect_point(&plan, POLL_JOB, PROBE_TOKIO_JOB, WIRE_BLOCKING_START, 32);
		expect_point(&plan, WAKE, PROBE_TOKIO_WAKE, WIRE_WAKE, HEADER_NONE);
		expect_point(&plan, WAKE_BY_REF, PROBE_TOKIO_WAKE, WIRE_WAKE, HEADER_NONE);
		expect_point(&plan, CLONE, PROBE_AWAIT, WIRE_AWAIT, HEADER_NONE);
		assert_int_equal(point_in(&plan, CLONE)->site.arg[0].class, OPERAND_REG);
		assert_int_equal(point_in(&plan, CLONE)->site.arg[0].base, RDI);
		expect_point(&plan, SHUTDOWN_FIRST, PROBE_TOKIO_SHUTDOWN, WIRE_TERMINATE, 40);
		expect_point(&plan, SHUTDOWN_SECOND, PROBE_TOKIO_SHUTDOWN, WIRE_TERMINATE, 40);
		assert_non_null(plan.names);
		done(&f, &plan);
	}
}

static void a_function_of_several_types_is_probed_once(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	program_init(&f, FORM_RELA);
	/* The same function, for tasks whose ids are in different places; and one of a job too. */
	program_vtable(&f, 4, POLL_FIRST, SCHEDULE_TASK, SHUTDOWN_FIRST, 56);
	program_vtable(&f, 5, POLL_SECOND, SCHEDULE_JOB, SHUTDOWN_REST, 40);
	plan = scan(&f);
	assert_int_equal(plan.npoints, 8);
	expect_point(&plan, POLL_FIRST, PROBE_TOKIO_POLL, WIRE_POLL, HEADER_NONE);
	expect_point(&plan, POLL_SECOND, PROBE_TOKIO_POLL, WIRE_POLL, 40);
	done(&f, &plan);
}

static void without_paths_jobs_are_told_by_their_scheduler(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	program_init(&f, FORM_RELA);
	memset(f.bytes + PROGRAM_VERSION, 0, PROGRAM_MESSAGE - PROGRAM_VERSION);
	plan = scan(&f);
	assert_string_equal(plan.version, "");
	assert_int_equal(plan.capabilities, ALL);
	expect_point(&plan, POLL_JOB, PROBE_TOKIO_JOB, WIRE_BLOCKING_START, 32);
	assert_null(point_in(&plan, POLL_WORKER));
	done(&f, &plan);
}

static void without_wakers_no_wake_is_seen(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	program_init(&f, FORM_RELA);
	/* Nothing is left that makes one. */
	file_code(&f, FUNCTION(CLONE), "\x90\x90\x90\x90\x90\x90\x90\x90", 8, 0);
	plan = scan(&f);
	assert_string_equal(plan.found, "4 vtables: 2 of tasks, 1 of blocking jobs, "
					"1 of worker loops; no wakers");
	assert_int_equal(plan.capabilities, ALL & ~(EVENT_CAN_WAKE | EVENT_CAN_AWAIT));
	done(&f, &plan);
}

static void a_function_that_takes_no_probe_is_left_out(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	program_init(&f, FORM_RELA);
	file_code(&f, FUNCTION(POLL_SECOND), "\xc3", 1, 0);
	file_code(&f, FUNCTION(WAKE), "\xc3", 1, 0);
	plan = scan(&f);
	assert_int_equal(plan.npoints, 6);
	assert_int_equal(plan.unprobed, 1);
	assert_null(point_in(&plan, POLL_SECOND));
	assert_int_equal(plan.capabilities, ALL & ~EVENT_CAN_WAKE);
	done(&f, &plan);
}

static void expect_refusal(const char *version, const char *refusal)
{
	struct probe_plan plan;
	struct tokio_file f;

	program_init(&f, FORM_RELA);
	memset(f.bytes + PROGRAM_VERSION, 0, PROGRAM_MESSAGE - PROGRAM_VERSION);
	file_text(&f, PROGRAM_VERSION, version);
	plan = scan(&f);
	assert_int_equal(plan.npoints, 0);
	assert_string_equal(plan.refusal, refusal);
	done(&f, &plan);
}

static void layouts_that_are_not_known_are_refused(void **state)
{
	(void)state;
	expect_refusal("/tokio-1.12.0/src/lib.rs", "tokio 1.12.0: the layout of its tasks is not "
						   "known; that of 1.13 and newer is");
	expect_refusal("/tokio-1.20.1/src/lib.rs",
		       "tokio 1.20.1: its tasks are found by symbols, and the file has none "
		       "(since 1.23 none are needed)");
}

static void other_files_have_no_plan(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	plan = scan(&f);
	assert_int_equal(plan.npoints, 0);
	assert_string_equal(plan.refusal, "");
	done(&f, &plan);
	program_init(&f, FORM_RELA);
	((Elf64_Ehdr *)f.bytes)->e_machine = EM_RISCV;
	plan = scan(&f);
	assert_int_equal(plan.npoints, 0);
	assert_string_equal(plan.refusal, "");
	done(&f, &plan);
}

static void code_for_arm_is_refused(void **state)
{
	struct probe_plan plan;
	struct tokio_file f;

	(void)state;
	program_init(&f, FORM_RELA);
	((Elf64_Ehdr *)f.bytes)->e_machine = EM_AARCH64;
	plan = scan(&f);
	assert_int_equal(plan.npoints, 0);
	assert_string_equal(
		plan.refusal,
		"tokio 1.24.2: its tasks are found in code for x86-64 only, and this is for "
		"arm64 (one with USDT probes of its own can be traced)");
	done(&f, &plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_jobs_and_wakers_get_probes_and_worker_loops_none),
		cmocka_unit_test(a_function_of_several_types_is_probed_once),
		cmocka_unit_test(without_paths_jobs_are_told_by_their_scheduler),
		cmocka_unit_test(without_wakers_no_wake_is_seen),
		cmocka_unit_test(a_function_that_takes_no_probe_is_left_out),
		cmocka_unit_test(layouts_that_are_not_known_are_refused),
		cmocka_unit_test(other_files_have_no_plan),
		cmocka_unit_test(code_for_arm_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
