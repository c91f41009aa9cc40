// SPDX-License-Identifier: MIT
/* Tokio programs that have been running for long when pollscope comes, or get their Tokio later. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refusal.h"
#include "report.h"
#include "tokio.h"

#define EXACT "--sample 1 -F 0 --buffer 64M"

static bool in_ci(void)
{
	const char *ci = getenv("CI");

	return ci && !strcmp(ci, "true");
}

static json_t *runtime_of(const json_t *report)
{
	return json_object_get(json_object_get(report, "capture"), "runtime");
}

/* ---- an echo server under load ---- */

#define CONNECTIONS 16

/* What it has counted of its connections since it began. */
struct counted {
	uint64_t tasks, polls;
	uint64_t syncs, synced_ns, off_ns; /* of its log */
};

struct server {
	struct process *process, *load;
	const char *log;
	json_t *truth; /* the last */
	struct counted counted;
};

static void conns_add(struct counted *counted, const json_t *future)
{
	json_t *spent = json_object_get(json_object_get(future, "causes"), "fdatasync");

	counted->tasks += report_number(future, "tasks");
	counted->polls += report_number(future, "polls");
	if (!spent)
		return;
	counted->syncs += report_number(spent, "calls");
	counted->synced_ns += report_number(spent, "wall_ns");
	counted->off_ns += tokio_off_ns(spent);
}

static struct counted server_counted(struct server *server)
{
	json_t *future;
	size_t i;

	server->truth = target_ask(server->process, "counters");
	json_array_foreach (json_object_get(server->truth, "types"), i, future)
		if (!strcmp(report_string(future, "name"), "echo::echo_conn"))
			conns_add(&server->counted, future);
	return server->counted;
}

static bool serves_all(struct server *server)
{
	return server_counted(server).tasks == CONNECTIONS && server->counted.polls > 100;
}

/* As it is in production: it has no symbols, and has been serving for a while. */
static struct server server_start(struct e2e *e, const char *variant, const char *seconds)
{
	struct server server = {.log = e2e_path(e, "audit.log")};
	const char *load = tokio_command(e, "release", "load");
	uint64_t port;

	server.process = target_start(
		e, e2e_text(e, "%s 127.0.0.1:0 %s", tokio_command(e, variant, "echo"), server.log));
	port = report_number(target_ask(server.process, "port"), "port");
	server.load = process_start(e, &(struct process_options){0},
				    e2e_text(e, "%s 127.0.0.1:%llu %d %s", load,
					     (unsigned long long)port, CONNECTIONS, seconds));
	e2e_await(serves_all(&server));
	return server;
}

/* A number of its connections, in the report of a build without symbols. */
static uint64_t conns_reported(struct server *server, const json_t *report, const char *key)
{
	return tokio_reported(report, server->truth, "echo::echo_conn", TOKIO_LOCATED, key);
}

/* What it should not do is told of the future that does it: most of `inside`, and no more than `all`. */
static void assert_synced(struct server *server, const json_t *report, uint64_t inside_ns,
			  uint64_t all_ns)
{
	const char *location =
		report_string(tokio_future(server->truth, "echo::echo_conn"), "location");
	json_t *type = report_type(report, strrchr(location, '/') + 1);
	json_t *cause = report_find_cause(type, "fdatasync");

	if (!cause) {
		print_message("skipped: fdatasync of a file in TMPDIR or /tmp never sleeps\n");
		skip();
	}
	assert_string_equal(report_string(cause, "target"), server->log);
	assert_at_most(report_number(cause, "total_ns"), all_ns, all_ns / 50);
	assert_at_most(inside_ns / 2,
		       report_number(cause, "total_ns") + report_number(type, "runqueue_ns"), 0);
}

static void stripped_server_under_load_is_counted_while_attached(void **state)
{
	struct e2e *e = e2e_of(state);
	struct server server = server_start(e, "fat-stripped", "600");
	struct counted start, first, last, end;
	struct process *tracer;
	json_t *report;
	uint64_t polls;

	start = server_counted(&server);
	tracer = tracer_attach(e, "report --json " EXACT " -p %d", process_pid(server.process));
	first = server_counted(&server);
	e2e_sleep_ms(1000);
	/* All of them have their turn, however slow the disk. */
	e2e_await(server_counted(&server).polls > first.polls + 20 * CONNECTIONS);
	last = server.counted;
	process_kill(tracer, SIGINT);
	report = tracer_json(tracer);
	end = server_counted(&server);
	assert_identities(report);
	assert_nothing_lost(report);
	assert_string_equal(report_string(runtime_of(report), "name"), "tokio");
	polls = conns_reported(&server, report, "polls");
	assert_at_most(last.polls - first.polls, polls, 0);
	assert_at_most(polls, end.polls - start.polls, 0);
	assert_int_equal(conns_reported(&server, report, "alive"), CONNECTIONS);
	/* One at a time: what the capture's end was in the middle of is counted before any other. */
	e2e_await(server_counted(&server).syncs > end.syncs);
	assert_synced(&server, report, last.off_ns - first.off_ns,
		      server.counted.synced_ns - start.synced_ns);
}

/* Killed, it tells no more: what it has seen it has named by then. */
static void killed_recorder_has_named_what_it_saw(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *path = e2e_path(e, "killed");
	struct server server = server_start(e, "release", "600");
	json_t *report;
	struct process *tracer;

	tracer =
		tracer_attach(e, "record " EXACT " -o %s -p %d", path, process_pid(server.process));
	e2e_await(tracer_recorded(e, path, "kind") && tracer_recorded(e, path, "poll") > 100);
	process_kill(tracer, SIGKILL);
	process_wait(tracer);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_true(tokio_reported(report, server.truth, "echo::echo_conn", TOKIO_NAMED, "polls") >
		    0);
	assert_null(report_find_type(report, "[unknown]"));
}

static void attached_program_is_counted_round_by_round(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, tokio_command(e, "stripped", "mix 10")), *tracer;
	json_t *truth, *report;

	target_tell(target, "go");
	target_truth(target);
	tracer = tracer_attach(e, "report --json " EXACT " --tasks 100000 -p %d",
			       process_pid(target));
	truth = target_ask(target, "go");
	target_tell(target, "end");
	report = tracer_json(tracer);
	assert_tokio_counts(report, truth, TOKIO_LOCATED);
	assert_tokio_jobs(report, truth, TOKIO_LOCATED);
	assert_tokio_blocked(report, truth, TOKIO_LOCATED);
}

static void very_many_tasks_that_wait_are_none_of_its_business_until_they_wake(void **state)
{
	struct e2e *e = e2e_of(state);
	uint64_t tasks = in_ci() ? 200000 : 1000000;
	const char *command = e2e_text(e, "%s %llu", tokio_command(e, "release", "crowd"),
				       (unsigned long long)tasks);
	struct process *target = target_start(e, command), *tracer;
	json_t *truth, *report;

	tracer = tracer_attach(e, "report --json --sample 1 -F 0 --buffer 256M -p %d",
			       process_pid(target));
	truth = target_ask(target, "go");
	target_tell(target, "end");
	report = tracer_json(tracer);
	assert_nothing_lost(report);
	assert_identities(report);
	assert_int_equal(tokio_sum(truth, "polls"), tasks);
	assert_int_equal(report_sum(report, "polls"), tasks);
	assert_int_equal(report_sum(report, "tasks"), tasks);
	assert_int_equal(report_sum(report, "alive"), 0);
}

/* ---- later ---- */

static void executed_anew_it_is_traced_again(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, tokio_command(e, "release", "mix 10")), *tracer;
	const char *path = e2e_path(e, "data");
	json_t *truth, *report;

	tracer = tracer_attach(e, "record " EXACT " -o %s -p %d", path, process_pid(target));
	target_tell(target, "exec");
	assert_int_equal(target_ready(target), process_pid(target));
	/* It is attached to while it runs. */
	e2e_await(tracer_recorded(e, path, "source") > 1);
	truth = target_ask(target, "go");
	target_tell(target, "end");
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_nothing_lost(report);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(report, "capture"), "targets")), 2);
	assert_int_equal(report_sum(report, "polls"), tokio_sum(truth, "polls"));
}

static void library_with_a_tokio_of_its_own_is_traced_once_it_is_loaded(void **state)
{
	struct e2e *e = e2e_of(state);
	const char *host = tokio_command(e, "release", "host");
	const char *library = tokio_command(e, "release", "libplugin.so");
	const char *path = e2e_path(e, "data");
	struct process *tracer =
		tracer_launch(e, "record " EXACT " -o %s -- %s %s", path, host, library);
	json_t *truth, *report;

	target_ready(tracer);
	target_ask(tracer, "load");
	e2e_await(tracer_recorded(e, path, "source"));
	truth = target_ask(tracer, "go");
	target_tell(tracer, "end");
	tracer_expect(tracer, 0);
	report = tracer_json(tracer_run(e, "report --json %s", path));
	assert_identities(report);
	assert_nothing_lost(report);
	assert_int_equal(report_number(report_type(report, "plugin::naps"), "polls"),
			 report_number(truth, "polls"));
}

/* ---- what it is not ---- */

static void interpreter_without_tokio_has_no_runtime(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *python = process_start(e, &(struct process_options){0},
					       "/usr/bin/python3 -c __import__('time').sleep(600)");

	e2e_sleep_ms(300);
	if (!process_running(python)) {
		print_message("skipped: there is no python3\n");
		skip();
	}
	assert_refused(tracer_run(e, "report -p %d", process_pid(python)), 1, "no async runtime");
}

static void runtime_that_was_asked_for_is_taken_alone(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, tokio_command(e, "stripped", "mix 10"));
	struct process *tracer =
		tracer_run(e, "report --runtime pollrt -p %d", process_pid(target));

	assert_refused(tracer, 1, "pollrt");
	tracer = tracer_attach(e, "report --json --runtime tokio " EXACT " -p %d",
			       process_pid(target));
	target_ask(target, "go");
	target_tell(target, "end");
	assert_string_equal(report_string(runtime_of(tracer_json(tracer)), "name"), "tokio");
}

static void doctor_says_what_was_found(void **state)
{
	struct e2e *e = e2e_of(state);
	struct process *target = target_start(e, tokio_command(e, "stripped", "mix 10"));
	struct process *tracer = tracer_run(e, "doctor -p %d", process_pid(target));
	const char *said = process_out(tracer);

	assert_non_null(strstr(said, ": tokio 1."));
	assert_non_null(strstr(said, " of tasks"));
	assert_non_null(strstr(said, " of blocking jobs"));
	assert_non_null(strstr(said, "by their place in the source"));
	assert_non_null(strstr(said, "block_on"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		e2e_test(stripped_server_under_load_is_counted_while_attached),
		e2e_test(killed_recorder_has_named_what_it_saw),
		e2e_test(attached_program_is_counted_round_by_round),
		e2e_test(very_many_tasks_that_wait_are_none_of_its_business_until_they_wake),
		e2e_test(executed_anew_it_is_traced_again),
		e2e_test(library_with_a_tokio_of_its_own_is_traced_once_it_is_loaded),
		e2e_test(interpreter_without_tokio_has_no_runtime),
		e2e_test(runtime_that_was_asked_for_is_taken_alone),
		e2e_test(doctor_says_what_was_found),
	};

	return cmocka_run_group_tests_name("tokio live", tests, NULL, NULL);
}
