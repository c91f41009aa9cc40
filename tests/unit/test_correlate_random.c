// SPDX-License-Identifier: MIT
// links: core util
/* Whatever is fed, valid or not, the identities hold: for each task, each type, and in sum. */
#include "capture.h"

#define EVENTS 40000

struct generator {
	uint64_t seed;
	uint64_t clock;
	bool hostile;
};

static uint64_t draw(struct generator *generator, uint64_t below)
{
	generator->seed ^= generator->seed << 13;
	generator->seed ^= generator->seed >> 7;
	generator->seed ^= generator->seed << 17;
	return generator->seed % below;
}

static bool chance(struct generator *generator, uint64_t percent)
{
	return draw(generator, 100) < percent;
}

/* A time near the clock, or if hostile any. */
static uint64_t some_time(struct generator *generator)
{
	if (generator->hostile && chance(generator, 5))
		return chance(generator, 50) ? generator->seed : UINT64_MAX - draw(generator, 3);
	return CAPTURE_ORIGIN + generator->clock - draw(generator, generator->clock + 1) % 5000;
}

static uint64_t some_number(struct generator *generator, uint64_t usual)
{
	if (generator->hostile && chance(generator, 3))
		return generator->seed;
	return draw(generator, usual);
}

static struct event_stack some_stack(struct generator *generator)
{
	static const uint64_t frames[4] = {1, 2, 3, 4};

	return (struct event_stack){.frames = frames + draw(generator, 2),
				    .nkernel = draw(generator, 2),
				    .nuser = draw(generator, 2)};
}

static void fill_measured(struct generator *generator, struct event *event)
{
	uint64_t task = some_number(generator, 40), kind = some_number(generator, 6);

	switch (event->type) {
	case EVENT_POLL:
		event->poll = (struct event_poll){
			.task = task,
			.kind = kind,
			.start = some_time(generator),
			.blocked_ns = some_number(generator, 500),
			.runqueue_ns = some_number(generator, 500),
			.depth = some_number(generator, 4),
		};
		event->flags = draw(generator, 32);
		break;
	case EVENT_OFFCPU:
		event->offcpu = (struct event_offcpu){
			.task = task,
			.kind = kind,
			.out = some_time(generator),
			.wake = some_time(generator),
			.cause = draw(generator, 8),
			.syscall = some_number(generator, 5),
			.file_dev = draw(generator, 2),
			.file_ino = some_number(generator, 100),
			.file_mode = generator->seed,
			.file_name = chance(generator, 50) ? "" : "file",
			.stack = some_stack(generator),
		};
		if (chance(generator, 20))
			event->flags = EVENT_UNSETTLED;
		break;
	case EVENT_SAMPLE:
	case EVENT_AWAIT:
		event->sample = (struct event_sample){task, kind, some_stack(generator)};
		break;
	case EVENT_SPAWN:
		event->spawn = (struct event_spawn){task, kind, 0};
		break;
	case EVENT_WAKE:
		event->wake = (struct event_wake){task, some_number(generator, 40)};
		break;
	case EVENT_ABORT:
		event->abort.task = task;
		break;
	case EVENT_TERMINATE:
		event->terminate = (struct event_terminate){task, draw(generator, 2), kind};
		break;
	case EVENT_BLOCK_ON_ENTER:
	case EVENT_BLOCK_ON_EXIT:
		event->block_on = (struct event_block_on){task, kind};
		break;
	case EVENT_BLOCKING_QUEUE:
	case EVENT_BLOCKING_START:
	case EVENT_BLOCKING_END:
		event->blocking = (struct event_blocking){.job = task, .kind = kind};
		break;
	default:
		event->worker = (struct event_worker){0, some_number(generator, 9),
						      some_number(generator, 3)};
		break;
	}
}

static void fill_other(struct generator *generator, struct event *event)
{
	static const struct event_frame frame = {"f", "", 0};

	switch (event->type) {
	case EVENT_PROCESS:
		event->process = (struct event_process){
			.process = some_number(generator, 3),
			.pid = draw(generator, 3),
			.generation = draw(generator, 40) / 39,
			.comm = "c",
			.exe = "",
			.command_line = "",
		};
		break;
	case EVENT_PROCESS_EXIT:
		event->process_exit = (struct event_process_exit){draw(generator, 400), 0};
		break;
	case EVENT_SOURCE:
		event->source_info = (struct event_source){
			.source = some_number(generator, 3),
			.process = some_number(generator, 3),
			.capabilities = generator->seed,
			.runtime = "r",
			.version = "",
			.path = "",
		};
		break;
	case EVENT_MODULE:
		event->module = (struct event_module){
			.process = some_number(generator, 3), .path = "", .build_id = ""};
		break;
	case EVENT_KIND:
		event->kind = (struct event_kind){.kind = some_number(generator, 6),
						  .unreadable = chance(generator, 20),
						  .type = chance(generator, 50) ? "a" : "b",
						  .file = "f",
						  .full = chance(generator, 50) ? "" : "c"};
		break;
	case EVENT_THREAD:
		event->thread = (struct event_thread){some_number(generator, 3), 1, "t"};
		break;
	case EVENT_THREAD_TOTALS:
		event->thread_totals = (struct event_thread_totals){
			0,
			chance(generator, 20),
			some_time(generator),
			some_number(generator, 9999),
			some_number(generator, 9999),
		};
		break;
	case EVENT_PATH:
		event->path = (struct event_path){0, some_number(generator, 100), "/p"};
		break;
	case EVENT_SYMBOL:
		event->symbol = (struct event_symbol){some_number(generator, 3), generator->seed,
						      false, 1, &frame};
		break;
	case EVENT_LOST:
		event->lost = (struct event_lost){some_number(generator, 40),
						  some_number(generator, 9), some_time(generator)};
		break;
	default:
		event->type = EVENT_OVERHEAD;
		event->overhead = (struct event_overhead){generator->seed, generator->seed,
							  generator->seed, generator->seed};
		break;
	}
}

static struct event some_sampling(struct generator *generator)
{
	struct event event = {.time = CAPTURE_ORIGIN + generator->clock,
			      .source = draw(generator, 2),
			      .type = EVENT_SAMPLING + draw(generator, 2)};

	if (event.type == EVENT_SAMPLING)
		event.sampling.one_in = some_number(generator, 9);
	else
		event.skipped = (struct event_skipped){some_number(generator, 6),
						       some_number(generator, 99999)};
	return event;
}

static struct event some_event(struct generator *generator)
{
	struct event event = {.source = draw(generator, 2), .tid = draw(generator, 6)};

	generator->clock += draw(generator, 100);
	event.time = CAPTURE_ORIGIN + generator->clock;
	if (chance(generator, 3))
		event.time = some_time(generator);
	if (generator->hostile && chance(generator, 1))
		event.source = generator->seed;
	if (generator->hostile && chance(generator, 1))
		event.tid = generator->seed;
	if (chance(generator, 95)) {
		event.type = EVENT_POLL + draw(generator, EVENT_SAMPLING - EVENT_POLL);
		if (chance(generator, 40))
			event.type = chance(generator, 50) ? EVENT_POLL : EVENT_WAKE;
		else if (chance(generator, 20))
			event.type = EVENT_AWAIT;
		fill_measured(generator, &event);
	} else {
		event.type = EVENT_PROCESS + draw(generator, EVENT_POLL - EVENT_PROCESS);
		if (event.type == EVENT_PROCESS_EXIT && !generator->hostile)
			event.type = EVENT_OVERHEAD;
		fill_other(generator, &event);
	}
	return event;
}

static void add(struct model_times *sum, const struct model_times *times)
{
	sum->lifetime_ns += times->lifetime_ns;
	sum->scheduled_ns += times->scheduled_ns;
	sum->polling_ns += times->polling_ns;
	sum->on_cpu_ns += times->on_cpu_ns;
	sum->runqueue_ns += times->runqueue_ns;
	sum->blocked_ns += times->blocked_ns;
	sum->idle_ns += times->idle_ns;
}

/* Idle time is attributed once at most, and not where it is not known. */
static void check_awaits(const struct model *model)
{
	uint64_t total = 0;

	for (size_t i = 0; i < model->ntypes; i++) {
		uint64_t ns = 0, roots = 0;

		for (size_t k = 0; k < model->nweights; k++) {
			if (model->weights[k].kind == MODEL_WEIGHT_IDLE &&
			    model->weights[k].type == i)
				ns += model->weights[k].ns;
		}
		for (size_t k = 0; k < model->nidle; k++) {
			if (model->idle[k].type == i)
				roots += model->idle[k].ns;
		}
		assert_true(ns <= model->types[i].times.idle_ns);
		assert_true(!roots || roots == model->types[i].times.idle_ns);
		total += ns;
	}
	assert_true(!model->capture.estimated || !total);
}

/* All tasks are in the model: the types are their sums. */
static void check_sums(const struct model *model)
{
	struct model_times types = {0}, tasks = {0};
	uint64_t ntasks = 0, type_polls = 0, worker_polls = 0;

	for (size_t i = 0; i < model->ntypes; i++) {
		add(&types, &model->types[i].times);
		ntasks += model->types[i].tasks;
		type_polls += model->types[i].polls;
	}
	for (size_t i = 0; i < model->ntasks; i++)
		add(&tasks, &model->tasks[i].times);
	for (size_t i = 0; i < model->nworkers; i++)
		worker_polls += model->workers[i].polls;
	/* One that was seen after its end is told of twice. */
	assert_true(ntasks <= model->ntasks);
	if (model->capture.estimated) {
		assert_true(types.polling_ns >= tasks.polling_ns);
		assert_true(type_polls >= worker_polls);
	} else {
		assert_memory_equal(&types, &tasks, sizeof(types));
		assert_int_equal(type_polls, worker_polls);
	}
	for (size_t i = 1; i < model->ntypes; i++)
		assert_true(model->types[i - 1].times.polling_ns >=
			    model->types[i].times.polling_ns);
}

static void run(uint64_t seed, bool hostile)
{
	const struct correlate_options options = {
		.tasks = EVENTS, .slowest = 100, .by = seed % 3, .syscall_name = capture_syscall};
	struct generator generator = {.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
				      .hostile = hostile};
	struct capture capture = capture_begin_with(&options);

	for (int i = 0; i < EVENTS; i++) {
		if (seed % 2 && i > EVENTS / 2 && i % 100 == 0)
			capture_feed(&capture, some_sampling(&generator));
		capture_feed(&capture, some_event(&generator));
	}
	if (seed % 4) {
		capture_end(&capture, generator.clock);
	} else {
		capture.model = correlator_finish(capture.correlator);
		assert_non_null(capture.model);
		capture_check(capture.model);
	}
	check_sums(capture.model);
	check_awaits(capture.model);
	capture_free(&capture);
}

static void identities_hold_for_random_events(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		run(seed, false);
}

static void identities_hold_for_hostile_events(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		run(seed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities_hold_for_random_events),
		cmocka_unit_test(identities_hold_for_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
