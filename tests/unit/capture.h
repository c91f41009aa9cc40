/* SPDX-License-Identifier: MIT */
/*
 * Hand-made captures: events fed to a correlator, one call each, and the identities of what comes
 * out. Times are in the tests' own unit: the capture starts at CAPTURE_ORIGIN, and all are relative
 * to it.
 */
#ifndef POLLSCOPE_TESTS_CAPTURE_H
#define POLLSCOPE_TESTS_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/correlate.h"

#define CAPTURE_ORIGIN UINT64_C(5000000000)
#define CAPTURE_PID 4242
#define CAPTURE_PERIOD 1000 /* sample_period_ns */
#define CAPTURE_CAN_ALL (UINT32_MAX & ~EVENT_NO_SIGNALS)

struct capture {
	struct correlator *correlator;
	struct event_sink *sink;
	uint16_t source; /* of the events that follow */
	uint32_t tid;    /* likewise */
	struct model *model;
};

static inline void capture_feed(struct capture *capture, struct event event)
{
	assert_int_equal(capture->sink->take(capture->sink, &event), 0);
}

#define CAPTURE_EVENT(capture, at, kind_of_event, ...)                                             \
	capture_feed(capture, (struct event){.time = CAPTURE_ORIGIN + (at),                        \
					     .tid = (capture)->tid,                                \
					     .source = (capture)->source,                          \
					     .type = (kind_of_event),                              \
					     __VA_ARGS__})

static inline const char *capture_syscall(const char *arch, int32_t number)
{
	(void)arch;
	switch (number) {
	case 35:
		return "nanosleep";
	case 75:
		return "fdatasync";
	case 202:
		return "futex";
	default:
		return NULL;
	}
}

static inline void capture_kind(struct capture *capture, uint64_t kind, const char *type,
				const char *file, uint32_t line)
{
	CAPTURE_EVENT(capture, 0, EVENT_KIND,
		      .kind = {.kind = kind, .line = line, .type = type, .file = file, .full = ""});
}

static inline void capture_process(struct capture *capture, uint64_t at, uint16_t process,
				   uint32_t pid, uint32_t generation)
{
	CAPTURE_EVENT(capture, at, EVENT_PROCESS,
		      .process = {.process = process,
				  .pid = pid,
				  .generation = generation,
				  .comm = "app",
				  .exe = "/bin/app",
				  .command_line = "app"});
}

static inline void capture_source(struct capture *capture, uint16_t source, uint16_t process,
				  uint32_t capabilities)
{
	CAPTURE_EVENT(capture, 0, EVENT_SOURCE,
		      .source_info = {.source = source,
				      .process = process,
				      .capabilities = capabilities,
				      .runtime = "pollrt",
				      .version = "1",
				      .path = "/bin/app"});
}

/* Process 0 of CAPTURE_PID, source 0 that can do all, kinds 1 "work" and 2 "other", thread 10. */
static inline struct capture capture_begin_with(const struct correlate_options *options)
{
	struct capture capture = {.correlator = correlator_new(options), .tid = 10};

	assert_non_null(capture.correlator);
	capture.sink = correlator_sink(capture.correlator);
	CAPTURE_EVENT(&capture, 0, EVENT_CAPTURE_START,
		      .capture_start = {.unix_ns = 1,
					.sample_period_ns = CAPTURE_PERIOD,
					.ncpus = 2,
					.kernel = "6.1",
					.arch = "x86_64",
					.tool_version = "0",
					.command_line = "pollscope"});
	capture_process(&capture, 0, 0, CAPTURE_PID, 0);
	capture_source(&capture, 0, 0, CAPTURE_CAN_ALL);
	capture_kind(&capture, 1, "work", "work.c", 7);
	capture_kind(&capture, 2, "other", "other.c", 8);
	return capture;
}

static inline struct capture capture_begin(void)
{
	const struct correlate_options options = {
		.tasks = 100, .slowest = 10, .syscall_name = capture_syscall};

	return capture_begin_with(&options);
}

static inline void capture_spawn(struct capture *capture, uint64_t at, uint64_t task)
{
	CAPTURE_EVENT(capture, at, EVENT_SPAWN, .spawn = {.task = task, .kind = 1});
}

static inline void capture_wake(struct capture *capture, uint64_t at, uint64_t task)
{
	CAPTURE_EVENT(capture, at, EVENT_WAKE, .wake = {.task = task});
}

static inline void capture_poll(struct capture *capture, uint64_t start, uint64_t end,
				uint64_t task)
{
	CAPTURE_EVENT(capture, end, EVENT_POLL,
		      .poll = {.task = task, .kind = 1, .start = CAPTURE_ORIGIN + start});
}

static inline void capture_terminate(struct capture *capture, uint64_t at, uint64_t task)
{
	CAPTURE_EVENT(capture, at, EVENT_TERMINATE, .terminate = {.task = task});
}

/* Asleep in a system call of task 1, woken at `wake`, on CPU again at `at`. */
static inline void capture_sleep(struct capture *capture, uint64_t out, uint64_t wake, uint64_t at,
				 int32_t syscall)
{
	static const uint64_t frames[] = {1, 2, 3};

	CAPTURE_EVENT(capture, at, EVENT_OFFCPU,
		      .offcpu = {.task = 1,
				 .kind = 1,
				 .out = CAPTURE_ORIGIN + out,
				 .wake = CAPTURE_ORIGIN + wake,
				 .cause = EVENT_CAUSE_SYSCALL,
				 .syscall = syscall,
				 .file_name = "",
				 .stack = {.frames = frames, .nkernel = 1, .nuser = 2}});
}

static inline void capture_check_polling(const struct model_times *times)
{
	assert_int_equal(times->polling_ns,
			 times->on_cpu_ns + times->runqueue_ns + times->blocked_ns);
}

static inline void capture_check_times(const struct model_times *times)
{
	assert_int_equal(times->lifetime_ns,
			 times->scheduled_ns + times->polling_ns + times->idle_ns);
	capture_check_polling(times);
}

/* Of one task; sums over a type can leave 64 bits where a recording claims years. */
static inline void capture_check_parts(const struct model_times *times)
{
	assert_true(times->scheduled_ns <= times->lifetime_ns);
	assert_true(times->polling_ns <= times->lifetime_ns);
	assert_true(times->idle_ns <= times->lifetime_ns);
	assert_true(times->on_cpu_ns <= times->polling_ns);
	assert_true(times->runqueue_ns <= times->polling_ns);
	assert_true(times->blocked_ns <= times->polling_ns);
}

static inline void capture_check(const struct model *model)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		const struct model_type *type = &model->types[i];
		uint64_t blocked = 0;

		if (!model->capture.estimated)
			capture_check_times(&type->times);
		capture_check_polling(&type->times);
		for (size_t j = 0; j < type->ncauses; j++) {
			assert_true(type->causes[j].max_ns <= type->causes[j].total_ns);
			blocked += type->causes[j].total_ns;
		}
		assert_int_equal(type->times.blocked_ns, blocked);
		assert_true(type->alive <= type->tasks);
		assert_true(type->source < model->nsources);
	}
	for (size_t i = 0; i < model->ntasks; i++) {
		capture_check_times(&model->tasks[i].times);
		capture_check_parts(&model->tasks[i].times);
		assert_true(model->tasks[i].type < model->ntypes);
	}
	for (size_t i = 0; i < model->nslowest; i++) {
		const struct model_slow_poll *poll = &model->slowest[i];

		assert_true(poll->type < model->ntypes);
		assert_int_equal(poll->poll_ns,
				 poll->on_cpu_ns + poll->runqueue_ns + poll->blocked_ns);
		assert_true(poll->stack == MODEL_NO_STACK || poll->stack < model->nstacks);
	}
	for (size_t i = 0; i < model->nworkers; i++) {
		const struct model_worker *worker = &model->workers[i];

		assert_int_equal(worker->has_busy ? worker->observed_ns : 0,
				 worker->busy_ns + worker->parked_ns);
		assert_int_equal(worker->has_on_cpu ? worker->observed_ns : 0,
				 worker->on_cpu_ns + worker->runqueue_ns + worker->blocked_ns);
		assert_true(worker->source < model->nsources);
	}
	assert_true(model->nslices * model->slice_ns >= model->capture.duration_ns);
	assert_true(model->nslices <= 256);
	for (size_t i = 0; i < model->nsources; i++)
		assert_true(model->sources[i].process < model->nprocesses);
	for (size_t i = 0; i < model->nstacks; i++)
		assert_true(model->stacks[i].process < model->nprocesses);
	for (size_t i = 0; i < model->nweights; i++) {
		assert_true(model->weights[i].type < model->ntypes);
		assert_true(model->weights[i].stack == MODEL_NO_STACK ||
			    model->weights[i].stack < model->nstacks);
	}
	for (size_t i = 0; i < model->non_cpu; i++)
		assert_true(model->on_cpu[i].type < model->ntypes);
}

/* Ends the capture, and checks what holds of any. */
static inline const struct model *capture_end(struct capture *capture, uint64_t at)
{
	CAPTURE_EVENT(capture, at, EVENT_CAPTURE_END,
		      .capture_end = {.reason = EVENT_END_DURATION});
	capture->model = correlator_finish(capture->correlator);
	assert_non_null(capture->model);
	capture_check(capture->model);
	return capture->model;
}

static inline void capture_free(struct capture *capture)
{
	correlator_free(capture->correlator);
	model_free(capture->model);
}

static inline const struct model_type *capture_type(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->ntypes; i++) {
		if (!strcmp(model->types[i].name, name))
			return &model->types[i];
	}
	fail_msg("no type %s", name);
	return NULL;
}

static inline const struct model_task *capture_task(const struct model *model, uint64_t id)
{
	for (size_t i = 0; i < model->ntasks; i++) {
		if (model->tasks[i].id == id)
			return &model->tasks[i];
	}
	fail_msg("no task %lu", (unsigned long)id);
	return NULL;
}

/* Fails where there is none with that target; NULL: none. */
static inline const struct model_cause *capture_cause(const struct model_type *type,
						      const char *cause, const char *target)
{
	for (size_t i = 0; i < type->ncauses; i++) {
		const struct model_cause *found = &type->causes[i];

		if (strcmp(found->cause, cause) || !found->target != !target)
			continue;
		if (!target || !strcmp(found->target, target))
			return found;
	}
	fail_msg("no cause %s", cause);
	return NULL;
}

/* Sum of weights of a kind and cause; NULL: any. */
static inline uint64_t capture_weight(const struct model *model, enum model_weight_kind kind,
				      const char *cause)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < model->nweights; i++) {
		const struct model_weight *weight = &model->weights[i];

		if (weight->kind != kind || (cause && strcmp(weight->cause, cause)))
			continue;
		ns += weight->ns;
	}
	return ns;
}

#endif
