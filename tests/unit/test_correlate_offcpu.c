// SPDX-License-Identifier: MIT
// links: core util
/* Off-CPU time: causes, nesting, threads that were not settled, and what is lost. */
#include <sys/stat.h>

#include "capture.h"

/* A poll with off-CPU times, `depth` polls around it. */
static void poll(struct capture *capture, uint64_t task, uint64_t start, uint64_t end,
		 uint64_t blocked, uint64_t runqueue, uint8_t depth, uint8_t flags)
{
	CAPTURE_EVENT(capture, end, EVENT_POLL, .flags = flags,
		      .poll = {.task = task,
			       .kind = task == 1 ? 1 : 2,
			       .start = CAPTURE_ORIGIN + start,
			       .blocked_ns = blocked,
			       .runqueue_ns = runqueue,
			       .depth = depth});
}

/* Asleep until `at`, in task 1. */
static void sleep_on(struct capture *capture, uint64_t out, uint64_t at, uint8_t cause,
		     uint64_t ino, uint32_t mode, const char *name)
{
	CAPTURE_EVENT(capture, at, EVENT_OFFCPU,
		      .offcpu = {.task = 1,
				 .kind = 1,
				 .out = CAPTURE_ORIGIN + out,
				 .wake = CAPTURE_ORIGIN + at,
				 .cause = cause,
				 .syscall = 75,
				 .file_dev = ino ? 5 : 0,
				 .file_ino = ino,
				 .file_mode = mode,
				 .file_name = name});
}

static void interval_splits_into_blocked_and_run_queue(void **state)
{
	struct capture capture = capture_begin();
	const struct model_cause *cause;
	const struct model_type *type;

	(void)state;
	capture_spawn(&capture, 0, 1);
	capture_sleep(&capture, 20, 60, 65, 35);
	poll(&capture, 1, 10, 100, 40, 5, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(type->times.blocked_ns, 40);
	assert_int_equal(type->times.runqueue_ns, 5);
	assert_int_equal(type->times.on_cpu_ns, 45);
	assert_int_equal(type->ncauses, 1);
	cause = capture_cause(type, "nanosleep", NULL);
	assert_string_equal(cause->kind, "syscall");
	assert_int_equal(cause->count, 1);
	assert_int_equal(cause->total_ns, 40);
	assert_int_equal(cause->max_ns, 40);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_BLOCKED, "nanosleep"), 40);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_RUNQUEUE, NULL), 5);
	assert_int_equal(capture.model->capture.uncertain_ns, 0);
	assert_int_equal(capture.model->nstacks, 1);
	assert_int_equal(capture.model->stacks[0].nkernel, 1);
	assert_int_equal(capture.model->stacks[0].nuser, 2);
	assert_int_equal(capture.model->stacks[0].frames[2], 3);
	capture_free(&capture);
}

static void preemption_is_no_cause(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	sleep_on(&capture, 20, 30, EVENT_CAUSE_RUNQUEUE, 0, 0, "");
	poll(&capture, 1, 10, 100, 0, 10, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(type->ncauses, 0);
	assert_int_equal(type->times.runqueue_ns, 10);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_RUNQUEUE, NULL), 10);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_BLOCKED, NULL), 0);
	capture_free(&capture);
}

static void causes_are_named_by_what_was_waited_for(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_sleep(&capture, 10, 11, 11, 202);
	capture_sleep(&capture, 12, 13, 13, 999);
	sleep_on(&capture, 14, 15, EVENT_CAUSE_PAGE_FAULT, 0, 0, "");
	sleep_on(&capture, 16, 17, EVENT_CAUSE_MEMORY, 0, 0, "");
	sleep_on(&capture, 18, 19, EVENT_CAUSE_STOPPED, 0, 0, "");
	sleep_on(&capture, 20, 21, EVENT_CAUSE_OTHER, 0, 0, "");
	sleep_on(&capture, 22, 23, 77, 0, 0, "");
	poll(&capture, 1, 10, 100, 7, 0, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_string_equal(capture_cause(type, "futex", NULL)->kind, "futex");
	assert_string_equal(capture_cause(type, "syscall_999", NULL)->kind, "syscall");
	assert_string_equal(capture_cause(type, "page-fault", NULL)->kind, "memory");
	assert_string_equal(capture_cause(type, "memory", NULL)->kind, "memory");
	assert_string_equal(capture_cause(type, "stopped", NULL)->kind, "stopped");
	assert_string_equal(capture_cause(type, "other", NULL)->kind, "other");
	assert_int_equal(capture_cause(type, "other", NULL)->count, 2);
	assert_int_equal(type->ncauses, 6);
	capture_free(&capture);
}

static void targets_are_paths_names_or_inodes(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	sleep_on(&capture, 10, 15, EVENT_CAUSE_SYSCALL, 1, S_IFREG, "log");
	sleep_on(&capture, 20, 21, EVENT_CAUSE_SYSCALL, 2, S_IFREG, "data");
	sleep_on(&capture, 22, 23, EVENT_CAUSE_SYSCALL, 3, S_IFSOCK, "");
	sleep_on(&capture, 24, 25, EVENT_CAUSE_SYSCALL, 4, S_IFIFO, "");
	sleep_on(&capture, 26, 27, EVENT_CAUSE_SYSCALL, 0, 0, "");
	CAPTURE_EVENT(&capture, 28, EVENT_PATH, .path = {.dev = 5, .ino = 1, .path = "/var/log"});
	CAPTURE_EVENT(&capture, 28, EVENT_PATH, .path = {.dev = 6, .ino = 2, .path = "/not/it"});
	poll(&capture, 1, 10, 100, 9, 0, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(type->ncauses, 5);
	assert_int_equal(capture_cause(type, "fdatasync", "/var/log")->total_ns, 5);
	assert_int_equal(capture_cause(type, "fdatasync", "data")->total_ns, 1);
	assert_int_equal(capture_cause(type, "fdatasync", "socket:[3]")->total_ns, 1);
	assert_int_equal(capture_cause(type, "fdatasync", "pipe:[4]")->total_ns, 1);
	assert_int_equal(capture_cause(type, "fdatasync", NULL)->total_ns, 1);
	assert_string_equal(type->causes[0].target, "/var/log");
	capture_free(&capture);
}

static void too_many_targets_are_folded_and_counted(void **state)
{
	struct capture capture = capture_begin();
	const struct model_cause *others;
	const struct model_type *type;

	(void)state;
	for (uint64_t i = 1; i <= 200; i++)
		sleep_on(&capture, i * 10, i * 10 + 1, EVENT_CAUSE_SYSCALL, i, S_IFSOCK, "");
	poll(&capture, 1, 5, 3000, 200, 0, 0, 0);
	for (uint64_t i = 301; i <= 400; i++)
		sleep_on(&capture, i * 10, i * 10 + 1, EVENT_CAUSE_SYSCALL, i, S_IFSOCK, "");
	poll(&capture, 1, 3000, 5000, 100, 0, 0, 0);
	type = capture_type(capture_end(&capture, 5000), "work");
	assert_int_equal(type->ncauses, 65);
	others = capture_cause(type, "fdatasync", "[others]");
	assert_int_equal(others->count, 300 - 64);
	assert_int_equal(others->total_ns, 300 - 64);
	assert_int_equal(capture.model->capture.uncertain_ns, 0);
	capture_free(&capture);
}

static void lost_interval_becomes_unknown_and_uncertain(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_sleep(&capture, 20, 30, 30, 35);
	poll(&capture, 1, 10, 100, 25, 0, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(capture_cause(type, "nanosleep", NULL)->total_ns, 10);
	assert_int_equal(capture_cause(type, "unknown", NULL)->total_ns, 15);
	assert_string_equal(capture_cause(type, "unknown", NULL)->kind, "other");
	assert_int_equal(capture.model->capture.uncertain_ns, 15);
	capture_free(&capture);
}

static void more_sleep_than_the_poll_says_is_cut(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_sleep(&capture, 20, 40, 40, 35);
	poll(&capture, 1, 10, 100, 5, 0, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(capture_cause(type, "nanosleep", NULL)->total_ns, 5);
	assert_int_equal(capture_cause(type, "nanosleep", NULL)->max_ns, 5);
	assert_int_equal(capture.model->capture.uncertain_ns, 15);
	capture_free(&capture);
}

static void off_cpu_times_never_exceed_the_poll(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	poll(&capture, 1, 10, 30, UINT64_MAX, UINT64_MAX, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(type->times.blocked_ns, 20);
	assert_int_equal(type->times.runqueue_ns, 0);
	capture_free(&capture);
}

static void sleep_of_a_poll_that_was_lost_is_uncertain_and_not_the_next_ones(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	capture_sleep(&capture, 20, 30, 30, 35);
	poll(&capture, 1, 40, 100, 0, 0, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(type->ncauses, 0);
	assert_int_equal(capture.model->capture.uncertain_ns, 10);
	capture_free(&capture);
}

static void sleep_of_a_nested_poll_counts_for_both_and_weighs_once(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *outer, *inner;
	const struct model *model;

	(void)state;
	/* Task 2 [10, 100] sleeps [12, 15]; in it task 1 [20, 50] sleeps [30, 40]; 2 sleeps [60,
	 * 70]. */
	for (int i = 0; i < 2; i++) {
		if (i)
			capture_sleep(&capture, 30, 40, 40, 35);
		if (i)
			poll(&capture, 1, 20, 50, 10, 0, 1, 0);
		CAPTURE_EVENT(&capture, i ? 70 : 15, EVENT_OFFCPU,
			      .offcpu = {.task = 2,
					 .kind = 2,
					 .out = CAPTURE_ORIGIN + (i ? 60 : 12),
					 .wake = CAPTURE_ORIGIN + (i ? 70 : 15),
					 .cause = EVENT_CAUSE_SYSCALL,
					 .syscall = 75,
					 .file_name = ""});
	}
	poll(&capture, 2, 10, 100, 23, 0, 0, 0);
	model = capture_end(&capture, 100);
	outer = capture_type(model, "other");
	inner = capture_type(model, "work");
	assert_int_equal(capture_cause(outer, "nanosleep", NULL)->total_ns, 10);
	assert_int_equal(capture_cause(outer, "fdatasync", NULL)->total_ns, 13);
	assert_int_equal(capture_cause(outer, "fdatasync", NULL)->count, 2);
	assert_int_equal(capture_cause(inner, "nanosleep", NULL)->total_ns, 10);
	assert_int_equal(inner->ncauses, 1);
	assert_int_equal(capture_weight(model, MODEL_WEIGHT_BLOCKED, NULL), 23);
	assert_int_equal(model->capture.nested_polls, 1);
	assert_int_equal(model->capture.uncertain_ns, 0);
	/* On CPU: outer 90 - 23 = 67, of which inner 20. */
	assert_int_equal(model->non_cpu, 2);
	assert_int_equal(model->on_cpu[0].ns + model->on_cpu[1].ns, 67);
	assert_int_equal(model->on_cpu[inner - model->types].ns, 20);
	assert_int_equal(model->on_cpu[outer - model->types].ns, 47);
	capture_free(&capture);
}

static void siblings_nested_deeply_keep_their_own_sleeps(void **state)
{
	struct capture capture = capture_begin();
	const struct model_task *task;
	const struct model *model;

	(void)state;
	/* 100 holds 10 times: 200 + i, which holds 300 + i, which sleeps 5 of 10. */
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t at = 100 * i;

		CAPTURE_EVENT(&capture, at + 35, EVENT_OFFCPU,
			      .offcpu = {.task = 300 + i,
					 .kind = 2,
					 .out = CAPTURE_ORIGIN + at + 30,
					 .wake = CAPTURE_ORIGIN + at + 35,
					 .cause = EVENT_CAUSE_SYSCALL,
					 .syscall = 35,
					 .file_name = ""});
		poll(&capture, 300 + i, at + 29, at + 39, 5, 0, 2, 0);
		poll(&capture, 200 + i, at + 20, at + 50, 5, 0, 1, 0);
	}
	poll(&capture, 100, 10, 1000, 50, 0, 0, 0);
	model = capture_end(&capture, 1000);
	task = capture_task(model, 100);
	assert_int_equal(task->times.blocked_ns, 50);
	assert_int_equal(task->times.on_cpu_ns, 940);
	task = capture_task(model, 205);
	assert_int_equal(task->times.blocked_ns, 5);
	assert_int_equal(model->capture.uncertain_ns, 0);
	assert_int_equal(model->on_cpu[0].ns, 940);
	assert_int_equal(capture_cause(&model->types[0], "nanosleep", NULL)->count, 30);
	capture_free(&capture);
}

static void long_poll_of_many_sleeps_stays_exact(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;
	uint64_t sleeps = 20000;

	(void)state;
	for (uint64_t i = 0; i < sleeps; i++) {
		uint64_t at = 1000 + i * 10;

		if (i % 5)
			sleep_on(&capture, at, at + 3, EVENT_CAUSE_SYSCALL, i % 300 + 1, S_IFREG,
				 "f");
		else
			capture_sleep(&capture, at, at + 3, at + 3, i % 40);
		/* In between, nested polls that hold none of them */
		if (i % 7 == 0)
			poll(&capture, 2, at + 4, at + 5, 0, 0, 1, 0);
	}
	poll(&capture, 1, 1000, 500000, sleeps * 3, 0, 0, 0);
	type = capture_type(capture_end(&capture, 500000), "work");
	assert_int_equal(type->times.blocked_ns, sleeps * 3);
	assert_int_equal(capture.model->capture.uncertain_ns, 0);
	assert_int_equal(capture_type(capture.model, "other")->ncauses, 0);
	capture_free(&capture);
}

static void unsettled_sleep_counts_in_a_poll_older_than_the_capture(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(&capture, 20, EVENT_OFFCPU, .flags = EVENT_UNSETTLED,
		      .offcpu = {.out = 5,
				 .wake = CAPTURE_ORIGIN + 18,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = 35,
				 .file_name = ""});
	poll(&capture, 1, 0, 40, 18, 2, 0, EVENT_CLIPPED);
	type = capture_type(capture_end(&capture, 50), "work");
	assert_int_equal(capture_cause(type, "nanosleep", NULL)->total_ns, 18);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_BLOCKED, "nanosleep"), 18);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_RUNQUEUE, NULL), 2);
	assert_int_equal(capture.model->capture.uncertain_ns, 0);
	capture_free(&capture);
}

static void unsettled_sleep_of_a_thread_in_no_poll_is_dropped(void **state)
{
	struct capture capture = capture_begin();
	const struct model_type *type;

	(void)state;
	CAPTURE_EVENT(&capture, 20, EVENT_OFFCPU, .flags = EVENT_UNSETTLED,
		      .offcpu = {.out = 5,
				 .wake = CAPTURE_ORIGIN + 20,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = 35,
				 .file_name = ""});
	poll(&capture, 1, 30, 40, 0, 0, 0, 0);
	poll(&capture, 1, 0, 50, 0, 0, 0, EVENT_CLIPPED);
	type = capture_type(capture_end(&capture, 50), "work");
	assert_int_equal(type->ncauses, 0);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_BLOCKED, NULL), 0);
	capture_free(&capture);
}

static void slowest_polls_name_what_blocked_them_longest(void **state)
{
	struct capture capture = capture_begin();
	const struct model_slow_poll *slow;

	(void)state;
	capture_sleep(&capture, 20, 30, 30, 35);
	sleep_on(&capture, 40, 48, EVENT_CAUSE_SYSCALL, 1, S_IFREG, "a");
	sleep_on(&capture, 50, 55, EVENT_CAUSE_SYSCALL, 2, S_IFREG, "b");
	poll(&capture, 1, 10, 100, 23, 0, 0, 0);
	for (uint64_t i = 0; i < 20; i++)
		poll(&capture, 2, 200 + i * 10, 200 + i * 10 + i % 9, 0, 0, 0, 0);
	capture_end(&capture, 1000);
	assert_int_equal(capture.model->nslowest, 10);
	slow = &capture.model->slowest[0];
	assert_int_equal(slow->poll_ns, 90);
	assert_int_equal(slow->start_ns, 10);
	assert_int_equal(slow->tid, 10);
	assert_string_equal(slow->cause, "fdatasync");
	assert_int_equal(slow->stack, MODEL_NO_STACK);
	slow = &capture.model->slowest[1];
	assert_int_equal(slow->poll_ns, 8);
	assert_null(slow->cause);
	for (size_t i = 2; i < 10; i++)
		assert_true(slow[i - 1].poll_ns <= slow[i - 2].poll_ns);
	capture_free(&capture);
}

/* Off CPU in task 1, with a stack of one frame. */
static void off_cpu_at(struct capture *capture, uint64_t out, uint64_t wake, uint64_t in,
		       uint64_t frame)
{
	CAPTURE_EVENT(capture, in, EVENT_OFFCPU,
		      .offcpu = {.task = 1,
				 .kind = 1,
				 .out = CAPTURE_ORIGIN + out,
				 .wake = CAPTURE_ORIGIN + wake,
				 .cause = wake > out ? EVENT_CAUSE_SYSCALL : EVENT_CAUSE_RUNQUEUE,
				 .syscall = 35,
				 .file_name = "",
				 .stack = {.frames = &frame, .nuser = 1}});
}

static void sample_at(struct capture *capture, uint64_t at, uint64_t frame)
{
	CAPTURE_EVENT(capture, at, EVENT_SAMPLE,
		      .sample = {.task = 1, .kind = 1, .stack = {.frames = &frame, .nuser = 1}});
}

static uint64_t only_frame(const struct model *model, const struct model_slow_poll *poll)
{
	assert_true(poll->stack < model->nstacks);
	assert_int_equal(model->stacks[poll->stack].nuser, 1);
	return model->stacks[poll->stack].frames[0];
}

static void slowest_polls_show_the_stack_of_their_largest_part(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	sample_at(&capture, 15, 0xa0);
	off_cpu_at(&capture, 20, 30, 32, 0xa1);
	off_cpu_at(&capture, 40, 40, 80, 0xa2);
	off_cpu_at(&capture, 85, 85, 90, 0xa3);
	poll(&capture, 1, 10, 100, 10, 47, 0, 0);
	/* What came before it is no part of it. */
	off_cpu_at(&capture, 210, 230, 231, 0xb1);
	off_cpu_at(&capture, 240, 240, 250, 0xb2);
	sample_at(&capture, 255, 0xb3);
	sample_at(&capture, 256, 0xb4);
	poll(&capture, 1, 200, 280, 20, 11, 0, 0);
	sample_at(&capture, 301, 0xc0);
	off_cpu_at(&capture, 310, 350, 351, 0xc1);
	poll(&capture, 1, 300, 360, 40, 1, 0, 0);
	poll(&capture, 1, 400, 450, 0, 30, 0, 0);
	poll(&capture, 1, 500, 540, 0, 0, 0, 0);
	model = capture_end(&capture, 1000);
	assert_int_equal(model->nslowest, 5);
	assert_int_equal(model_poll_largest(&model->slowest[0]), MODEL_LARGEST_RUNQUEUE);
	assert_int_equal(only_frame(model, &model->slowest[0]), 0xa2);
	assert_string_equal(model->slowest[0].cause, "nanosleep");
	assert_int_equal(model_poll_largest(&model->slowest[1]), MODEL_LARGEST_ON_CPU);
	assert_int_equal(only_frame(model, &model->slowest[1]), 0xb4);
	assert_int_equal(model_poll_largest(&model->slowest[2]), MODEL_LARGEST_BLOCKED);
	assert_int_equal(only_frame(model, &model->slowest[2]), 0xc1);
	/* Lost, or not sampled. */
	assert_int_equal(model->slowest[3].stack, MODEL_NO_STACK);
	assert_int_equal(model->slowest[4].stack, MODEL_NO_STACK);
	capture_free(&capture);
}

static void wait_for_a_cpu_before_a_nested_poll_is_the_outer_ones(void **state)
{
	struct capture capture = capture_begin();
	const struct model *model;

	(void)state;
	off_cpu_at(&capture, 20, 20, 80, 0xa1);
	poll(&capture, 2, 90, 110, 0, 15, 1, 0);
	poll(&capture, 1, 10, 120, 0, 75, 0, 0);
	model = capture_end(&capture, 1000);
	assert_int_equal(only_frame(model, &model->slowest[0]), 0xa1);
	assert_int_equal(model->slowest[1].stack, MODEL_NO_STACK);
	capture_free(&capture);
}

static void short_sleeps_stay_out_of_stacks_if_asked(void **state)
{
	const struct correlate_options options = {
		.tasks = 1, .min_block_ns = 10, .syscall_name = capture_syscall};
	struct capture capture = capture_begin_with(&options);
	const struct model_type *type;

	(void)state;
	capture_sleep(&capture, 20, 29, 30, 35);
	capture_sleep(&capture, 40, 50, 52, 35);
	poll(&capture, 1, 10, 100, 19, 3, 0, 0);
	type = capture_type(capture_end(&capture, 100), "work");
	assert_int_equal(capture_cause(type, "nanosleep", NULL)->total_ns, 19);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_BLOCKED, NULL), 10);
	assert_int_equal(capture_weight(capture.model, MODEL_WEIGHT_RUNQUEUE, NULL), 3);
	assert_int_equal(capture.model->nslowest, 0);
	capture_free(&capture);
}

static void missed_switch_in_makes_the_on_cpu_rest_uncertain(void **state)
{
	struct capture capture = capture_begin();

	(void)state;
	poll(&capture, 1, 10, 100, 0, 5, 0, EVENT_UNCERTAIN);
	assert_int_equal(capture_end(&capture, 100)->capture.uncertain_ns, 85);
	capture_free(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interval_splits_into_blocked_and_run_queue),
		cmocka_unit_test(preemption_is_no_cause),
		cmocka_unit_test(causes_are_named_by_what_was_waited_for),
		cmocka_unit_test(targets_are_paths_names_or_inodes),
		cmocka_unit_test(too_many_targets_are_folded_and_counted),
		cmocka_unit_test(lost_interval_becomes_unknown_and_uncertain),
		cmocka_unit_test(more_sleep_than_the_poll_says_is_cut),
		cmocka_unit_test(off_cpu_times_never_exceed_the_poll),
		cmocka_unit_test(sleep_of_a_poll_that_was_lost_is_uncertain_and_not_the_next_ones),
		cmocka_unit_test(sleep_of_a_nested_poll_counts_for_both_and_weighs_once),
		cmocka_unit_test(siblings_nested_deeply_keep_their_own_sleeps),
		cmocka_unit_test(long_poll_of_many_sleeps_stays_exact),
		cmocka_unit_test(unsettled_sleep_counts_in_a_poll_older_than_the_capture),
		cmocka_unit_test(unsettled_sleep_of_a_thread_in_no_poll_is_dropped),
		cmocka_unit_test(slowest_polls_name_what_blocked_them_longest),
		cmocka_unit_test(slowest_polls_show_the_stack_of_their_largest_part),
		cmocka_unit_test(wait_for_a_cpu_before_a_nested_poll_is_the_outer_ones),
		cmocka_unit_test(short_sleeps_stay_out_of_stacks_if_asked),
		cmocka_unit_test(missed_switch_in_makes_the_on_cpu_rest_uncertain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
