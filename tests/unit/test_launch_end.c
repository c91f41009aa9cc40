// SPDX-License-Identifier: MIT
// links: attach util
/* How launched commands end, or do not begin. */
#include "tests/unit/launching.h"

static void command_that_ignores_sigterm_is_killed(void **state)
{
	struct watch watch = {0};
	struct launch *launch = start_shell(&watch, "trap '' TERM; while :; do sleep 0.02; done");

	(void)state;
	poll_until_disposed(launch, "SigIgn", SIGTERM);
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
			poll_until_state(launch, "S");
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
	await_death(command);
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
	struct launch_options options = {
		.argv = (char *[]){"true", NULL}, .user = "no-such-user", .on_image = on_image};
	struct launch *launch;

	(void)state;
	assert_int_equal(launch_start(&launch, &options, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "no user 'no-such-user' on this system");
}

static void command_runs_as_another_user(void **state)
{
	char *argv[] = {
		"sh", "-c",
		"test \"$(id -un) $USER $LOGNAME $HOME\" = \"nobody nobody nobody /nonexistent\"",
		NULL};
	struct watch watch = {0};
	struct launch_options options = {
		.argv = argv, .user = "nobody", .on_image = on_image, .ctx = &watch};
	struct launch *launch;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(launch_start(&launch, &options, why, sizeof(why)), 0);
	assert_exit(run_to_end(launch), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_that_ignores_sigterm_is_killed),
		cmocka_unit_test(command_may_be_kept),
		cmocka_unit_test(waiting_command_dies_with_the_tracer),
		cmocka_unit_test(running_command_outlives_the_tracer),
		cmocka_unit_test(error_of_the_look_ends_the_launch),
		cmocka_unit_test(later_error_of_the_look_lets_all_go),
		cmocka_unit_test(unknown_user_is_refused),
		cmocka_unit_test(command_runs_as_another_user),
	};

	/* Folders in PATH that may not be read would turn "not found" into "permission denied". */
	setenv("PATH", "/usr/bin:/bin", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
