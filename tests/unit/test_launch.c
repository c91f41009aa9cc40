// SPDX-License-Identifier: MIT
// links: attach util
/*
 * Launching real commands and following them. Where a command of our own is needed the test program
 * executes itself: main's first argument then says what to do.
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/launching.h"

static struct launch *start_self(struct watch *watch, const char *mode)
{
	char *argv[] = {"/proc/self/exe", (char *)mode, NULL};
	struct launch *launch;

	assert_int_equal(start(&launch, watch, argv), 0);
	return launch;
}

static void exit_status_is_collected(void **state)
{
	struct watch watch = {0};

	(void)state;
	assert_exit(run_to_end(start_shell(&watch, "exit 7")), 7);
}

static void death_by_signal_is_collected(void **state)
{
	struct watch watch = {0};
	int status = run_to_end(start_shell(&watch, "kill -SEGV $$"));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void command_has_the_descriptors_that_it_is_given(void **state)
{
	char *argv[] = {"sh", "-c", "exit $(ulimit -S -n)", NULL};
	struct rlimit limit;
	struct watch watch = {0};
	struct launch_options options = {
		.argv = argv, .descriptors = &limit, .on_image = on_image, .ctx = &watch};
	struct launch *launch;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 77;
	assert_int_equal(launch_start(&launch, &options, why, sizeof(why)), 0);
	assert_exit(run_to_end(launch), 77);
}

static void missing_command_is_said_by_name(void **state)
{
	char *argv[] = {"no-such-command", NULL};
	struct watch watch = {0};
	struct launch *launch;

	(void)state;
	assert_int_equal(start(&launch, &watch, argv), -ENOENT);
	assert_null(launch);
	assert_string_equal(why, "cannot run 'no-such-command': No such file or directory");
	assert_int_equal(watch.calls, 0);
}

static void file_that_is_no_program_is_refused(void **state)
{
	char *argv[] = {"/etc/passwd", NULL};
	struct watch watch = {0};
	struct launch *launch;

	(void)state;
	assert_int_equal(start(&launch, &watch, argv), -EACCES);
	assert_non_null(strstr(why, "/etc/passwd"));
}

static void libraries_are_shown_as_they_are_mapped(void **state)
{
	struct watch watch = {0};

	(void)state;
	assert_exit(run_to_end(start_shell(&watch, ":")), 0);
	assert_false(watch.libc_at_first);
	assert_true(watch.saw_libc);
	assert_true(watch.calls >= 3);
}

static void nothing_of_the_image_runs_before_the_first_poll(void **state)
{
	struct watch watch = {0};
	struct launch *launch;
	char byte;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], 9), 9);
	launch = start_self(&watch, "constructor");
	close(fds[1]);
	close(9);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	sleep_ms(50);
	assert_int_equal(read(fds[0], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_exit(run_to_end(launch), 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
}

static void found_image_goes_on_untraced(void **state)
{
	struct watch watch = {.claim = "sleep"};
	char *argv[] = {"sleep", "100", NULL};
	struct launch *launch;
	char tracer[STATUS_LINE];

	(void)state;
	assert_int_equal(start(&launch, &watch, argv), 0);
	assert_true(launch_found(launch));
	poll_until_found(launch);
	assert_int_equal(watch.claimed, launch_pid(launch));
	proc_status(launch_pid(launch), "TracerPid", tracer);
	assert_string_equal(tracer, "0\n");
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	assert_int_equal(WTERMSIG(launch_status(launch)), SIGTERM);
	launch_free(launch);
}

static void exec_is_followed(void **state)
{
	struct watch watch = {.claim = "sleep"};
	struct launch *launch = start_shell(&watch, "exec sleep 100");

	(void)state;
	assert_false(launch_found(launch));
	poll_until_found(launch);
	assert_int_equal(watch.claimed, launch_pid(launch));
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	launch_free(launch);
}

static void fork_is_followed_and_ended(void **state)
{
	struct watch watch = {.claim = "sleep"};
	struct launch *launch = start_shell(&watch, "(sleep 100; :) & wait");

	(void)state;
	poll_until_found(launch);
	assert_int_not_equal(watch.claimed, launch_pid(launch));
	assert_false(dead(watch.claimed));
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	assert_true(dead(watch.claimed));
	assert_int_not_equal(launch_status(launch), -1);
	launch_free(launch);
}

static void posix_spawn_is_followed(void **state)
{
	struct watch watch = {.claim = "sleep"};
	struct launch *launch = start_self(&watch, "spawn");

	(void)state;
	poll_until_found(launch);
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	launch_free(launch);
}

static void exec_from_a_thread_is_followed(void **state)
{
	struct watch watch = {.claim = "sleep"};
	struct launch *launch = start_self(&watch, "thread-exec");

	(void)state;
	poll_until_found(launch);
	assert_int_equal(watch.claimed, launch_pid(launch));
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	launch_free(launch);
}

static void many_processes_and_threads_run_to_their_end(void **state)
{
	struct watch watch = {0};

	(void)state;
	assert_exit(run_to_end(start_shell(
			    &watch, "for i in 1 2 3 4 5 6 7 8; do (/bin/true; /bin/true) & done;"
				    "wait; exit 5")),
		    5);
	assert_exit(run_to_end(start_self(&watch, "threads")), 0);
}

static void static_program_is_shown(void **state)
{
	char *argv[] = {"busybox", "true", NULL};
	struct watch watch = {.claim = "busybox"};
	struct launch *launch;

	(void)state;
	if (access("/bin/busybox", X_OK))
		skip();
	assert_int_equal(start(&launch, &watch, argv), 0);
	assert_true(launch_found(launch));
	assert_exit(run_to_end(launch), 0);
}

static void script_runs(void **state)
{
	char path[] = "/tmp/pollscope-test-XXXXXX";
	static const char script[] = "#!/bin/sh\nexit 3\n";
	struct watch watch = {0};
	struct launch *launch;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(start(&launch, &watch, (char *[]){path, NULL}), 0);
	assert_exit(run_to_end(launch), 3);
	unlink(path);
}

static void signals_reach_a_followed_process(void **state)
{
	struct watch watch = {0};
	struct launch *launch =
		start_shell(&watch, "trap 'exit 9' USR1; while :; do sleep 0.02; done");

	(void)state;
	poll_until_disposed(launch, "SigCgt", SIGUSR1);
	kill(launch_pid(launch), SIGUSR1);
	assert_exit(run_to_end(launch), 9);
}

static void job_control_stops_a_followed_process(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "while :; do sleep 0.02; done");

	(void)state;
	poll_for(launch, 100);
	kill(launch_pid(launch), SIGSTOP);
	poll_until_state(launch, "tT");
	/* It also stays stopped when let go. */
	launch_detach(launch);
	assert_false(launch_following(launch));
	sleep_ms(50);
	await_state(launch_pid(launch), "T");
	kill(launch_pid(launch), SIGCONT);
	await_state(launch_pid(launch), "RSD");
	assert_int_equal(launch_end(launch, PATIENCE_MS), 0);
	launch_free(launch);
}

static void sigcont_wakes_a_followed_process(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "kill -STOP $$; exit 4");

	(void)state;
	poll_until_state(launch, "tT");
	assert_int_equal(launch_status(launch), -1);
	kill(launch_pid(launch), SIGCONT);
	assert_exit(run_to_end(launch), 4);
}

/* ---- the commands ---- */

static void *idle_thread(void *arg)
{
	(void)arg;
	sleep_ms(20);
	return NULL;
}

static void *exec_thread(void *arg)
{
	(void)arg;
	execlp("sleep", "sleep", "100", NULL);
	return NULL;
}

__attribute__((constructor)) static void first_instruction(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "constructor") && write(9, "x", 1) != 1)
		_exit(1);
}

static int command(const char *mode)
{
	pthread_t threads[16];
	pid_t pid;

	if (!strcmp(mode, "spawn")) {
		char *argv[] = {"sleep", "100", NULL};

		if (posix_spawnp(&pid, "sleep", NULL, NULL, argv, environ))
			return 1;
		return waitpid(pid, NULL, 0) != pid;
	}
	if (!strcmp(mode, "thread-exec")) {
		pthread_create(&threads[0], NULL, exec_thread, NULL);
		for (;;)
			pause();
	}
	if (!strcmp(mode, "threads")) {
		for (int i = 0; i < 16; i++)
			pthread_create(&threads[i], NULL, idle_thread, NULL);
		for (int i = 0; i < 16; i++)
			pthread_join(threads[i], NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status_is_collected),
		cmocka_unit_test(death_by_signal_is_collected),
		cmocka_unit_test(command_has_the_descriptors_that_it_is_given),
		cmocka_unit_test(missing_command_is_said_by_name),
		cmocka_unit_test(file_that_is_no_program_is_refused),
		cmocka_unit_test(libraries_are_shown_as_they_are_mapped),
		cmocka_unit_test(nothing_of_the_image_runs_before_the_first_poll),
		cmocka_unit_test(found_image_goes_on_untraced),
		cmocka_unit_test(exec_is_followed),
		cmocka_unit_test(fork_is_followed_and_ended),
		cmocka_unit_test(posix_spawn_is_followed),
		cmocka_unit_test(exec_from_a_thread_is_followed),
		cmocka_unit_test(many_processes_and_threads_run_to_their_end),
		cmocka_unit_test(static_program_is_shown),
		cmocka_unit_test(script_runs),
		cmocka_unit_test(signals_reach_a_followed_process),
		cmocka_unit_test(job_control_stops_a_followed_process),
		cmocka_unit_test(sigcont_wakes_a_followed_process),
	};

	/* Not through exit: LeakSanitizer does not work in a traced process. */
	if (argc > 1)
		_exit(command(argv[1]));
	/* Folders in PATH that may not be read would turn "not found" into "permission denied". */
	setenv("PATH", "/usr/bin:/bin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
