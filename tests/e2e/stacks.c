// SPDX-License-Identifier: MIT
#include "stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

const char *stacks_record(struct e2e *e, const char *options, const char *target)
{
	return recording_of_launch(e, "data", options, target);
}

const char *stacks_flame(struct e2e *e, const char *options, const char *path)
{
	struct process *tracer = tracer_run(e, "flame %s %s", options, path);

	tracer_expect(tracer, 0);
	return process_out(tracer);
}

json_t *stacks_capture(struct e2e *e, const char *path)
{
	return json_object_get(tracer_json(tracer_run(e, "report --json %s", path)), "capture");
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

char *stacks_without(struct e2e *e, const char *line, size_t length, const char *name)
{
	char *copy = e2e_bytes(e, length + 2), *to = copy;
	size_t n = strlen(name);

	for (const char *at = line; at < line + length;) {
		size_t frame = strcspn(at, ";\n");

		if (frame != n || strncmp(at, name, n)) {
			memcpy(to, at, frame);
			to += frame;
			*to++ = ';';
		}
		at += frame + 1;
	}
	to[-1] = '\0';
	return copy;
}

void stacks_chain(char chain[STACKS_CHAIN_MAX], unsigned int depth)
{
	int at = sprintf(chain, ";walker;");

	for (unsigned int i = 0; i < depth; i++)
		at += sprintf(chain + at, "level_%02u;", i);
}

/* How many of the chain's functions follow one another behind the poll function. */
static unsigned int levels_of(const char *line)
{
	const char *at = strstr(line, ";walker;");
	unsigned int n = 0, level;

	for (at = at ? at + strlen(";walker;") : ""; sscanf(at, "level_%2u;", &level) == 1; n++) {
		assert_int_equal(level, n);
		at += strlen("level_00;");
	}
	assert_null(strstr(at, "level_"));
	return n;
}

uint64_t assert_chains(struct e2e *e, const char *folded, const struct chain_expected *expected)
{
	char chain[STACKS_CHAIN_MAX];
	uint64_t waited = 0;
	bool broken = false;

	stacks_chain(chain, expected->depth);
	strcat(chain, expected->leaf);
	while (*folded) {
		size_t length = strcspn(folded, "\n");
		char *line = stacks_without(e, folded, length, "chain_down");

		folded += length + 1;
		if (!starts_with(line, expected->root) || strstr(line, "[on cpu, not sampled]"))
			continue;
		if (!strstr(line, "clone3;start_thread;")) {
			/* One may be of where the kernel was changing the registers, as at a signal. */
			if (broken || strstr(line, expected->cause))
				fail_msg("not from the thread's start: %s", line);
			broken = true;
			continue;
		}
		assert_true(levels_of(line) <= expected->depth);
		if (strstr(line, chain) && strstr(line, expected->cause))
			waited += strtoull(strrchr(line, ' ') + 1, NULL, 10);
		else if (strstr(line, expected->cause))
			fail_msg("not down the whole chain: %s", line);
	}
	return waited;
}

void assert_chains_waited(struct e2e *e, const char *target, unsigned int times,
			  const struct chain_expected *expected)
{
	const char *path = stacks_record(e, "-F 0", target);
	json_t *unwind = json_object_get(stacks_capture(e, path), "unwind");
	uint64_t stacks = report_number(unwind, "stacks"), waited;

	waited = assert_chains(e, stacks_flame(e, "--kind offcpu --type walker", path), expected);
	/* Who loses its CPU on the way may come late to its millisecond. */
	assert_at_most(times * 300, waited, 0);
	assert_at_most(times / 2, stacks, 0);
	/* As above. */
	if (stacks - report_number(unwind, "complete") > 1 + stacks / 100)
		fail_msg("stacks end early: %s", json_dumps(unwind, 0));
}
