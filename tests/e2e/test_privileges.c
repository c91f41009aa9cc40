// SPDX-License-Identifier: MIT
/* What a tracer can do that is not root's. */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

#define NOBODY 65534
#define BIT(capability) (1ull << (capability))

/* Becomes nobody, with the capabilities of *@argument alone. */
static void become_nobody(void *argument)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	uint64_t capabilities = *(const uint64_t *)argument;

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(capabilities >> 32 * i);
		data[i].permitted = data[i].effective;
		data[i].inheritable = data[i].effective;
	}
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ||
	    syscall(SYS_capset, &header, data))
		_exit(121);
	for (unsigned long i = 0; i < 64; i++)
		if (capabilities & BIT(i) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			_exit(122);
}

static struct process *run_as_nobody(struct e2e *e, uint64_t capabilities, const char *arguments)
{
	struct process_options options = {.before_exec = become_nobody, .context = &capabilities};
	/* Where nobody may look. */
	const char *path = e2e_copy_target(e, e2e_pollscope(e), "pollscope");
	struct process *process = process_start(e, &options, e2e_text(e, "%s %s", path, arguments));

	process_wait(process);
	return process;
}

static void two_capabilities_suffice_where_uprobes_are_multi(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	struct utsname name;
	json_t *report;
	int major, minor;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	if (major < 6 || (major == 6 && minor < 6)) {
		print_message("skipped: Linux %s has no multi-uprobe links\n", name.release);
		skip();
	}
	/* The third is for the files of another user's process. */
	tracer = run_as_nobody(
		e, BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE),
		e2e_text(e, "report --json --sample 1 -d 500ms -p %d", process_pid(target)));
	report = tracer_json(tracer);
	assert_identities(report);
	assert_true(report_number(report_type(report, "ticking"), "polls") > 0);
}

static void missing_privileges_are_told_in_one_line(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;
	const char *said;

	tracer = run_as_nobody(
		e, 0, e2e_text(e, "report --sample 1 -q -d 500ms -p %d", process_pid(target)));
	tracer_expect(tracer, 1);
	said = process_err(tracer);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_non_null(strstr(said, "sudo"));
	assert_non_null(strstr(said, "pollscope doctor"));
	assert_string_equal(process_out(tracer), "");
}

static void files_that_may_not_be_read_are_named(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *tracer;

	tracer = run_as_nobody(
		e, BIT(CAP_BPF) | BIT(CAP_PERFMON),
		e2e_text(e, "report --sample 1 -q -d 500ms -p %d", process_pid(target)));
	tracer_expect(tracer, 1);
	assert_non_null(strstr(process_err(tracer), "CAP_SYS_PTRACE"));
}

/* The process may be looked at, but its executable is for root alone. */
static void what_lacks_to_read_a_file_is_told(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_copy_target(e, "ticker", "secret"), *said;
	struct process *target = target_start(e, path), *tracer;

	assert_int_equal(chmod(path, 0700), 0);
	tracer = run_as_nobody(
		e, BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE),
		e2e_text(e, "report --sample 1 -q -d 500ms -p %d", process_pid(target)));
	tracer_expect(tracer, 1);
	said = process_err(tracer);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_non_null(strstr(said, "may not be read"));
	assert_non_null(strstr(said, "CAP_DAC_READ_SEARCH"));
	assert_null(strstr(said, "CAP_SYS_PTRACE"));
}

/* All capabilities, but in a user namespace of its own: none over a process outside of it. */
static void enter_user_namespace(void *argument)
{
	FILE *map;

	(void)argument;
	if (unshare(CLONE_NEWUSER))
		_exit(123);
	map = fopen("/proc/self/uid_map", "w");
	if (!map || fputs("0 0 1\n", map) < 0 || fclose(map))
		_exit(123);
}

static void what_forbids_although_privileged_is_told(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {.before_exec = enter_user_namespace};
	struct process *target = target_start(e, "ticker"), *doctor;
	const char *path = e2e_copy_target(e, e2e_pollscope(e), "pollscope");
	int status;

	doctor = process_start(e, &options,
			       e2e_text(e, "%s doctor -p %d", path, process_pid(target)));
	status = process_wait(doctor);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 123) {
		print_message("skipped: no user namespace may be made here\n");
		skip();
	}
	tracer_expect(doctor, 1);
	assert_non_null(strstr(process_out(doctor), "CAP_SYS_PTRACE is there, but"));
	assert_null(strstr(process_out(doctor), "pollscope doctor"));
}

static void doctor_tells_which_capabilities_are_missing(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *doctor = run_as_nobody(e, 0, "doctor");

	tracer_expect(doctor, 1);
	assert_non_null(strstr(process_out(doctor), "CAP_BPF"));
	assert_non_null(strstr(process_out(doctor), "CAP_PERFMON"));
	assert_non_null(strstr(process_out(doctor), "FAIL"));
}

static void doctor_has_nothing_to_say_against_root(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, "ticker"), *doctor;
	json_t *json;

	doctor = tracer_run(e, "doctor -p %d", process_pid(target));
	tracer_expect(doctor, 0);
	assert_null(strstr(process_out(doctor), "FAIL"));
	json = tracer_json(tracer_run(e, "doctor --json"));
	assert_string_equal(report_string(json, "schema"), "pollscope.doctor/1");
	assert_true(json_array_size(json_object_get(json, "checks")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(two_capabilities_suffice_where_uprobes_are_multi),
		e2e_test(missing_privileges_are_told_in_one_line),
		e2e_test(files_that_may_not_be_read_are_named),
		e2e_test(what_lacks_to_read_a_file_is_told),
		e2e_test(what_forbids_although_privileged_is_told),
		e2e_test(doctor_tells_which_capabilities_are_missing),
		e2e_test(doctor_has_nothing_to_say_against_root),
	};

	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
