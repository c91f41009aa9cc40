// SPDX-License-Identifier: MIT
/* pollscope doctor: what this kernel, these privileges and this target allow. */
#include <string.h>

#include "attach/checks.h"
#include "attach/find.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/target.h"
#include "emit/json.h"

static const char *const words[] = {
	[CHECK_OK] = "ok",
	[CHECK_NOTE] = "note",
	[CHECK_FAIL] = "FAIL",
};
static const char *const states[] = {
	[CHECK_OK] = "ok",
	[CHECK_NOTE] = "note",
	[CHECK_FAIL] = "fail",
};
static const char *const colors[] = {
	[CHECK_OK] = "\033[32m",
	[CHECK_NOTE] = "\033[33m",
	[CHECK_FAIL] = "\033[31m",
};

static size_t checks_failed(const struct checks *checks)
{
	size_t failed = 0;

	for (size_t i = 0; i < checks->n; i++)
		failed += checks->list[i].state == CHECK_FAIL;
	return failed;
}

static int emit_text(const struct checks *checks, bool color, FILE *out)
{
	size_t failed;

	for (size_t i = 0; i < checks->n; i++) {
		const struct check *c = &checks->list[i];

		fprintf(out, "%s%4s%s  %-20s %s\n", color ? colors[c->state] : "", words[c->state],
			color ? "\033[0m" : "", c->subject, c->found);
		if (c->remedy[0])
			fprintf(out, "      %-20s -> %s\n", "", c->remedy);
	}
	failed = checks_failed(checks);
	if (failed)
		fprintf(out, "\n%zu of %zu checks failed: nothing can be traced as it is\n", failed,
			checks->n);
	else
		fprintf(out, "\nAll that is needed is there\n");
	return 0;
}

static int emit_json(const struct checks *checks, FILE *out)
{
	json_t *document = json_object(), *list = json_array();
	int failed = emit_json_put_text(document, "schema", "pollscope.doctor/1");

	for (size_t i = 0; i < checks->n; i++) {
		const struct check *c = &checks->list[i];
		json_t *check = json_object();

		failed |= emit_json_put_text(check, "subject", c->subject);
		failed |= emit_json_put_text(check, "state", states[c->state]);
		failed |= emit_json_put_text(check, "found", c->found);
		failed |= emit_json_put_text(check, "remedy", c->remedy);
		failed |= json_array_append_new(list, check);
	}
	failed |= emit_json_put(document, "checks", list);
	return emit_json_print(document, failed, out);
}

/* Adds what the TARGET allows; false: it cannot be found, which has been said. */
static bool target_check(const struct options *o, struct checks *checks)
{
	struct find_pids pids = {0};

	if (o->argv) {
		checks_executable(checks, o->argv[0], &o->runtime);
		return true;
	}
	if (!o->pids && !o->name)
		return true;
	if (target_pids(o, &pids))
		return false;
	for (size_t i = 0; i < pids.count; i++)
		checks_process(checks, pids.pids[i], &o->runtime);
	find_free(&pids);
	return true;
}

int command_doctor(const struct options *o, const char *command_line)
{
	struct checks checks = {0};
	int status = EXIT_FAILED;
	FILE *out;

	(void)command_line;
	checks_system(&checks);
	out = target_check(o, &checks) ? output_open(o) : NULL;
	if (out) {
		bool color = o->color && output_columns(o);

		status = output_close(
			o, out, o->json ? emit_json(&checks, out) : emit_text(&checks, color, out));
	}
	if (checks_failed(&checks))
		status = EXIT_FAILED;
	checks_release(&checks);
	return status;
}
