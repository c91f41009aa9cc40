// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* Folded stacks, and the weights behind them. */
#include "emit/folded.h"
#include "golden.h"
#include "sample_model.h"

static char *folded(const struct model *model, enum flame_kind kind, enum flame_by by)
{
	struct flame *flame = flame_new(model, kind, by);
	struct golden_stream stream;

	assert_non_null(flame);
	assert_int_equal(emit_folded(flame, golden_open(&stream)), 0);
	flame_free(flame);
	return golden_close(&stream);
}

static void check_folded(const char *name, enum flame_kind kind)
{
	const struct model model = sample_model();
	char *text = folded(&model, kind, FLAME_BY_TYPE);

	golden_check(name, text);
	free(text);
}

/* Sum of the lines whose root is `root`; of all for NULL. */
static uint64_t sum_of(const char *text, const char *root)
{
	uint64_t sum = 0;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n'), *number = end;

		while (number[-1] != ' ')
			number--;
		if (!root || (!strncmp(line, root, strlen(root)) && line[strlen(root)] == ';'))
			sum += strtoull(number, NULL, 10);
	}
	return sum;
}

static void wall(void **state)
{
	(void)state;
	check_folded("wall.folded", FLAME_WALL);
}

static void oncpu(void **state)
{
	(void)state;
	check_folded("oncpu.folded", FLAME_ONCPU);
}

static void offcpu(void **state)
{
	(void)state;
	check_folded("offcpu.folded", FLAME_OFFCPU);
}

static void sched(void **state)
{
	(void)state;
	check_folded("sched.folded", FLAME_SCHED);
}

static void idle(void **state)
{
	(void)state;
	check_folded("idle.folded", FLAME_IDLE);
}

static void wall_sums_to_the_polling_time_of_each_type(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_WALL, FLAME_BY_TYPE);
	uint64_t polling = 0;

	(void)state;
	for (size_t i = 0; i < model.ntypes; i++) {
		polling += model.types[i].times.polling_ns;
		assert_int_equal(sum_of(text, model.types[i].name),
				 model.types[i].times.polling_ns / 1000);
	}
	assert_int_equal(sum_of(text, NULL), polling / 1000);
	free(text);
}

static void offcpu_sums_to_blocked_and_run_queue(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_OFFCPU, FLAME_BY_TYPE);
	uint64_t off = 0;

	(void)state;
	for (size_t i = 0; i < model.ntypes; i++)
		off += model.types[i].times.blocked_ns + model.types[i].times.runqueue_ns;
	assert_int_equal(sum_of(text, NULL), off / 1000);
	free(text);
}

static void oncpu_sums_to_samples_times_period(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_ONCPU, FLAME_BY_TYPE);

	(void)state;
	assert_int_equal(sum_of(text, NULL), (601 * SAMPLE_PERIOD_NS + 500) / 1000);
	free(text);
}

static void sched_sums_to_the_queue_delays(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_SCHED, FLAME_BY_TYPE);
	uint64_t queued = 0;

	(void)state;
	for (size_t i = 0; i < model.ntypes; i++)
		queued += model.types[i].times.scheduled_ns;
	assert_int_equal(sum_of(text, NULL), queued / 1000);
	free(text);
}

static void idle_sums_to_the_idle_time_of_each_type(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_IDLE, FLAME_BY_TYPE);

	(void)state;
	for (size_t i = 0; i < model.ntypes; i++)
		assert_int_equal(sum_of(text, model.types[i].name),
				 model.types[i].times.idle_ns / 1000);
	assert_non_null(strstr(text, "accept_loop;[not sampled] 9950000\n"));
	free(text);
}

static void lines_are_sorted_bytewise_and_distinct(void **state)
{
	const struct model model = sample_model();
	char *text = folded(&model, FLAME_WALL, FLAME_BY_TYPE), *last = "";

	(void)state;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		*strrchr(line, ' ') = '\0';
		assert_true(strcmp(last, line) < 0);
		last = line;
	}
	free(text);
}

static void roots_can_be_tasks(void **state)
{
	struct model model = sample_model();
	struct model_weight weights[] = {sample_weights[0], sample_weights[4]};
	struct model_root on_cpu[] = {{0, 16, 0, 3 * MS}, {0, 17, 0, 5 * MS}};
	char *text;

	(void)state;
	weights[0].task = weights[1].task = 17;
	model.weights = weights;
	model.nweights = COUNT(weights);
	model.on_cpu = on_cpu;
	model.non_cpu = COUNT(on_cpu);
	text = folded(&model, FLAME_WALL, FLAME_BY_TASK);
	assert_non_null(strstr(text, "handle_conn #16;[on cpu, not sampled] 3000\n"));
	assert_int_equal(sum_of(text, "handle_conn #17"), 1905000);
	free(text);
}

static void roots_can_be_workers(void **state)
{
	struct model model = sample_model();
	struct model_weight weights[] = {sample_weights[4], sample_weights[8], sample_weights[8]};
	struct model_worker workers[COUNT(sample_workers)];
	char *text;

	(void)state;
	memcpy(workers, sample_workers, sizeof(workers));
	weights[0].tid = weights[1].tid = 4243;
	weights[2].tid = 99;
	model.weights = weights;
	model.nweights = COUNT(weights);
	text = folded(&model, FLAME_OFFCPU, FLAME_BY_WORKER);
	assert_int_equal(sum_of(text, "pollrt-worker-0"), 2300000);
	assert_int_equal(sum_of(text, "thread 99"), 400000);
	free(text);
	workers[1].name = workers[0].name;
	model.workers = workers;
	text = folded(&model, FLAME_OFFCPU, FLAME_BY_WORKER);
	assert_int_equal(sum_of(text, "pollrt-worker-0/4243"), 2300000);
	free(text);
}

static void namesakes_are_told_apart(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[2].name = types[0].name;
	types[3].name = types[1].name;
	types[3].location = types[1].location;
	model.types = types;
	text = folded(&model, FLAME_WALL, FLAME_BY_TYPE);
	assert_int_equal(sum_of(text, "handle_conn server.c:120"), 6200000);
	assert_int_equal(sum_of(text, "handle_conn server.c:88"), 45000);
	assert_non_null(strstr(text, "src/storage/journal.rs:310 (pid 4242);"));
	free(text);
}

static void hostile_names_cannot_forge_frames_or_lines(void **state)
{
	struct model model = sample_model();
	struct model_type types[COUNT(sample_types)];
	char *text;

	(void)state;
	memcpy(types, sample_types, sizeof(types));
	types[3].name = "a;b\nfake;stack 1000000\\\xff";
	model.types = types;
	text = folded(&model, FLAME_WALL, FLAME_BY_TYPE);
	assert_ptr_equal(text, strstr(text, "a\\x3bb\\x0afake\\x3bstack 1000000\\x5c\\xff;"
					    "[on cpu, not sampled] 1000\n"));
	free(text);
}

static void empty_model_prints_nothing(void **state)
{
	const struct model model = {0};

	(void)state;
	for (enum flame_kind kind = FLAME_WALL; kind <= FLAME_IDLE; kind++) {
		char *text = folded(&model, kind, FLAME_BY_TYPE);

		assert_string_equal(text, "");
		free(text);
	}
}

static void apportioned_shares_sum_to_the_total(void **state)
{
	uint64_t weights[100], shares[100], total = 12345, random = 42;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		size_t n = 1 + round % COUNT(weights);
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			weights[i] = 1 + (random >> (round % 60));
		}
		assert_int_equal(flame_apportion(total, weights, n, shares), 0);
		for (size_t i = 0; i < n; i++)
			sum += shares[i];
		assert_int_equal(sum, total);
		total = total * 7 % 1000000007;
	}
}

static void largest_remainders_are_rounded_up(void **state)
{
	const uint64_t weights[] = {400, 400, 1500, 0, 700};
	uint64_t shares[COUNT(weights)];

	(void)state;
	assert_int_equal(flame_apportion(3, weights, COUNT(weights), shares), 0);
	assert_int_equal(shares[0], 0);
	assert_int_equal(shares[1], 0);
	assert_int_equal(shares[2], 2);
	assert_int_equal(shares[3], 0);
	assert_int_equal(shares[4], 1);
}

static void only_known_kinds_and_roots_parse(void **state)
{
	enum flame_kind kind;
	enum flame_by by;

	(void)state;
	assert_int_equal(flame_kind_parse("offcpu", &kind), 0);
	assert_int_equal(kind, FLAME_OFFCPU);
	assert_int_equal(flame_kind_parse("", &kind), -22);
	assert_int_equal(flame_by_parse("worker", &by), 0);
	assert_int_equal(by, FLAME_BY_WORKER);
	assert_int_equal(flame_by_parse("Type", &by), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall),
		cmocka_unit_test(oncpu),
		cmocka_unit_test(offcpu),
		cmocka_unit_test(sched),
		cmocka_unit_test(idle),
		cmocka_unit_test(idle_sums_to_the_idle_time_of_each_type),
		cmocka_unit_test(wall_sums_to_the_polling_time_of_each_type),
		cmocka_unit_test(offcpu_sums_to_blocked_and_run_queue),
		cmocka_unit_test(oncpu_sums_to_samples_times_period),
		cmocka_unit_test(sched_sums_to_the_queue_delays),
		cmocka_unit_test(lines_are_sorted_bytewise_and_distinct),
		cmocka_unit_test(roots_can_be_tasks),
		cmocka_unit_test(roots_can_be_workers),
		cmocka_unit_test(namesakes_are_told_apart),
		cmocka_unit_test(hostile_names_cannot_forge_frames_or_lines),
		cmocka_unit_test(empty_model_prints_nothing),
		cmocka_unit_test(apportioned_shares_sum_to_the_total),
		cmocka_unit_test(largest_remainders_are_rounded_up),
		cmocka_unit_test(only_known_kinds_and_roots_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
