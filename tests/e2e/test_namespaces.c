// SPDX-License-Identifier: MIT
/* Targets whose files are not where the tracer would look for them. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

/* The report of a ticker that runs as process @pid; its stacks have names. */
static json_t *assert_traced(struct e2e *e, pid_t pid)
{
	const char *path = e2e_path(e, "data");
	struct process *tracer = tracer_run(e, "record --sample 1 -d 700ms -o %s -p %d", path, pid),
		       *flame;
	json_t *report;

	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_int_equal(report_number(json_object_get(report, "capture"), "pid"), pid);
	assert_true(report_number(report_type(report, "ticking"), "polls") > 0);
	flame = tracer_run(e, "flame --kind offcpu %s", path);
	tracer_expect(flame, 0);
	/* A name that only its file has. */
	assert_non_null(strstr(process_out(flame), ";worker_run;"));
	return report;
}

static void binary_that_was_deleted_is_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_copy_target(e, "ticker", "deleted");
	struct process *target = target_start(e, e2e_text(e, "%s napping", path));

	assert_int_equal(unlink(path), 0);
	assert_traced(e, process_pid(target));
}

static void binary_that_was_replaced_is_not_mistaken(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_copy_target(e, "ticker", "replaced");
	struct process *target = target_start(e, e2e_text(e, "%s napping", path));

	/* Another program at the same path: its probes are elsewhere, its names others. */
	assert_int_equal(unlink(path), 0);
	e2e_copy_target(e, "sdt", "replaced");
	assert_traced(e, process_pid(target));
}

/* ---- chroot ---- */

/* Copies the target and the libraries it needs into a folder that can be its root. */
static const char *root_make(struct e2e *e)
{
	const char *root = e2e_path(e, "root"), *target = e2e_target(e, "ticker");
	const char *script = e2e_text(e,
				      "set -e; mkdir -p %s/proc\n"
				      "for f in $(ldd %s | grep -o '/[^ ]*'); do mkdir -p "
				      "%s${f%%/*}; cp -L $f %s$f; done\n"
				      "cp %s %s/in-chroot\n",
				      root, target, root, root, target, root);
	struct process_options options = {0};
	struct process *shell;

	e2e_write(e, "script", script, strlen(script));
	shell = process_start(e, &options, e2e_text(e, "sh %s", e2e_path(e, "script")));
	if (process_wait(shell))
		fail_msg("no root could be made: %s", process_err(shell));
	return root;
}

static void enter_root(void *root)
{
	if (chroot(root) || chdir("/"))
		_exit(120);
}

static void target_in_a_chroot_is_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	char *root = (char *)root_make(e);
	struct process *target = target_start_in(e, "/in-chroot napping", enter_root, root);
	json_t *report = assert_traced(e, process_pid(target));

	assert_string_equal(report_string(json_object_get(report, "capture"), "comm"), "in-chroot");
}

/* ---- namespaces ---- */

/* Mounts that nobody else sees, a root of its own, and a PID namespace in which the target is 1. */
static void enter_namespaces(void *root)
{
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(root, root, NULL, MS_BIND, NULL))
		_exit(121);
	pid = fork();
	if (pid < 0)
		_exit(122);
	if (pid) {
		waitpid(pid, &status, 0);
		_exit(0);
	}
	if (chroot(root) || chdir("/") || mount("proc", "/proc", "proc", 0, NULL))
		_exit(123);
}

static pid_t child_of(struct e2e *e, pid_t pid)
{
	const char *text = e2e_file(e, e2e_text(e, "/proc/%d/task/%d/children", pid, pid), NULL);

	assert_true(atoi(text) > 0);
	return atoi(text);
}

/* A plain chroot leaves / inside of a mount: its propagation cannot be changed there. */
static bool root_is_mount_point(struct e2e *e)
{
	char *save = NULL, *line = strtok_r(e2e_file(e, "/proc/self/mountinfo", NULL), "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		char point[3] = "";

		/* Its number, its parent's, the device, what of it is mounted, and where. */
		if (sscanf(line, "%*d %*d %*s %*s %2s", point) == 1 && !strcmp(point, "/"))
			return true;
	}
	return false;
}

static void target_in_other_mount_and_pid_namespaces_is_traced(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process_options options = {
		.channel = true,
		.before_exec = enter_namespaces,
	};
	struct process *target;

	if (!root_is_mount_point(e)) {
		print_message(
			"skipped: / is not a mount point, so mounts cannot be made private\n");
		skip();
	}
	options.context = (char *)root_make(e);
	target = process_start(e, &options, "/in-chroot napping");
	/* It sees itself as 1; the report has the pid that we see. */
	assert_int_equal(target_ready(target), 1);
	assert_traced(e, child_of(e, process_pid(target)));
	target_tell(target, "end");
	process_wait(target);
}

#define NO_NAMESPACE 120

static void enter_time_namespace(void *context)
{
	static const char offset[] = "monotonic 1000 0\n";
	int fd;

	(void)context;
	if (unshare(CLONE_NEWTIME))
		_exit(NO_NAMESPACE);
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	if (write(fd, offset, strlen(offset)) != (ssize_t)strlen(offset))
		_exit(121);
	close(fd);
}

/* What it would print are times of two clocks. */
static void tracer_with_another_clock_is_refused(void **state)
{
	struct e2e *e = e2e_of(state);
	const struct process_options options = {.before_exec = enter_time_namespace};
	struct process *target, *tracer;

	target = target_start(e, "ticker");
	tracer = process_start(
		e, &options,
		e2e_text(e, "%s report -d 1s -p %d", e2e_pollscope(e), process_pid(target)));
	if (WEXITSTATUS(process_wait(tracer)) == NO_NAMESPACE) {
		print_message("skipped: this kernel gives no time namespace\n");
		skip();
	}
	tracer_expect(tracer, 1);
	assert_non_null(strstr(process_err(tracer), "time namespace"));
	assert_string_equal(process_out(tracer), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(binary_that_was_deleted_is_traced),
		e2e_test(binary_that_was_replaced_is_not_mistaken),
		e2e_test(target_in_a_chroot_is_traced),
		e2e_test(target_in_other_mount_and_pid_namespaces_is_traced),
		e2e_test(tracer_with_another_clock_is_refused),
	};

	return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
