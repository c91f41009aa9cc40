// SPDX-License-Identifier: MIT
/* What a tracer finds in a program on the runtime: each probe, with arguments that it can read. */
#include <regex.h>
#include <stdio.h>

#include "sync_helper.h"

static const struct probe {
	const char *name;
	const char *widths; /* bytes of each argument */
} probes[] = {
	{"task_spawn", "888"},    {"task_wake", "8"},       {"task_poll_start", "8844"},
	{"task_poll_end", "81"},  {"task_abort", "8"},      {"task_terminate", "81"},
	{"waker_clone", "8"},     {"worker_start", "484"},  {"worker_stop", "484"},
	{"worker_park", "484"},   {"worker_unpark", "484"}, {"blocking_queue", "88444"},
	{"blocking_start", "88"}, {"blocking_end", "88"},   {"block_on_enter", "88"},
	{"block_on_exit", "88"},  {"channel_send", "844"},  {"channel_recv", "844"},
};
#define PROBES (sizeof(probes) / sizeof(probes[0]))

struct job {
	int unused;
};

static void job(struct job *self)
{
	(void)self;
}

/* Links, with what it uses, every part of the runtime that has probes. */
static void a_program_uses_the_runtime(void **state)
{
	struct pollrt_runtime *rt = helper_runtime(POLLRT_MULTI_THREAD, 1);
	struct pollrt_receiver *receiver;
	struct pollrt_sender *sender;
	struct pollrt_join joins[2];
	char item = 0;

	(void)state;
	pollrt_channel_create(&sender, &receiver, 1, 0);
	assert_int_equal(pollrt_try_send(sender, &item), 0);
	assert_int_equal(pollrt_try_recv(receiver, &item), 0);
	pollrt_sender_close(sender);
	pollrt_receiver_close(receiver);
	pollrt_spawn(rt, &joins[0], yields, .left = 1);
	pollrt_join_abort(&joins[0]);
	pollrt_spawn_blocking(rt, &joins[1], job);
	pollrt_block_on(rt, joins_all, &(struct joins_all){.joins = joins, .count = 2});
	helper_finish(rt);
}

static const struct probe *find_probe(const char *name)
{
	for (size_t i = 0; i < PROBES; i++) {
		if (!strcmp(probes[i].name, name))
			return &probes[i];
	}
	fail_msg("unknown probe %s", name);
	return NULL;
}

/* @args as in "8@%rax 4@$5 4@%ecx"; constants may be signed. */
static void check_arguments(const struct probe *probe, char *args, regex_t *operand)
{
	char *rest = args;
	size_t n = 0;

	for (char *arg; (arg = strtok_r(rest, " \n", &rest)); n++) {
		if (regexec(operand, arg, 0, NULL, 0))
			fail_msg("%s: %s is no register and no constant", probe->name, arg);
		assert_true(n < strlen(probe->widths));
		assert_int_equal(arg[arg[0] == '-'], probe->widths[n]);
	}
	assert_int_equal(n, strlen(probe->widths));
}

static void every_argument_of_every_probe_is_a_register_or_a_constant(void **state)
{
	const struct probe *probe = NULL;
	bool found[PROBES] = {false};
	char line[512], name[64];
	bool ours = false;
	regex_t operand;
	FILE *notes;

	(void)state;
	snprintf(line, sizeof(line), "LC_ALL=C readelf --notes /proc/%d/exe", getpid());
	notes = popen(line, "r");
	assert_non_null(notes);
	assert_int_equal(regcomp(&operand, "^-?[1248]@([%][a-z0-9]+|[$]-?[0-9]+)$", REG_EXTENDED),
			 0);
	while (fgets(line, sizeof(line), notes)) {
		if (sscanf(line, " Provider: %63s", name) == 1) {
			ours = !strcmp(name, "pollrt");
		} else if (ours && sscanf(line, " Name: %63s", name) == 1) {
			probe = find_probe(name);
			found[probe - probes] = true;
		} else if (ours && strstr(line, "Arguments: ")) {
			check_arguments(probe, strstr(line, ": ") + 2, &operand);
		}
	}
	assert_int_equal(pclose(notes), 0);
	regfree(&operand);
	for (size_t i = 0; i < PROBES; i++) {
		if (!found[i])
			fail_msg("there is no probe %s", probes[i].name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_uses_the_runtime),
		cmocka_unit_test(every_argument_of_every_probe_is_a_register_or_a_constant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
