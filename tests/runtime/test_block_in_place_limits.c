// SPDX-License-Identifier: MIT
/* Blocking in place where no other thread can run the worker, at first or at all. */
#include "in_place.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct job {
	_Atomic bool *in;
	const _Atomic bool *go;
};

static void job(struct job *self)
{
	*self->in = true;
	await_flag(self->go);
}

/* A runtime whose pool may have one thread, which runs a job until it is told. */
static struct pollrt_runtime *occupied(unsigned int workers, _Atomic bool *in,
				       const _Atomic bool *go)
{
	struct pollrt_config config = {.workers = workers, .blocking_limit = 1};
	struct pollrt_runtime *rt;

	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	assert_int_equal(pollrt_spawn_blocking(rt, NULL, job, .in = in, .go = go), 0);
	await_flag(in);
	return rt;
}

static void at_the_limit_the_worker_is_kept(void **state)
{
	_Atomic bool job_in = false, job_go = false, in = false, go = false, later = false;
	struct pollrt_join handle;
	struct caller caller_state;
	struct pollrt_runtime *rt;

	(void)state;
	rt = occupied(1, &job_in, &job_go);
	assert_int_equal(pollrt_spawn(rt, &handle, caller, .call = {.in = &in, .go = &go}), 0);
	await_flag(&in);
	assert_int_equal(pollrt_spawn(rt, NULL, setter, .flag = &later), 0);
	usleep(5000);
	assert_false(later);
	go = true;
	caller_state = ended(rt, &handle);
	await_flag(&later);
	assert_string_equal(caller_state.call.name, "pollrt-block-1");
	assert_string_equal(caller_state.name_after, "pollrt-worker-0");
	assert_int_equal(metrics_of(rt).blocking_threads, 1);
	job_go = true;
	helper_finish(rt);
}

static void a_thread_that_gets_free_takes_the_worker(void **state)
{
	_Atomic bool job_in = false, job_go = false, in = false, go = false;
	struct pollrt_join handle;
	struct pollrt_runtime *rt;

	(void)state;
	rt = occupied(1, &job_in, &job_go);
	assert_int_equal(pollrt_spawn(rt, &handle, caller, .call = {.in = &in, .go = &go}), 0);
	await_flag(&in);
	assert_int_equal(pollrt_spawn(rt, NULL, setter, .flag = &go), 0);
	assert_false(go);
	job_go = true;
	assert_int_equal(ended(rt, &handle).status, 0);
	helper_finish(rt);
}

static void tasks_are_stolen_where_nobody_takes_the_worker(void **state)
{
	_Atomic bool job_in = false, job_go = false;
	struct pollrt_join handle;
	struct pollrt_runtime *rt;

	(void)state;
	rt = occupied(2, &job_in, &job_go);
	assert_int_equal(pollrt_spawn(rt, &handle, family), 0);
	assert_int_equal(await_join(rt, &handle), 0);
	pollrt_join_detach(&handle);
	job_go = true;
	helper_finish(rt);
}

/* In a process of its own that can make no more threads. Returns 0, or the line that failed. */
static int without_threads(void)
{
	struct pollrt_config config = {.workers = 1};
	struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
	_Atomic bool in = false, go = false, later = false;
	struct pollrt_runtime *rt, *other;
	struct pollrt_join handle;

	/* The limit does not hold for root, and counts all threads of a user. */
	if (!getuid() && setresuid(54321, 54321, 54321))
		return __LINE__;
	if (pollrt_runtime_create(&rt, &config))
		return __LINE__;
	if (setrlimit(RLIMIT_NPROC, &limit))
		return __LINE__;
	if (pollrt_runtime_create(&other, &config) != -EAGAIN)
		return __LINE__;
	if (pollrt_spawn(rt, &handle, caller, .call = {.in = &in, .go = &go}))
		return __LINE__;
	await_flag(&in);
	if (pollrt_spawn(rt, NULL, setter, .flag = &later))
		return __LINE__;
	go = true;
	if (await_join(rt, &handle) || handle.status ||
	    ((struct caller *)pollrt_join_state(&handle))->call.calls != 1)
		return __LINE__;
	pollrt_join_detach(&handle);
	await_flag(&later);
	if (metrics_of(rt).handovers != 1 || metrics_of(rt).blocking_threads)
		return __LINE__;
	pollrt_runtime_destroy(rt);
	return 0;
}

static void without_threads_it_is_a_plain_call(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		int line = without_threads();

		if (line)
			fprintf(stderr, "%s:%d\n", __FILE__, line);
		_exit(line != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_threads_it_is_a_plain_call),
		cmocka_unit_test(at_the_limit_the_worker_is_kept),
		cmocka_unit_test(a_thread_that_gets_free_takes_the_worker),
		cmocka_unit_test(tasks_are_stolen_where_nobody_takes_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
