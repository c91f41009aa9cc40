// SPDX-License-Identifier: MIT
// links: emit core util -ljansson
/* What casts doubt on a report, as it says itself. */
#include "tables.h"

static void cut_recording_is_said(void **state)
{
	struct model model = sample_model();
	char *text;

	(void)state;
	model.capture.end_reason = 0;
	text = table_of(&model, &(struct table_options){0});
	assert_non_null(strstr(text, "The recording is cut"));
	free(text);
}

static void what_polls_nothing_is_told_why(void **state)
{
	struct model_source source = sample_sources[0];
	struct model model = sample_model();
	char *text;

	(void)state;
	model.sources = &source;
	text = table_of(&model, &(struct table_options){0});
	assert_null(strstr(text, "No task was polled"));
	free(text);
	model.ntypes = model.nworkers = model.ntasks = model.nslowest = 0;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, "\n! No task was polled in this time: all wait, or hang in "
				     "polls that began before; and futures given to block_on, "
				     "main's of #[tokio::main] among them, are not tasks and show "
				     "no probe\n"));
	free(text);
	source.capabilities |= EVENT_CAN_BLOCK_ON;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, "\n! No task was polled in this time: all wait, or hang in "
				     "polls that began before\n"));
	free(text);
}

static void tracing_that_costs_much_is_said(void **state)
{
	struct model model = sample_model();
	uint64_t ran = 0;
	char *text;

	(void)state;
	for (size_t i = 0; i < model.nworkers; i++)
		ran += model.workers[i].on_cpu_ns;
	model.capture.probe_overhead_ns = ran / 4;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_null(strstr(text, "! Tracing took"));
	free(text);
	model.capture.probe_overhead_ns = ran / 2;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, "\n! Tracing took 50.0% of the workers' CPU time"));
	free(text);
}

static void damage_of_a_recording_is_said(void **state)
{
	struct model model = sample_model();
	char *text;

	(void)state;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_null(strstr(text, "recording is damaged"));
	free(text);
	model.capture.damaged_chunks = 2;
	model.capture.damaged_bytes = 4096;
	model.capture.unread_events = 3;
	model.capture.end_reason = 0;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, "\n! The recording is cut"));
	assert_non_null(strstr(text, "\n! The recording is damaged: 2 chunks, 4.00 KiB could not "
				     "be read"));
	assert_non_null(strstr(text, "\n! 3 events of the recording make no sense"));
	free(text);
}

static void slight_uncertainty_is_no_warning(void **state)
{
	struct model model = sample_model();
	char *text;

	(void)state;
	model.capture.uncertain_ns = 156000;
	text = table_of(&model, &(struct table_options){0});
	assert_null(strstr(text, "! 156µs"));
	assert_non_null(strstr(strstr(text, "Tracing"), "156µs of the tasks' time is uncertain "
							"(<0.1% of polling + sched)\n"));
	free(text);
	model.capture.uncertain_ns = 1000000 * MS;
	text = table_of(&model, &(struct table_options){0});
	assert_non_null(strstr(text, "is uncertain (more than polling + sched)\n"));
	free(text);
}

static void probes_that_were_refused_are_told(void **state)
{
	struct model_source sources[] = {sample_sources[0], sample_sources[0]};
	struct model model = sample_model();
	char *text;

	(void)state;
	sources[1].capabilities = EVENT_CAN_POLL | EVENT_AWAITS_REFUSED;
	sources[1].path = "/bin/app\033";
	model.sources = sources;
	model.nsources = 2;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(
		strstr(text, "! The kernel refused the probes where tasks wait, in /bin/app\\x1b: "
			     "what they wait for while idle is not told\n"));
	free(text);
	sources[0].capabilities = EVENT_AWAITS_REFUSED;
	text = table_of(&model, &(struct table_options){.width = 200});
	assert_non_null(strstr(text, " and 1 more: what they wait for"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_recording_is_said),
		cmocka_unit_test(what_polls_nothing_is_told_why),
		cmocka_unit_test(tracing_that_costs_much_is_said),
		cmocka_unit_test(damage_of_a_recording_is_said),
		cmocka_unit_test(slight_uncertainty_is_no_warning),
		cmocka_unit_test(probes_that_were_refused_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
