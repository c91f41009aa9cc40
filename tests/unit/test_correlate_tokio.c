// SPDX-License-Identifier: MIT
// links: core util
/*
 * What an unmodified Tokio lacks: kinds are named when all is over, tasks are seen at their first poll at
 * the earliest, ends may be told twice or without a life, and workers may pass for blocking jobs.
 */
#include "capture.h"

#define TOKIO (EVENT_CAN_POLL | EVENT_CAN_WAKE | EVENT_CAN_TERMINATE | EVENT_CAN_BLOCKING)
#define KIND_A 0x1000
#define KIND_B 0x2000
#define KIND_C 0x3000

static struct capture begin(const char *glob, uint32_t capabilities)
{
	const struct correlate_options options = {
		.tasks = 2, .slowest = 2, .type_glob = glob, .syscall_name = capture_syscall};
	struct capture capture = capture_begin_with(&options);

	capture_source(&capture, 1, 0, capabilities);
	capture.source = 1;
	return capture;
}

static void poll(struct capture *capture, uint64_t start, uint64_t end, uint64_t task,
		 uint64_t kind)
{
	CAPTURE_EVENT(capture, end, EVENT_POLL,
		      .poll = {.task = task, .kind = kind, .start = CAPTURE_ORIGIN + start});
}

static void end_of(struct capture *capture, uint64_t at, uint64_t task, uint64_t kind,
		   bool cancelled)
{
	CAPTURE_EVENT(capture, at, EVENT_TERMINATE,
		      .terminate = {.task = task, .cancelled = cancelled, .kind = kind});
}

static void name(struct capture *capture, uint64_t kind, const char *type, const char *full)
{
	CAPTURE_EVENT(capture, 5000, EVENT_KIND,
		      .kind = {.kind = kind,
			       .line = 42,
			       .type = type,
			       .file = "src/main.rs",
			       .full = full});
}

/* Ends the capture; kinds are named behind its end. */
static const struct model *finish(struct capture *capture)
{
	CAPTURE_EVENT(capture, 1000, EVENT_CAPTURE_END,
		      .capture_end = {.reason = EVENT_END_DURATION});
	name(capture, KIND_A, "app::echo", "app::echo<TcpStream>::{closure}");
	name(capture, KIND_B, "app::echo", "app::echo<UnixStream>::{closure}");
	name(capture, KIND_C, "", "");
	capture->model = correlator_finish(capture->correlator);
	assert_non_null(capture->model);
	capture_check(capture->model);
	return capture->model;
}

static void kinds_named_at_the_end_of_one_name_and_place_are_one_type(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_type *type;
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	poll(&capture, 30, 50, 2, KIND_B);
	poll(&capture, 60, 65, 3, KIND_A);
	model = finish(&capture);
	assert_int_equal(model->ntypes, 1);
	type = capture_type(model, "app::echo");
	assert_string_equal(type->location, "src/main.rs:42");
	assert_int_equal(type->tasks, 3);
	assert_int_equal(type->times.polling_ns, 35);
	assert_int_equal(type->full.count, 2);
	assert_string_equal(type->full.types[0], "app::echo<TcpStream>::{closure}");
	assert_string_equal(type->full.types[1], "app::echo<UnixStream>::{closure}");
	capture_free(&capture);
}

static void a_place_is_a_name_where_there_is_no_better(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_type *type;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_C);
	type = capture_type(finish(&capture), "main.rs:42");
	assert_string_equal(type->location, "src/main.rs:42");
	assert_int_equal(type->full.count, 0);
	capture_free(&capture);
}

static void what_was_asked_for_is_not_crowded_out_before_it_has_a_name(void **state)
{
	struct capture capture = begin("app::*", TOKIO);
	const struct model *model;

	(void)state;
	for (uint64_t i = 0; i < 9; i++)
		poll(&capture, 100 + i * 50, 140 + i * 50, 10 + i, KIND_C);
	poll(&capture, 10, 20, 1, KIND_A);
	poll(&capture, 20, 25, 2, KIND_B);
	poll(&capture, 30, 36, 3, KIND_A);
	poll(&capture, 40, 60, 4, KIND_B);
	capture_sleep(&capture, 61, 62, 62, 75);
	model = finish(&capture);
	assert_int_equal(model->ntypes, 1);
	assert_int_equal(model->nslowest, 2);
	assert_int_equal(model->slowest[0].task, 4);
	assert_int_equal(model->slowest[1].task, 1);
	assert_int_equal(model->ntasks, 2);
	assert_int_equal(model->tasks[0].id, 4);
	assert_int_equal(model->tasks[1].id, 1);
	for (size_t i = 0; i < model->nweights; i++)
		assert_int_equal(model->weights[i].type, 0);
	assert_int_equal(model->non_cpu, 1);
	assert_int_equal(model->on_cpu[0].ns, 41);
	capture_free(&capture);
}

static void a_task_lives_from_its_first_event(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_task *task;
	const struct model *model;

	(void)state;
	capture_wake(&capture, 100, 1);
	poll(&capture, 150, 170, 1, KIND_A);
	poll(&capture, 200, 240, 2, KIND_A);
	capture_wake(&capture, 300, 2);
	poll(&capture, 310, 320, 2, KIND_A);
	model = finish(&capture);
	task = capture_task(model, 1);
	assert_int_equal(task->times.lifetime_ns, 900);
	assert_int_equal(task->times.scheduled_ns, 50);
	task = capture_task(model, 2);
	assert_int_equal(task->times.lifetime_ns, 800);
	assert_int_equal(task->times.scheduled_ns, 10);
	assert_int_equal(model->capture.unmatched_wakes, 0);
	assert_int_equal(model->ntypes, 1);
	capture_free(&capture);
}

static void tasks_that_were_only_woken_are_unknown(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model *model;

	(void)state;
	capture_wake(&capture, 100, 1);
	model = finish(&capture);
	assert_int_equal(capture_type(model, "[unknown]")->alive, 1);
	assert_int_equal(capture_task(model, 1)->state, MODEL_SCHEDULED);
	capture_free(&capture);
}

static void an_end_counts_once(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_type *type;
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	end_of(&capture, 20, 1, KIND_A, false);
	end_of(&capture, 30, 1, KIND_A, true);
	end_of(&capture, 600, 1, KIND_A, true);
	model = finish(&capture);
	type = capture_type(model, "app::echo");
	assert_int_equal(type->tasks, 1);
	assert_int_equal(type->alive, 0);
	assert_int_equal(model->ntasks, 1);
	assert_int_equal(model->tasks[0].state, MODEL_DONE);
	assert_int_equal(model->tasks[0].times.lifetime_ns, 10);
	capture_free(&capture);
}

static void a_task_seen_at_its_end_only_is_of_the_type_that_is_told(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_type *type;

	(void)state;
	end_of(&capture, 20, 1, KIND_A, true);
	capture_wake(&capture, 30, 2);
	end_of(&capture, 40, 2, KIND_A, true);
	type = capture_type(finish(&capture), "app::echo");
	assert_int_equal(capture.model->ntypes, 1);
	assert_int_equal(type->tasks, 2);
	assert_int_equal(type->polls, 0);
	assert_int_equal(capture.model->tasks[0].state, MODEL_CANCELLED);
	capture_free(&capture);
}

static void a_wake_after_the_end_brings_no_task_back(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	end_of(&capture, 20, 1, KIND_A, false);
	capture_wake(&capture, 40, 1);
	model = finish(&capture);
	assert_int_equal(capture_type(model, "app::echo")->tasks, 1);
	assert_int_equal(capture_type(model, "app::echo")->alive, 0);
	assert_int_equal(model->ntypes, 1);
	capture_free(&capture);
}

static void a_task_polled_after_its_end_is_still_one(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model_type *type;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	end_of(&capture, 20, 1, KIND_A, false);
	poll(&capture, 100, 120, 1, KIND_A);
	type = capture_type(finish(&capture), "app::echo");
	assert_int_equal(type->tasks, 1);
	assert_int_equal(type->alive, 1);
	assert_int_equal(type->polls, 2);
	assert_int_equal(type->times.polling_ns, 30);
	assert_int_equal(type->times.lifetime_ns, 10 + 900);
	capture_free(&capture);
}

static void a_reused_id_is_another_task(void **state)
{
	struct capture capture = begin(NULL, TOKIO | EVENT_IDS_REUSED);
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	end_of(&capture, 20, 1, KIND_A, false);
	poll(&capture, 100, 120, 1, KIND_A);
	/* Its end was not seen, but what has its id now is of another kind. */
	poll(&capture, 200, 230, 1, KIND_C);
	model = finish(&capture);
	assert_int_equal(capture_type(model, "app::echo")->tasks, 2);
	assert_int_equal(capture_type(model, "app::echo")->alive, 0);
	assert_int_equal(capture_type(model, "app::echo")->times.lifetime_ns, 30);
	assert_int_equal(capture_type(model, "main.rs:42")->tasks, 1);
	assert_int_equal(capture_type(model, "main.rs:42")->times.polling_ns, 30);
	capture_free(&capture);
}

static void poll_told_after_its_tasks_end_is_its_tasks(void **state)
{
	struct capture capture = begin(NULL, TOKIO | EVENT_POLLS_OVERLAP);
	const struct model *model;

	(void)state;
	poll(&capture, 10, 20, 1, KIND_A);
	/* Another thread polls the task to its end while the function that polled it before returns. */
	poll(&capture, 34, 40, 1, KIND_A);
	end_of(&capture, 41, 1, KIND_A, false);
	poll(&capture, 30, 42, 1, KIND_A);
	model = finish(&capture);
	assert_int_equal(capture_type(model, "app::echo")->polls, 3);
	assert_int_equal(capture_type(model, "app::echo")->alive, 0);
	assert_int_equal(model->ntasks, 1);
	assert_int_equal(model->tasks[0].polls, 3);
	assert_int_equal(model->tasks[0].times.polling_ns, 10 + 6 + 2);
	capture_free(&capture);
}

static void job(struct capture *capture, uint64_t at, uint8_t type, uint64_t id)
{
	CAPTURE_EVENT(capture, at, type, .blocking = {.job = id, .kind = KIND_A});
}

static void jobs_have_no_wait_where_none_is_queued(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model *model;

	(void)state;
	job(&capture, 50, EVENT_BLOCKING_END, 6); /* older than the capture */
	job(&capture, 100, EVENT_BLOCKING_START, 7);
	job(&capture, 150, EVENT_BLOCKING_END, 7);
	job(&capture, 900, EVENT_BLOCKING_START, 8);
	model = finish(&capture);
	assert_int_equal(model->njobs, 1);
	assert_string_equal(model->jobs[0].name, "app::echo");
	assert_int_equal(model->jobs[0].jobs, 2);
	assert_int_equal(model->jobs[0].running, 1);
	assert_int_equal(model->jobs[0].run_ns, 50 + 50 + 100);
	assert_false(model->jobs[0].has_wait);
	assert_int_equal(model->jobs[0].full.count, 1);
	assert_int_equal(model->ntypes, 0);
	capture_free(&capture);
}

static void a_job_that_polls_tasks_is_a_worker(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model *model;

	(void)state;
	job(&capture, 10, EVENT_BLOCKING_START, 7);
	poll(&capture, 20, 30, 1, KIND_C);
	job(&capture, 40, EVENT_BLOCKING_END, 7);
	capture.tid = 11; /* has not ended */
	job(&capture, 50, EVENT_BLOCKING_START, 8);
	poll(&capture, 60, 70, 1, KIND_C);
	capture.tid = 12; /* began before the capture */
	poll(&capture, 80, 90, 1, KIND_C);
	job(&capture, 100, EVENT_BLOCKING_END, 9);
	/* A thread of the pool runs what it is given: this one does block. */
	job(&capture, 200, EVENT_BLOCKING_START, 10);
	job(&capture, 250, EVENT_BLOCKING_END, 10);
	model = finish(&capture);
	assert_int_equal(model->njobs, 1);
	assert_int_equal(model->jobs[0].jobs, 1);
	assert_int_equal(model->jobs[0].run_ns, 50);
	assert_int_equal(model->nworkers, 3);
	capture_free(&capture);
}

static void a_worker_without_park_probes_is_parked_while_it_sleeps_outside_of_polls(void **state)
{
	struct capture capture = begin(NULL, TOKIO);
	const struct model *model;

	(void)state;
	CAPTURE_EVENT(&capture, 0, EVENT_THREAD, .thread = {.pid = CAPTURE_PID, .comm = "worker"});
	poll(&capture, 100, 200, 1, KIND_A);
	CAPTURE_EVENT(&capture, 400, EVENT_POLL,
		      .poll = {.task = 1,
			       .kind = KIND_A,
			       .start = CAPTURE_ORIGIN + 300,
			       .blocked_ns = 60});
	CAPTURE_EVENT(&capture, 1000, EVENT_THREAD_TOTALS,
		      .thread_totals = {.since = CAPTURE_ORIGIN, .blocked_ns = 760});
	model = finish(&capture);
	assert_int_equal(model->nworkers, 1);
	assert_int_equal(model->workers[0].parked_ns, 700);
	assert_int_equal(model->workers[0].busy_ns, 300);
	assert_int_equal(model->workers[0].on_cpu_ns, 240);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_named_at_the_end_of_one_name_and_place_are_one_type),
		cmocka_unit_test(a_place_is_a_name_where_there_is_no_better),
		cmocka_unit_test(what_was_asked_for_is_not_crowded_out_before_it_has_a_name),
		cmocka_unit_test(a_task_lives_from_its_first_event),
		cmocka_unit_test(tasks_that_were_only_woken_are_unknown),
		cmocka_unit_test(an_end_counts_once),
		cmocka_unit_test(a_task_seen_at_its_end_only_is_of_the_type_that_is_told),
		cmocka_unit_test(a_wake_after_the_end_brings_no_task_back),
		cmocka_unit_test(a_task_polled_after_its_end_is_still_one),
		cmocka_unit_test(a_reused_id_is_another_task),
		cmocka_unit_test(poll_told_after_its_tasks_end_is_its_tasks),
		cmocka_unit_test(jobs_have_no_wait_where_none_is_queued),
		cmocka_unit_test(a_job_that_polls_tasks_is_a_worker),
		cmocka_unit_test(
			a_worker_without_park_probes_is_parked_while_it_sleeps_outside_of_polls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
