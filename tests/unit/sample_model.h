/* SPDX-License-Identifier: MIT */
/*
 * A model made by hand, for tests of emitters: one demo server, ten seconds, a blocking call in it.
 * Its identities hold, and its weights sum to its types' times. Static: tests that change something
 * copy the struct and the array that they change.
 */
#ifndef POLLSCOPE_TESTS_SAMPLE_MODEL_H
#define POLLSCOPE_TESTS_SAMPLE_MODEL_H

#include <string.h>

#include "core/model.h"

#define MS 1000000ull
#define SAMPLE_PERIOD_NS 10101010ull
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct model_lost sample_lost[] = {{EVENT_POLL, 1200}, {EVENT_OFFCPU, 34}};

static struct model_process sample_processes[] = {
	{4242,
	 0,
	 false,
	 false,
	 -1,
	 "demo-server",
	 "/usr/bin/demo-server",
	 "demo-server --port 8080",
	 0,
	 {0}},
};

static struct model_source sample_sources[] = {
	{0,
	 EVENT_CAN_POLL | EVENT_CAN_WAKE | EVENT_CAN_SPAWN | EVENT_CAN_TERMINATE | EVENT_CAN_PARK |
		 EVENT_CAN_AWAIT,
	 "pollrt", "0.1.0", "/usr/bin/demo-server", 2, 0},
};

/* A second each. Polling, run queue, blocked, parked. */
static struct model_slice sample_slices_0[] = {
	{{600 * MS, 10 * MS, 100 * MS, 380 * MS}}, {{620 * MS, 20 * MS, 120 * MS, 380 * MS}},
	{{610 * MS, 10 * MS, 110 * MS, 380 * MS}}, {{900 * MS, 20 * MS, 800 * MS, 100 * MS}},
	{{950 * MS, 20 * MS, 600 * MS, 50 * MS}},  {{600 * MS, 10 * MS, 90 * MS, 390 * MS}},
	{{450 * MS, 10 * MS, 80 * MS, 540 * MS}},  {{400 * MS, 10 * MS, 40 * MS, 540 * MS}},
	{{450 * MS, 5 * MS, 30 * MS, 540 * MS}},   {{420 * MS, 5 * MS, 10 * MS, 500 * MS}},
};
static struct model_slice sample_slices_1[] = {
	{{250 * MS, 10 * MS, 40 * MS, 745 * MS}}, {{250 * MS, 10 * MS, 40 * MS, 745 * MS}},
	{{250 * MS, 10 * MS, 40 * MS, 745 * MS}}, {{250 * MS, 10 * MS, 40 * MS, 745 * MS}},
	{{250 * MS, 10 * MS, 45 * MS, 745 * MS}}, {{250 * MS, 10 * MS, 40 * MS, 745 * MS}},
	{{250 * MS, 10 * MS, 40 * MS, 745 * MS}}, {{250 * MS, 10 * MS, 40 * MS, 745 * MS}},
	{{250 * MS, 10 * MS, 40 * MS, 745 * MS}}, {{250 * MS, 10 * MS, 40 * MS, 744 * MS}},
};

static struct model_worker sample_workers[] = {
	{0, 4243, "pollrt-worker-0", 512345, 10000 * MS, true, 6200 * MS, 3800 * MS, true,
	 4100 * MS, 120 * MS, 1980 * MS, 0, sample_slices_0},
	{0, 4244, "pollrt-worker-1", 405678, 10000 * MS, true, 2551 * MS, 7449 * MS, true,
	 2046 * MS, 100 * MS, 405 * MS, 0, sample_slices_1},
};

static struct model_cause sample_handle_causes[] = {
	{"fdatasync", "syscall", "/var/lib/demo/journal", 412, 1900 * MS, 12345678},
	{"futex", "futex", NULL, 1200, 50 * MS, 1100000},
	{"page-fault", "memory", NULL, 3, 20 * MS, 9 * MS},
	{"unknown", "other", NULL, 1, 10 * MS, 10 * MS},
};

static struct model_cause sample_flush_causes[] = {
	{"pwrite64", "syscall", "/var/lib/demo/segments/0000000000000000000000000017.log", 77,
	 200 * MS, 8 * MS},
	{"read", "syscall", "pipe:[81723]", 60, 80 * MS, 4 * MS},
	{"futex", "futex", NULL, 50, 60 * MS, 2 * MS},
	{"memory", "memory", NULL, 40, 30 * MS, 1 * MS},
	{"nanosleep", "syscall", NULL, 30, 15 * MS, 1 * MS},
	{"openat", "syscall", NULL, 20, 10 * MS, 1 * MS},
	{"other", "other", NULL, 10, 5 * MS, 1 * MS},
};

static struct model_type sample_types[] = {
	{0,
	 "handle_conn",
	 "server.c:120",
	 true,
	 false,
	 512,
	 64,
	 812345,
	 900000,
	 87000,
	 {307700 * MS, 1500 * MS, 6200 * MS, 4100 * MS, 120 * MS, 1980 * MS, 300000 * MS},
	 {4100, 12000, 48000, 48200000},
	 {3000, 90000, 1200000, 61000000},
	 sample_handle_causes,
	 COUNT(sample_handle_causes),
	 {NULL, 0}},
	{0,
	 "demo_server::storage::Journal<alloc::vec::Vec<u8>>::flush::{{closure}}",
	 "src/storage/journal.rs:310",
	 true,
	 false,
	 1,
	 1,
	 104321,
	 104320,
	 0,
	 {10000 * MS, 20 * MS, 2500 * MS, 2000 * MS, 100 * MS, 400 * MS, 7480 * MS},
	 {21000, 33000, 91000, 8700000},
	 {900, 4000, 77000, 990000},
	 sample_flush_causes,
	 COUNT(sample_flush_causes),
	 {NULL, 0}},
	{0,
	 "accept_loop",
	 "server.c:88",
	 true,
	 false,
	 1,
	 1,
	 1356,
	 1355,
	 0,
	 {10000 * MS, 5 * MS, 45 * MS, 45 * MS, 0, 0, 9950 * MS},
	 {31000, 40000, 66000, 120000},
	 {2100, 4400, 10000, 31000},
	 NULL,
	 0,
	 {NULL, 0}},
	{0,
	 "[block_on main]",
	 "main.c:20",
	 true,
	 false,
	 1,
	 1,
	 1,
	 1,
	 0,
	 {10000 * MS, 0, 1 * MS, 1 * MS, 0, 0, 9999 * MS},
	 {1000000, 1000000, 1000000, 1000000},
	 {0, 0, 0, 0},
	 NULL,
	 0,
	 {NULL, 0}},
};

static struct model_task sample_tasks[] = {
	{17,
	 0,
	 MODEL_IDLE,
	 12 * MS,
	 9123,
	 48200000,
	 {10000 * MS, 50 * MS, 300 * MS, 120 * MS, 10 * MS, 170 * MS, 9650 * MS},
	 0},
	{2,
	 1,
	 MODEL_POLLING,
	 8700000,
	 104321,
	 8700000,
	 {10000 * MS, 20 * MS, 2500 * MS, 2000 * MS, 100 * MS, 400 * MS, 7480 * MS},
	 1},
	{901,
	 0,
	 MODEL_CANCELLED,
	 0,
	 3,
	 90000,
	 {700 * MS, 1 * MS, 90000, 90000, 0, 0, 699 * MS - 90000},
	 2},
};

static struct model_slow_poll sample_slowest[] = {
	{17, 0, 4243, 3210 * MS, 48200000, 1200000, 2000000, 45 * MS, false, "fdatasync", 0},
	{2, 1, 4244, 9991300000, 8700000, 8700000, 0, 0, true, NULL, MODEL_NO_STACK},
	{44, 0, 4243, 120 * MS, 1200000, 100000, 0, 1100000, false, "futex", 1},
};

static struct model_job sample_jobs[] = {
	{0,
	 "resolve",
	 "dns.c:44",
	 310,
	 124 * MS,
	 930 * MS,
	 {400000, 700000, 2100000, 3000000},
	 {3000000, 4000000, 9000000, 11000000},
	 2,
	 true,
	 {NULL, 0}},
};

/* Leaf first: kernel, then user. */
static uint64_t frames_fdatasync[] = {0xffffffff81000300, 0xffffffff81000210, 0x7f0000001000,
				      0x401500,           0x401400,           0x401200,
				      0x401100,           0x7f0000002000};
static uint64_t frames_futex[] = {0xffffffff81000400, 0x7f0000001100, 0x401600,      0x401400,
				  0x401200,           0x401100,       0x7f0000002000};
static uint64_t frames_parse[] = {0x401700, 0x401400, 0x401200, 0x401100, 0x7f0000002000};
static uint64_t frames_copy[] = {0x7f00000f0123, 0x401400, 0x401200, 0x401100, 0x7f0000002000};
static uint64_t frames_interrupt[] = {0xffffffff8100dead, 0x401700, 0x401400,
				      0x401200,           0x401100, 0x7f0000002000};
static uint64_t frames_flush[] = {0x401800, 0x401200, 0x401100, 0x7f0000002000, 0xdead0000};
/* Where tasks wait: each begins with its poll function. */
static uint64_t frames_wait_request[] = {0x401a80, 0x401a00, 0x401900, 0x401400};
static uint64_t frames_wait_body[] = {0x401a80, 0x401a00, 0x401910, 0x401900, 0x401400};
static uint64_t frames_wait_reply[] = {0x401a80, 0x401b00, 0x401400};
static uint64_t frames_wait_tick[] = {0x401d00, 0x401c00, 0x401810};
static uint64_t frames_wait_unnamed[] = {0x402300, 0x402200, 0x402100};

static struct model_stack sample_stacks[] = {
	{0, 2, 6, frames_fdatasync},    {0, 1, 6, frames_futex},
	{0, 0, 5, frames_parse},        {0, 0, 5, frames_copy},
	{0, 1, 5, frames_interrupt},    {0, 0, 5, frames_flush},
	{0, 0, 4, frames_wait_request}, {0, 0, 5, frames_wait_body},
	{0, 0, 3, frames_wait_reply},   {0, 0, 3, frames_wait_tick},
	{0, 0, 3, frames_wait_unnamed},
};

/* As of times that are spread exponentially. */
#define SQUARES(count, ns) (2.0 * (double)(ns) * (double)(ns) / (count))
#define ITSELF(count, ns) count, ns, ns, SQUARES(count, ns), SQUARES(count, ns)

static struct model_weight sample_weights[] = {
	{MODEL_WEIGHT_ON_CPU, 0, 0, 0, 2, NULL, 200, 200 * SAMPLE_PERIOD_NS, 0, 0, 0},
	{MODEL_WEIGHT_ON_CPU, 0, 0, 0, 3, NULL, 150, 150 * SAMPLE_PERIOD_NS, 0, 0, 0},
	{MODEL_WEIGHT_ON_CPU, 0, 0, 0, 4, NULL, 53, 53 * SAMPLE_PERIOD_NS, 0, 0, 0},
	{MODEL_WEIGHT_ON_CPU, 1, 0, 0, 5, NULL, 198, 198 * SAMPLE_PERIOD_NS, 0, 0, 0},
	{MODEL_WEIGHT_BLOCKED, 0, 0, 0, 0, "fdatasync", 412, 1900 * MS, 0, 0, 0},
	{MODEL_WEIGHT_BLOCKED, 0, 0, 0, 1, "futex", 1200, 50 * MS, 0, 0, 0},
	{MODEL_WEIGHT_BLOCKED, 0, 0, 0, 2, "page-fault", 3, 20 * MS, 0, 0, 0},
	{MODEL_WEIGHT_BLOCKED, 0, 0, 0, MODEL_NO_STACK, "unknown", 1, 10 * MS, 0, 0, 0},
	{MODEL_WEIGHT_BLOCKED, 1, 0, 0, 5, "pwrite64", 77, 400 * MS, 0, 0, 0},
	{MODEL_WEIGHT_RUNQUEUE, 0, 0, 0, 2, NULL, 900, 119999500, 0, 0, 0},
	{MODEL_WEIGHT_RUNQUEUE, 0, 0, 0, 3, NULL, 1, 500, 0, 0, 0},
	{MODEL_WEIGHT_RUNQUEUE, 1, 0, 0, 5, NULL, 300, 100 * MS, 0, 0, 0},
	{MODEL_WEIGHT_SCHEDULED, 0, 0, 0, MODEL_NO_STACK, "[interrupt]", 700000, 1000 * MS, 0, 0,
	 0},
	{MODEL_WEIGHT_SCHEDULED, 0, 0, 0, MODEL_NO_STACK, "accept_loop", 512, 500 * MS, 0, 0, 0},
	{MODEL_WEIGHT_SCHEDULED, 1, 0, 0, MODEL_NO_STACK, "handle_conn", 104320, 20 * MS, 0, 0, 0},
	{MODEL_WEIGHT_SCHEDULED, 2, 0, 0, MODEL_NO_STACK, "[interrupt]", 1355, 5 * MS, 0, 0, 0},
	{MODEL_WEIGHT_IDLE, 0, 0, 0, 6, NULL, ITSELF(61, 5500 * MS)},
	{MODEL_WEIGHT_IDLE, 0, 0, 0, 7, NULL, ITSELF(12, 1000 * MS)},
	{MODEL_WEIGHT_IDLE, 0, 0, 0, 8, NULL, ITSELF(27, 133 * MS)},
	{MODEL_WEIGHT_IDLE, 1, 0, 0, 9, NULL, ITSELF(98, 7000 * MS)},
	{MODEL_WEIGHT_IDLE, 3, 0, 0, 10, NULL, ITSELF(1, 9999 * MS)},
};

static struct model_root sample_idle[] = {
	{0, 0, 0, 300000 * MS},
	{1, 0, 0, 7480 * MS},
	{2, 0, 0, 9950 * MS},
	{3, 0, 0, 9999 * MS},
};

static struct model_root sample_on_cpu[] = {
	{0, 0, 0, 4100 * MS},
	{1, 0, 0, 2000 * MS},
	{2, 0, 0, 45 * MS},
	{3, 0, 0, 1 * MS},
};

static struct model_frame symbol_start[] = {{"worker_main", "runtime/worker.c", 90}};
static struct model_frame symbol_poll[] = {{"poll_task", "runtime/task.c", 210},
					   {"worker_run", "runtime/worker.c", 55}};
static struct model_frame symbol_handle[] = {{"handle_conn", "server.c", 131}};
static struct model_frame symbol_save[] = {{"save", "server.c", 77}};
static struct model_frame symbol_lock[] = {{"cache_put", "cache.c", 12}};
static struct model_frame symbol_parse[] = {{"hash_header", "http.h", 9},
					    {"parse_request", "http.c", 40}};
static struct model_frame symbol_flush[] = {
	{"demo_server::storage::Journal<alloc::vec::Vec<u8>>::flush::{{closure}}",
	 "src/storage/journal.rs", 355}};
static struct model_frame symbol_flush_tick[] = {
	{"demo_server::storage::Journal<alloc::vec::Vec<u8>>::flush::{{closure}}",
	 "src/storage/journal.rs", 318}};
static struct model_frame symbol_read_request[] = {{"read_request", "server.c", 95}};
static struct model_frame symbol_read_body[] = {{"read_body", "http.c", 140}};
static struct model_frame symbol_read[] = {{"pollrt_read", "runtime/io.c", 300}};
static struct model_frame symbol_write[] = {{"pollrt_write_all", "runtime/io.c", 350}};
static struct model_frame symbol_io_wait[] = {{"io_wait", "runtime/io.c", 120}};
static struct model_frame symbol_sleep[] = {
	{"<tokio::time::sleep::Sleep as core::future::future::Future>::poll",
	 "/root/.cargo/registry/src/tokio-1.24.2/src/time/sleep.rs", 440}};
static struct model_frame symbol_clone[] = {{"tokio::runtime::task::waker::clone_waker", "", 0}};
static struct model_frame symbol_fdatasync[] = {{"fdatasync", "", 0}};
static struct model_frame symbol_lock_wait[] = {{"__lll_lock_wait", "", 0}};
static struct model_frame symbol_thread[] = {{"start_thread", "", 0}};
static struct model_frame symbol_schedule[] = {{"schedule", "", 0}};
static struct model_frame symbol_do_fsync[] = {{"do_fsync", "", 0}};
static struct model_frame symbol_futex_wait[] = {{"futex_wait", "", 0}};

static struct model_symbol sample_symbols[] = {
	{0, 0x401100, true, 1, symbol_start},
	{0, 0x401200, true, 2, symbol_poll},
	{0, 0x401400, true, 1, symbol_handle},
	{0, 0x401500, true, 1, symbol_save},
	{0, 0x401600, true, 1, symbol_lock},
	{0, 0x401700, false, 2, symbol_parse},
	{0, 0x401800, false, 1, symbol_flush},
	{0, 0x401810, true, 1, symbol_flush_tick},
	{0, 0x401900, true, 1, symbol_read_request},
	{0, 0x401910, true, 1, symbol_read_body},
	{0, 0x401a00, true, 1, symbol_read},
	{0, 0x401a80, false, 1, symbol_io_wait},
	{0, 0x401b00, true, 1, symbol_write},
	{0, 0x401c00, true, 1, symbol_sleep},
	{0, 0x401d00, false, 1, symbol_clone},
	{0, 0x7f0000001000, false, 1, symbol_fdatasync},
	{0, 0x7f0000001100, false, 1, symbol_lock_wait},
	{0, 0x7f0000002000, true, 1, symbol_thread},
	{EVENT_NO_PROCESS, 0xffffffff81000210, true, 1, symbol_do_fsync},
	{EVENT_NO_PROCESS, 0xffffffff81000300, false, 1, symbol_schedule},
	{EVENT_NO_PROCESS, 0xffffffff81000400, false, 1, symbol_futex_wait},
};

static struct model_module sample_modules[] = {
	{0, 0x401000, 0x420000, 0x1000, "/usr/bin/demo-server",
	 "5d1f0a7be2c94d0c9f8e2a1b3c4d5e6f70819203"},
	{0, 0x7f0000000000, 0x7f0000200000, 0x28000, "/usr/lib/x86_64-linux-gnu/libc.so.6", ""},
};

static inline struct model sample_model(void)
{
	return (struct model){
		.capture =
			{
				.kernel = "6.1.0-40-amd64",
				.arch = "x86_64",
				.tool_version = "0.1.0",
				.command_line = "pollscope record -p 4242 -d 10s",
				.ncpus = 4,
				.start_ns = 1000 * MS,
				.start_unix_ns = 1738324800000 * MS,
				.duration_ns = 10000 * MS,
				.sample_period_ns = SAMPLE_PERIOD_NS,
				.end_reason = EVENT_END_DURATION,
				.events = 1834567,
				.events_lost = 1234,
				.lost = sample_lost,
				.nlost = COUNT(sample_lost),
				.late = 2,
				.unmatched_wakes = 7,
				.redundant_wakes = 87000,
				.uncertain_ns = 12345678,
				.probe_overhead_ns = 152 * MS,
				.nested_polls = 1,
				.truncated_stacks = 3,
				.unwound_stacks = 12345,
				.unwound_ends = {[STACK_WHOLE] = 12248,
						 [STACK_UNKNOWN_CODE] = 90,
						 [STACK_BACKWARDS] = 7},
			},
		.processes = sample_processes,
		.nprocesses = COUNT(sample_processes),
		.sources = sample_sources,
		.nsources = COUNT(sample_sources),
		.workers = sample_workers,
		.nworkers = COUNT(sample_workers),
		.slice_ns = 1000 * MS,
		.nslices = COUNT(sample_slices_0),
		.types = sample_types,
		.ntypes = COUNT(sample_types),
		.tasks = sample_tasks,
		.ntasks = COUNT(sample_tasks),
		.slowest = sample_slowest,
		.nslowest = COUNT(sample_slowest),
		.jobs = sample_jobs,
		.njobs = COUNT(sample_jobs),
		.stacks = sample_stacks,
		.nstacks = COUNT(sample_stacks),
		.weights = sample_weights,
		.nweights = COUNT(sample_weights),
		.on_cpu = sample_on_cpu,
		.non_cpu = COUNT(sample_on_cpu),
		.idle = sample_idle,
		.nidle = COUNT(sample_idle),
		.symbols = sample_symbols,
		.nsymbols = COUNT(sample_symbols),
		.modules = sample_modules,
		.nmodules = COUNT(sample_modules),
	};
}

/* One type of the sample was timed, the last one was not. */
static inline struct model sample_estimated_model(struct model_type *types)
{
	struct model model = sample_model();
	struct model_type *untimed = &types[COUNT(sample_types) - 1];

	memcpy(types, sample_types, sizeof(sample_types));
	for (size_t i = 0; i < COUNT(sample_types); i++)
		types[i].has_scheduled = false;
	untimed->untimed = true;
	untimed->times = (struct model_times){0};
	model.types = types;
	model.capture.estimated = true;
	model.capture.sampled_one_in = 16;
	model.capture.sampled_since_ns = 3200 * MS;
	return model;
}

/* As of a recording that is cut, where no probe shows that workers park. */
static inline struct model_worker sample_unmeasured_worker(void)
{
	struct model_worker worker = sample_workers[0];

	worker.has_busy = worker.has_on_cpu = false;
	worker.busy_ns = worker.parked_ns = 0;
	worker.on_cpu_ns = worker.runqueue_ns = worker.blocked_ns = 0;
	return worker;
}

/* The sample, of which one cause has taken no time: the last of its first type. */
struct sample_timeless {
	struct model model;
	struct model_type types[COUNT(sample_types)];
	struct model_cause causes[COUNT(sample_handle_causes)];
};

static inline void sample_timeless(struct sample_timeless *sample)
{
	struct model_cause *last = &sample->causes[COUNT(sample->causes) - 1];

	sample->model = sample_model();
	memcpy(sample->types, sample_types, sizeof(sample->types));
	memcpy(sample->causes, sample_handle_causes, sizeof(sample->causes));
	last->total_ns = 0;
	last->max_ns = 0;
	sample->types[0].causes = sample->causes;
	sample->model.types = sample->types;
}

#endif
