// SPDX-License-Identifier: MIT
/* Targets, which answer over a channel, and tracers. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* One line of the channel, without its newline. Truths may be long. */
static char *line_read(struct process *process)
{
	struct pollfd pollfd = {.fd = process_channel(process), .events = POLLIN};
	size_t n = 0, room = 4096;
	char *line = malloc(room);
	char *kept;

	for (;;) {
		assert_non_null(line);
		if (poll(&pollfd, 1, E2E_PATIENCE_MS) <= 0 || recv(pollfd.fd, line + n, 1, 0) != 1)
			fail_msg("no answer from the target; stderr: %s", process_err(process));
		if (line[n] == '\n')
			break;
		if (++n == room)
			line = realloc(line, room *= 2);
	}
	line[n] = '\0';
	kept = e2e_text(process_test(process), "%s", line);
	free(line);
	return kept;
}

pid_t target_ready(struct process *process)
{
	const char *line = line_read(process);
	int pid;

	if (sscanf(line, "ready %d", &pid) != 1)
		fail_msg("'%s' instead of 'ready'", line);
	return pid;
}

struct process *target_start(struct e2e *e, const char *command)
{
	return target_start_in(e, command, NULL, NULL);
}

struct process *target_start_in(struct e2e *e, const char *command, void (*before_exec)(void *),
				void *context)
{
	struct process_options options = {
		.channel = true,
		.before_exec = before_exec,
		.context = context,
	};
	struct process *target = process_start(e, &options, e2e_target(e, command));

	target_ready(target);
	return target;
}

void target_tell(struct process *process, const char *line)
{
	const char *text = e2e_text(process_test(process), "%s\n", line);

	assert_int_equal(send(process_channel(process), text, strlen(text), MSG_NOSIGNAL),
			 (int)strlen(text));
}

json_t *target_truth(struct process *process)
{
	return e2e_json(process_test(process), line_read(process));
}

json_t *target_ask(struct process *process, const char *line)
{
	target_tell(process, line);
	return target_truth(process);
}

static struct process *tracer_start(struct e2e *e, const struct process_options *options,
				    const char *format, va_list args)
{
	struct process *process;
	char *arguments;

	assert_true(vasprintf(&arguments, format, args) >= 0);
	process = process_start(e, options, e2e_text(e, "%s %s", e2e_pollscope(e), arguments));
	free(arguments);
	return process;
}

struct process *tracer_run(struct e2e *e, const char *arguments, ...)
{
	struct process_options options = {0};
	struct process *tracer;
	va_list args;

	va_start(args, arguments);
	tracer = tracer_start(e, &options, arguments, args);
	va_end(args);
	process_wait(tracer);
	return tracer;
}

struct process *tracer_launch(struct e2e *e, const char *arguments, ...)
{
	struct process_options options = {.channel = true};
	struct process *tracer;
	va_list args;

	va_start(args, arguments);
	tracer = tracer_start(e, &options, arguments, args);
	va_end(args);
	return tracer;
}

struct process *tracer_attach(struct e2e *e, const char *arguments, ...)
{
	struct process_options options = {.terminal = true};
	struct process *tracer;
	va_list args;

	va_start(args, arguments);
	tracer = tracer_start(e, &options, arguments, args);
	va_end(args);
	/* Progress is shown once it captures. */
	process_await_progress(tracer);
	return tracer;
}

uint64_t tracer_recorded(struct e2e *e, const char *path, const char *kind)
{
	struct process *info = tracer_run(e, "info -q --json %s", path);
	const char *said = process_out(info);
	json_t *events;

	process_end(info);
	/* Nothing may be in it yet. */
	if (!*said)
		return 0;
	events = json_object_get(e2e_json(e, said), "events");
	return (uint64_t)json_integer_value(json_object_get(events, kind));
}

void tracer_expect(struct process *tracer, int wanted)
{
	int status = process_wait(tracer);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
		fail_msg("pollscope ended with %s %d, not with status %d; it said: %s",
			 WIFEXITED(status) ? "status" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), wanted,
			 process_err(tracer));
}

json_t *tracer_json(struct process *tracer)
{
	tracer_expect(tracer, 0);
	return e2e_json(process_test(tracer), process_out(tracer));
}

/* One round of the launched target; what it says of it. */
static json_t *target_round(struct process *tracer)
{
	target_tell(tracer, "go");
	target_tell(tracer, "end");
	target_ready(tracer);
	return target_truth(tracer);
}

json_t *report_of_launch(struct e2e *e, const char *options, const char *target, json_t **truth)
{
	struct process *tracer = tracer_launch(e, "report --json --sample 1 %s -- %s", options,
					       e2e_target(e, target));

	*truth = target_round(tracer);
	return tracer_json(tracer);
}

const char *recording_of_launch(struct e2e *e, const char *name, const char *options,
				const char *target)
{
	const char *path = e2e_path(e, name);
	struct process *tracer = tracer_launch(e, "record --sample 1 %s -o %s -- %s", options, path,
					       e2e_target(e, target));

	target_round(tracer);
	tracer_expect(tracer, 0);
	return path;
}
