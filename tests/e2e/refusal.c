// SPDX-License-Identifier: MIT
#include "refusal.h"

#include <string.h>

#include "report.h"

const char *sample_recording(struct e2e *e)
{
	const char *path = e2e_path(e, "recording");
	struct process *tracer = tracer_launch(e, "record -q -o %s -- %s", path,
					       e2e_target(e, "causes nanosleep 20"));

	target_tell(tracer, "go");
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	return path;
}

void assert_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	if (!end || end == text || end[1] || strncmp(text, "pollscope: ", strlen("pollscope: ")))
		fail_msg("not one line of an error: '%s'", text);
}

void assert_refused(struct process *tracer, int status, const char *about)
{
	const char *said;

	tracer_expect(tracer, status);
	said = process_err(tracer);
	assert_one_line(said);
	if (!strstr(said, about))
		fail_msg("no word of '%s' in: %s", about, said);
	assert_string_equal(process_out(tracer), "");
}
