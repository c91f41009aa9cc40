// SPDX-License-Identifier: MIT
// links: symbolize core util -ldw -lelf -liberty
/* Symbols that a recording lacks are found later, in the very binaries that it was made of. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "symbolize/elf_file.h"

static void run(struct e2e *e, const char *command)
{
	const struct process_options options = {0};

	assert_int_equal(process_wait(process_start(e, &options, command)), 0);
}

/* A recording of a program that naps, by a recorder that may be killed. */
static const char *record(struct e2e *e, const char *program, bool killed)
{
	const char *path = e2e_path(e, "data");
	struct process *target = target_start(e, e2e_text(e, "%s napping", program));
	struct process *tracer =
		tracer_attach(e, "record --sample 1 -o %s -p %d", path, process_pid(target));

	/* Not each is a nap: others lose their CPU. */
	e2e_await(tracer_recorded(e, path, "offcpu") > 20);
	process_kill(tracer, killed ? SIGKILL : SIGINT);
	process_wait(tracer);
	target_tell(target, "end");
	process_wait(target);
	return path;
}

static struct process *flame(struct e2e *e, const char *options, const char *path)
{
	struct process *tracer = tracer_run(e, "flame --kind offcpu %s %s", options, path);

	tracer_expect(tracer, 0);
	return tracer;
}

static bool is_named(struct process *tracer)
{
	return strstr(process_out(tracer), ";task_run;napping;");
}

static void killed_recorder_symbols_come_from_where_they_were(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *program = e2e_copy_target(e, "ticker", "program");
	const char *path = record(e, program, true);

	assert_true(is_named(flame(e, "", path)));
	assert_int_equal(unlink(program), 0);
	assert_false(is_named(flame(e, "", path)));
}

static void symfs_has_what_is_gone(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *program = e2e_copy_target(e, "ticker", "program"), *dir = e2e_path(e, "dir");
	const char *path = record(e, program, true), *symfs = e2e_text(e, "--symfs %s", dir);
	const char *whole = e2e_text(e, "%s%s", dir, program);
	const char *last = e2e_text(e, "%s/program", dir);
	struct process *tracer;

	/* Under its whole path, and under its last name. */
	run(e, e2e_text(e, "mkdir -p %s", whole));
	assert_int_equal(rmdir(whole), 0);
	assert_int_equal(rename(program, whole), 0);
	assert_true(is_named(flame(e, symfs, path)));
	assert_int_equal(rename(whole, last), 0);
	assert_true(is_named(flame(e, symfs, path)));
	tracer = tracer_run(e, "export -f jsonl %s %s", symfs, path);
	tracer_expect(tracer, 0);
	assert_non_null(strstr(process_out(tracer), "\"task_run\""));

	/* Another build of the same name is not taken for it. */
	run(e, e2e_text(e, "cp %s %s", e2e_target(e, "causes"), last));
	tracer = flame(e, symfs, path);
	assert_false(is_named(tracer));
	assert_non_null(strstr(process_err(tracer), "program: not the build that was recorded"));
}

static void stripped_program_is_named_by_its_twin(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *program = e2e_path(e, "program"), *dir = e2e_path(e, "dir"), *path;

	run(e, e2e_text(e, "strip -o %s %s", program, e2e_target(e, "ticker")));
	path = record(e, program, false);
	assert_false(is_named(flame(e, "", path)));
	assert_int_equal(mkdir(dir, 0755), 0);
	run(e, e2e_text(e, "cp %s %s/program", e2e_target(e, "ticker"), dir));
	assert_true(is_named(flame(e, e2e_text(e, "--symfs %s", dir), path)));
}

/* Where a debug file belongs, below the folder that has them all. */
static const char *debug_name(struct e2e *e, const char *program)
{
	struct elf_file *file;
	const char *name;

	assert_int_equal(elf_file_open_path(program, &file), 0);
	name = e2e_text(e, ".build-id/%.2s/%s.debug", file->build_id, file->build_id + 2);
	elf_file_close(file);
	return name;
}

/* Packages of debug symbols have these; the stripped binary may be there, or on another machine only. */
static void debug_file_is_found_by_build_id(void **state)
{
	static const char *const below[] = {"", "/usr/lib/debug"};
	struct e2e *e = e2e_of(state);
	const char *program = e2e_path(e, "program"), *whole = e2e_target(e, "ticker");
	const char *name = debug_name(e, whole), *path;

	run(e, e2e_text(e, "strip -o %s %s", program, whole));
	path = record(e, program, false);
	for (size_t i = 0; i < 2; i++) {
		const char *dir = e2e_path(e, e2e_text(e, "dir%zu", i));
		const char *debug = e2e_text(e, "%s%s/%s", dir, below[i], name);

		run(e, e2e_text(e, "mkdir -p %.*s", (int)(strrchr(debug, '/') - debug), debug));
		run(e, e2e_text(e, "objcopy --only-keep-debug %s %s", whole, debug));
		assert_true(is_named(flame(e, e2e_text(e, "--symfs %s", dir), path)));
		if (!i)
			assert_int_equal(unlink(program), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(killed_recorder_symbols_come_from_where_they_were),
		e2e_test(symfs_has_what_is_gone),
		e2e_test(stripped_program_is_named_by_its_twin),
		e2e_test(debug_file_is_found_by_build_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
