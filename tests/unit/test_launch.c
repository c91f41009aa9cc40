// SPDX-License-Identifier: MIT
// links: attach
/*
 * Launching real commands. Where a command of our own is needed the test program executes itself: main's
 * first argument then says what to do.
 */
#include "attach/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

/* What on_image is to do, and what it saw. */
struct watch {
	const char *claim; /* name of the executable to claim, NULL: none */
	int error;	   /* to return instead */
	int calls;
	bool saw_libc;
	bool libc_at_first;
	pid_t claimed;
};

static char why[256];

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* The value of a line "NAME:\tvalue" in /proc/PID/status; empty if there is no such process. */
static void proc_status(pid_t pid, const char *name, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			snprintf(value, size, "%s", line + strlen(name) + 2);
	fclose(file);
}

static char proc_state(pid_t pid)
{
	char value[64];

	proc_status(pid, "State", value, sizeof(value));
	return value[0];
}

static bool dead(pid_t pid)
{
	char state = proc_state(pid);

	return state == '\0' || state == 'Z' || state == 'X';
}

static bool dead_within(pid_t pid, int ms)
{
	for (; ms > 0 && !dead(pid); ms -= 5)
		sleep_ms(5);
	return dead(pid);
}

static int on_image(pid_t pid, void *ctx)
{
	struct watch *watch = ctx;
	char path[64], exe[256], line[512];
	const char *name;
	FILE *maps;
	ssize_t size;

	watch->calls++;
	if (watch->error)
		return watch->error;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "/libc.so") || strstr(line, "/libc-"))
			watch->saw_libc = true;
	fclose(maps);
	if (watch->calls == 1)
		watch->libc_at_first = watch->saw_libc;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	size = readlink(path, exe, sizeof(exe) - 1);
	assert_true(size > 0);
	exe[size] = '\0';
	name = strrchr(exe, '/') + 1;
	if (!watch->claim || strcmp(name, watch->claim))
		return 0;
	watch->claimed = pid;
	return 1;
}

static int start(struct launch **launch, struct watch *watch, char *const *argv)
{
	struct launch_options options = {.argv = argv, .on_image = on_image, .ctx = watch};

	return launch_start(launch, &options, why, sizeof(why));
}

static struct launch *start_shell(struct watch *watch, const char *script)
{
	char *argv[] = {"sh", "-c", (char *)script, NULL};
	struct launch *launch;

	assert_int_equal(start(&launch, watch, argv), 0);
	return launch;
}

static struct launch *start_self(struct watch *watch, const char *mode)
{
	char *argv[] = {"/proc/self/exe", (char *)mode, NULL};
	struct launch *launch;

	assert_int_equal(start(&launch, watch, argv), 0);
	return launch;
}

static int run_to_end(struct launch *launch)
{
	int status;

	for (int ms = 0; launch_poll(launch) == 1; ms++) {
		assert_true(ms < PATIENCE_MS);
		sleep_ms(1);
	}
	status = launch_status(launch);
	launch_free(launch);
	return status;
}

static void poll_until_found(struct launch *launch)
{
	for (int ms = 0; !launch_found(launch) || launch_following(launch); ms++) {
		assert_true(ms < PATIENCE_MS);
		assert_int_equal(launch_poll(launch), 1);
		sleep_ms(1);
	}
}

static void poll_for(struct launch *launch, int ms)
{
	for (; ms > 0; ms -= 2) {
		launch_poll(launch);
		sleep_ms(2);
	}
}

static void assert_exit(int status, int code)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
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
	char tracer[64];

	(void)state;
	assert_int_equal(start(&launch, &watch, argv), 0);
	assert_true(launch_found(launch));
	poll_until_found(launch);
	assert_int_equal(watch.claimed, launch_pid(launch));
	proc_status(launch_pid(launch), "TracerPid", tracer, sizeof(tracer));
	assert_string_equal(tracer, "0\n");
	assert_int_equal(launch_end(launch, 1000), 0);
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
	assert_int_equal(launch_end(launch, 1000), 0);
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
	assert_int_equal(launch_end(launch, 1000), 0);
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
	assert_int_equal(launch_end(launch, 1000), 0);
	launch_free(launch);
}

static void exec_from_a_thread_is_followed(void **state)
{
	struct watch watch = {.claim = "sleep"};
	struct launch *launch = start_self(&watch, "thread-exec");

	(void)state;
	poll_until_found(launch);
	assert_int_equal(watch.claimed, launch_pid(launch));
	assert_int_equal(launch_end(launch, 1000), 0);
	launch_free(launch);
}

static void many_processes_and_threads_run_to_their_end(void **state)
{
	struct watch watch = {0};

	(void)state;
	assert_exit(run_to_end(start_shell(&watch, "for i in 1 2 3 4 5 6 7 8; do (/bin/true; /bin/true) & done;"
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
	struct launch *launch = start_shell(&watch, "trap 'exit 9' USR1; while :; do sleep 0.02; done");

	(void)state;
	poll_for(launch, 200);
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
	poll_for(launch, 100);
	assert_true(proc_state(launch_pid(launch)) == 't' || proc_state(launch_pid(launch)) == 'T');
	/* It also stays stopped when let go. */
	launch_detach(launch);
	assert_false(launch_following(launch));
	sleep_ms(50);
	assert_int_equal(proc_state(launch_pid(launch)), 'T');
	kill(launch_pid(launch), SIGCONT);
	sleep_ms(50);
	assert_int_not_equal(proc_state(launch_pid(launch)), 'T');
	assert_int_equal(launch_end(launch, 1000), 0);
	launch_free(launch);
}

static void sigcont_wakes_a_followed_process(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "kill -STOP $$; exit 4");

	(void)state;
	poll_for(launch, 200);
	assert_int_equal(launch_status(launch), -1);
	kill(launch_pid(launch), SIGCONT);
	assert_exit(run_to_end(launch), 4);
}

static void command_that_ignores_sigterm_is_killed(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "trap '' TERM; while :; do sleep 0.02; done");

	(void)state;
	poll_for(launch, 200);
	assert_int_equal(launch_end(launch, 200), 0);
	assert_int_equal(WTERMSIG(launch_status(launch)), SIGKILL);
	launch_free(launch);
}

static void command_may_be_kept(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "while :; do sleep 0.02; done");
	pid_t pid = launch_pid(launch);

	(void)state;
	poll_for(launch, 50);
	launch_free(launch);
	sleep_ms(50);
	assert_false(dead(pid));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A process that launches a sleep, lets it run or not, says its id, and waits to be killed. */
static pid_t tracer_process(bool let_run, pid_t *command)
{
	struct watch watch = {0};
	char *argv[] = {"sleep", "100", NULL};
	struct launch *launch;
	pid_t tracer, pid;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	tracer = fork();
	assert_true(tracer >= 0);
	if (!tracer) {
		if (start(&launch, &watch, argv))
			_exit(1);
		if (let_run)
			poll_for(launch, 100);
		pid = launch_pid(launch);
		if (write(fds[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], command, sizeof(*command)), sizeof(*command));
	close(fds[0]);
	close(fds[1]);
	return tracer;
}

static void waiting_command_dies_with_the_tracer(void **state)
{
	pid_t command, tracer = tracer_process(false, &command);

	(void)state;
	assert_false(dead(command));
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
	assert_true(dead_within(command, 2000));
}

static void running_command_outlives_the_tracer(void **state)
{
	pid_t command, tracer = tracer_process(true, &command);

	(void)state;
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
	sleep_ms(100);
	assert_false(dead(command));
	kill(command, SIGKILL);
}

static void error_of_the_look_ends_the_launch(void **state)
{
	struct watch watch = {.error = -ENOSPC};
	char *argv[] = {"sleep", "100", NULL};
	struct launch *launch;

	(void)state;
	assert_int_equal(start(&launch, &watch, argv), -ENOSPC);
	assert_null(launch);
}

static void later_error_of_the_look_lets_all_go(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "sleep 0.05; exec sleep 0.2");
	int result;

	(void)state;
	watch.error = -ENOSPC;
	for (int ms = 0; (result = launch_poll(launch)) == 1; ms++) {
		assert_true(ms < PATIENCE_MS);
		sleep_ms(1);
	}
	assert_int_equal(result, -ENOSPC);
	assert_exit(run_to_end(launch), 0);
}

static void unknown_user_is_refused(void **state)
{
	struct launch_options options = {.argv = (char *[]){"true", NULL}, .user = "no-such-user",
					 .on_image = on_image};
	struct launch *launch;

	(void)state;
	assert_int_equal(launch_start(&launch, &options, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "no user 'no-such-user' on this system");
}

static void command_runs_as_another_user(void **state)
{
	char *argv[] = {"sh", "-c", "test \"$(id -un) $USER $LOGNAME $HOME\" = \"nobody nobody nobody /nonexistent\"",
			NULL};
	struct watch watch = {0};
	struct launch_options options = {.argv = argv, .user = "nobody", .on_image = on_image, .ctx = &watch};
	struct launch *launch;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(launch_start(&launch, &options, why, sizeof(why)), 0);
	assert_exit(run_to_end(launch), 0);
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
		cmocka_unit_test(command_that_ignores_sigterm_is_killed),
		cmocka_unit_test(command_may_be_kept),
		cmocka_unit_test(waiting_command_dies_with_the_tracer),
		cmocka_unit_test(running_command_outlives_the_tracer),
		cmocka_unit_test(error_of_the_look_ends_the_launch),
		cmocka_unit_test(later_error_of_the_look_lets_all_go),
		cmocka_unit_test(unknown_user_is_refused),
		cmocka_unit_test(command_runs_as_another_user),
	};

	/* Not through exit: LeakSanitizer does not work in a traced process. */
	if (argc > 1)
		_exit(command(argv[1]));
	/* Folders in PATH that may not be read would turn "not found" into "permission denied". */
	setenv("PATH", "/usr/bin:/bin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
