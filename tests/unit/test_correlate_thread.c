// SPDX-License-Identifier: MIT
// links: core util
/* Workers, and jobs of the blocking pool. */
#include "capture.h"

static void thread(struct capture *capture, uint64_t at, uint32_t tid, const char *comm)
{
	capture->tid = tid;
	CAPTURE_EVENT(capture, at, EVENT_THREAD,
		      .thread = {.process = 0, .pid = CAPTURE_PID, .comm = comm});
}

static void totals(struct capture *capture, uint64_t at, uint64_t since, uint64_t blocked,
		   uint64_t runqueue, bool exited)
{
	CAPTURE_EVENT(capture, at, EVENT_THREAD_TOTALS,
		      .thread_totals = {.process = 0,
					.exited = exited,
					.since = CAPTURE_ORIGIN + since,
					.blocked_ns = blocked,
					.runqueue_ns = runqueue});
}

static void worker(struct capture *capture, uint64_t at, enum event_type type)
{
	CAPTURE_EVENT(capture, at, type, .worker = {.index = 0, .workers = 2, .runtime = 1});
}

static void worker_is_observed_from_the_start_and_split_both_ways(void **state)
{
	struct capture capture = capture_begin();
	const struct model_worker *found;

	(void)state;
	thread(&capture, 0, 11, "worker-0");
	worker(&capture, 20, EVENT_PARK);
	worker(&capture, 50, EVENT_UNPARK);
	capture_poll(&capture, 60, 70, 1);
	worker(&capture, 80, EVENT_PARK);
	totals(&capture, 100, 0, 60, 5, false);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->nworkers, 1);
	found = &capture.model->workers[0];
	assert_int_equal(found->tid, 11);
	assert_string_equal(found->name, "worker-0");
	assert_int_equal(found->polls, 1);
	assert_int_equal(found->observed_ns, 100);
	assert_int_equal(found->parked_ns, 30 + 20);
	assert_int_equal(found->busy_ns, 50);
	assert_int_equal(found->blocked_ns, 60);
	assert_int_equal(found->runqueue_ns, 5);
	assert_int_equal(found->on_cpu_ns, 35);
	assert_int_equal(capture.model->sources[0].workers, 2);
	capture_free(&capture);
}

/* The worker of a runtime with @workers says so. */
static void says(struct capture *capture, uint64_t at, uint32_t tid, uint64_t runtime,
		 uint32_t workers)
{
	thread(capture, at, tid, "w");
	CAPTURE_EVENT(capture, at, EVENT_PARK, .worker = {.workers = workers, .runtime = runtime});
	CAPTURE_EVENT(capture, at, EVENT_UNPARK,
		      .worker = {.workers = workers, .runtime = runtime});
}

/* Which has made more runtimes for single calls than numbers of workers are kept for, on 2 threads. */
static void runtimes_for_a_call_are_no_more_workers_than_threads(void **state)
{
	struct capture capture;

	(void)state;
	for (unsigned int several = 0; several < 2; several++) {
		capture = capture_begin();
		for (uint32_t runtime = 1; runtime <= 40; runtime++)
			says(&capture, runtime, 11 + runtime % 2, runtime, 1);
		if (several)
			says(&capture, 50, 11, 41, 3);
		capture_end(&capture, 100);
		/* Of the three of a runtime one was seen, which also is one of the two. */
		assert_int_equal(capture.model->sources[0].workers, several ? 3 + 1 : 2);
		capture_free(&capture);
	}
}

static void workers_of_many_runtimes_are_added_up(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	says(&capture, 10, 11, 1, 2);
	says(&capture, 20, 12, 2, 1);
	says(&capture, 30, 13, 3, 4);
	/* Another of the same, for the one before left it in order to block. */
	says(&capture, 40, 14, 2, 1);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->sources[0].workers, 2 + 1 + 4);
	capture_free(&capture);
}

static void park_inside(struct capture *capture, uint64_t from, uint64_t to)
{
	CAPTURE_EVENT(capture, from, EVENT_PARK, .flags = EVENT_INSIDE);
	CAPTURE_EVENT(capture, to, EVENT_UNPARK, .flags = EVENT_INSIDE);
}

/* Of a thread that polls from 10 to 30, and sleeps for 8 of them, and for 70 outside. */
static void assert_parked_outside_of_its_poll(struct capture *capture)
{
	CAPTURE_EVENT(
		capture, 30, EVENT_POLL,
		.poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 10, .blocked_ns = 8});
	totals(capture, 100, 0, 78, 0, false);
	capture_end(capture, 100);
	assert_int_equal(capture->model->workers[0].parked_ns, 70);
	assert_int_equal(capture->model->workers[0].busy_ns, 30);
	capture_free(capture);
}

static void thread_without_park_probes_is_parked_while_it_sleeps_outside_of_polls(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "blocks-on");
	assert_parked_outside_of_its_poll(&capture);
}

/* As main, which waits in block_on too, and polls there what drives a runtime of its own. */
static void parks_inside_of_polls_are_no_park_probes_of_a_thread(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "blocks-on");
	park_inside(&capture, 12, 20);
	assert_parked_outside_of_its_poll(&capture);
}

static void unpark_without_a_park_was_parked_since_the_start(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	worker(&capture, 30, EVENT_UNPARK);
	worker(&capture, 40, EVENT_PARK);
	worker(&capture, 50, EVENT_UNPARK);
	totals(&capture, 100, 0, 40, 0, false);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->workers[0].parked_ns, 40);
	capture_free(&capture);
}

static void lost_park_is_parked_since_the_last_poll(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 5, 10, 1);
	worker(&capture, 30, EVENT_UNPARK);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->workers[0].parked_ns, 20);
	capture_free(&capture);
}

static void thread_that_starts_and_exits_is_observed_in_between(void **state)
{
	struct capture capture = capture_begin();
	const struct model_worker *found;

	(void)state;
	thread(&capture, 30, 11, "first");
	worker(&capture, 31, EVENT_WORKER_START);
	totals(&capture, 50, 30, 5, 0, true);
	thread(&capture, 60, 11, "second");
	capture_poll(&capture, 70, 75, 1);
	totals(&capture, 100, 60, 0, 0, false);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->nworkers, 2);
	found = capture.model->workers;
	assert_string_equal(found[0].name, "first");
	assert_int_equal(found[0].observed_ns, 20);
	assert_int_equal(found[0].on_cpu_ns, 15);
	assert_string_equal(found[1].name, "second");
	assert_int_equal(found[1].observed_ns, 40);
	assert_int_equal(found[1].polls, 1);
	capture_free(&capture);
}

/* A worker of which a part was spent without one: parked for so long, with the totals that go with it. */
static void assert_parked(struct capture *capture, uint64_t parked)
{
	const struct model_worker *found;

	totals(capture, 100, 0, 40, 0, false);
	capture_end(capture, 100);
	assert_int_equal(capture->model->nworkers, 1);
	found = &capture->model->workers[0];
	assert_int_equal(found->observed_ns, 100);
	assert_int_equal(found->parked_ns, parked);
	assert_int_equal(found->busy_ns, 100 - parked);
	capture_free(capture);
}

static void thread_without_its_worker_is_parked(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 10, 20, 1);
	worker(&capture, 30, EVENT_WORKER_STOP);
	worker(&capture, 50, EVENT_WORKER_START);
	capture_poll(&capture, 60, 70, 1);
	worker(&capture, 90, EVENT_WORKER_STOP);
	assert_parked(&capture, 20 + 10);
}

static void poll_that_hands_over_its_worker_is_busy_to_its_end(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 0, 5, 1);
	worker(&capture, 20, EVENT_WORKER_STOP);
	capture_poll(&capture, 10, 40, 1);
	/* One of another runtime, in a job of the pool. */
	capture_poll(&capture, 50, 60, 1);
	worker(&capture, 75, EVENT_WORKER_START);
	worker(&capture, 80, EVENT_PARK);
	worker(&capture, 85, EVENT_UNPARK);
	assert_parked(&capture, 10 + 15 + 5);
}

static void worker_that_is_taken_back_in_the_poll_was_busy(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 0, 5, 1);
	worker(&capture, 20, EVENT_WORKER_STOP);
	worker(&capture, 30, EVENT_WORKER_START);
	worker(&capture, 40, EVENT_WORKER_STOP);
	worker(&capture, 50, EVENT_WORKER_START);
	capture_poll(&capture, 10, 60, 1);
	/* Now without, and then as before. */
	worker(&capture, 64, EVENT_WORKER_STOP);
	capture_poll(&capture, 62, 70, 1);
	worker(&capture, 72, EVENT_WORKER_START);
	worker(&capture, 76, EVENT_WORKER_STOP);
	worker(&capture, 78, EVENT_WORKER_START);
	capture_poll(&capture, 74, 80, 1);
	assert_parked(&capture, 2);
}

/* Which drives a runtime of its own: that one parks, not the worker. */
static void poll_that_parks_is_busy(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	worker(&capture, 2, EVENT_PARK);
	worker(&capture, 5, EVENT_UNPARK);
	park_inside(&capture, 12, 20);
	park_inside(&capture, 21, 30);
	capture_poll(&capture, 10, 40, 1);
	worker(&capture, 45, EVENT_PARK);
	worker(&capture, 50, EVENT_UNPARK);
	/* Of a poll that was taken to be open, and was not. */
	park_inside(&capture, 52, 59);
	capture_poll(&capture, 60, 65, 1);
	/* One that has not come to its end. */
	CAPTURE_EVENT(&capture, 80, EVENT_PARK, .flags = EVENT_INSIDE);
	CAPTURE_EVENT(&capture, 100, EVENT_POLL, .flags = EVENT_IN_PROGRESS,
		      .poll = {.task = 1, .kind = 1, .start = CAPTURE_ORIGIN + 70});
	assert_parked(&capture, 3 + 5 + 7);
}

static void thread_that_becomes_a_worker_was_parked_before(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "pool");
	worker(&capture, 60, EVENT_WORKER_START);
	worker(&capture, 70, EVENT_PARK);
	worker(&capture, 75, EVENT_UNPARK);
	assert_parked(&capture, 60 + 5);
}

static void thread_without_probes_is_no_worker(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "plain");
	capture_wake(&capture, 10, 1);
	totals(&capture, 100, 0, 5, 0, false);
	assert_int_equal(capture_end(&capture, 100)->nworkers, 0);
	capture_free(&capture);
}

static void what_totals_that_are_missing_would_tell_is_not_known(void **state)
{
	struct capture capture = capture_begin();
	const struct model_worker *found;

	(void)state;
	thread(&capture, 0, 11, "w");
	worker(&capture, 10, EVENT_PARK);
	worker(&capture, 20, EVENT_UNPARK);
	CAPTURE_EVENT(&capture, 50, EVENT_POLL,
		      .poll = {.task = 1,
			       .kind = 1,
			       .start = CAPTURE_ORIGIN + 30,
			       .blocked_ns = 7,
			       .runqueue_ns = 2});
	capture_end(&capture, 60);
	found = &capture.model->workers[0];
	assert_false(found->has_on_cpu);
	assert_int_equal(found->on_cpu_ns, 0);
	/* Parking shows itself. */
	assert_true(found->has_busy);
	assert_int_equal(found->parked_ns, 10);
	assert_int_equal(found->busy_ns, 50);
	capture_free(&capture);
}

static void worker_without_totals_and_park_probes_is_not_called_busy(void **state)
{
	struct capture capture = capture_begin();
	const struct model_worker *found;

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 30, 40, 1);
	capture_end(&capture, 60);
	found = &capture.model->workers[0];
	assert_int_equal(found->observed_ns, 60);
	assert_false(found->has_busy || found->has_on_cpu);
	assert_int_equal(found->busy_ns, 0);
	capture_free(&capture);
}

static void exec_ends_the_workers_of_before(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 10, 20, 1);
	capture_process(&capture, 40, 1, CAPTURE_PID, 1);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->nworkers, 1);
	assert_int_equal(capture.model->workers[0].observed_ns, 40);
	capture_free(&capture);
}

static void what_a_new_image_does_in_probes_of_the_old_one_is_nobodys(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	thread(&capture, 0, 11, "w");
	capture_poll(&capture, 10, 20, 1);
	capture_process(&capture, 40, 1, CAPTURE_PID, 1);
	capture.tid = 12;
	CAPTURE_EVENT(&capture, 45, EVENT_WORKER_START, .worker = {.workers = 1});
	capture_poll(&capture, 50, 60, 7);
	capture_source(&capture, 1, 1, UINT32_MAX);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->nworkers, 1);
	assert_int_equal(capture.model->workers[0].tid, 11);
	assert_int_equal(capture.model->ntasks, 1);
	capture_free(&capture);
}

static void job(struct capture *capture, uint64_t at, enum event_type type, uint64_t id)
{
	CAPTURE_EVENT(capture, at, type, .blocking = {.job = id, .kind = 1});
}

static void jobs_are_queued_and_run(void **state)
{
	struct capture capture = capture_begin();
	const struct model_job *found;

	(void)state;
	job(&capture, 10, EVENT_BLOCKING_QUEUE, 1);
	job(&capture, 15, EVENT_BLOCKING_START, 1);
	job(&capture, 35, EVENT_BLOCKING_END, 1);
	job(&capture, 40, EVENT_BLOCKING_QUEUE, 2);
	job(&capture, 41, EVENT_BLOCKING_START, 2);
	job(&capture, 50, EVENT_BLOCKING_END, 2);
	job(&capture, 60, EVENT_BLOCKING_QUEUE, 3);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->njobs, 1);
	found = &capture.model->jobs[0];
	assert_string_equal(found->name, "work");
	assert_string_equal(found->location, "work.c:7");
	assert_int_equal(found->jobs, 2);
	assert_int_equal(found->queued_ns, 5 + 1 + 40);
	assert_int_equal(found->run_ns, 20 + 9);
	assert_int_equal(found->wait_ns.max, 40);
	assert_int_equal(found->run.p50, 9);
	assert_int_equal(found->run.max, 20);
	/* A job is no task. */
	assert_int_equal(capture.model->ntypes, 0);
	capture_free(&capture);
}

static void job_older_than_the_capture_ran_since_its_start(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	job(&capture, 30, EVENT_BLOCKING_END, 1);
	job(&capture, 40, EVENT_BLOCKING_START, 2);
	capture_end(&capture, 100);
	assert_int_equal(capture.model->jobs[0].jobs, 1);
	assert_int_equal(capture.model->jobs[0].run_ns, 30 + 60);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_is_observed_from_the_start_and_split_both_ways),
		cmocka_unit_test(runtimes_for_a_call_are_no_more_workers_than_threads),
		cmocka_unit_test(workers_of_many_runtimes_are_added_up),
		cmocka_unit_test(
			thread_without_park_probes_is_parked_while_it_sleeps_outside_of_polls),
		cmocka_unit_test(parks_inside_of_polls_are_no_park_probes_of_a_thread),
		cmocka_unit_test(unpark_without_a_park_was_parked_since_the_start),
		cmocka_unit_test(lost_park_is_parked_since_the_last_poll),
		cmocka_unit_test(thread_that_starts_and_exits_is_observed_in_between),
		cmocka_unit_test(thread_without_its_worker_is_parked),
		cmocka_unit_test(poll_that_hands_over_its_worker_is_busy_to_its_end),
		cmocka_unit_test(worker_that_is_taken_back_in_the_poll_was_busy),
		cmocka_unit_test(poll_that_parks_is_busy),
		cmocka_unit_test(thread_that_becomes_a_worker_was_parked_before),
		cmocka_unit_test(thread_without_probes_is_no_worker),
		cmocka_unit_test(what_totals_that_are_missing_would_tell_is_not_known),
		cmocka_unit_test(worker_without_totals_and_park_probes_is_not_called_busy),
		cmocka_unit_test(exec_ends_the_workers_of_before),
		cmocka_unit_test(what_a_new_image_does_in_probes_of_the_old_one_is_nobodys),
		cmocka_unit_test(jobs_are_queued_and_run),
		cmocka_unit_test(job_older_than_the_capture_ran_since_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
