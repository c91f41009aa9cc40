// SPDX-License-Identifier: MIT
// links: attach tokio symbolize util -lZydis -ldw -lelf -lzstd -liberty
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attach/adapter.h"
#include "attach/plans.h"
#include "core/event.h"

/* Files are told apart by where they are: what an adapter here finds in one is what it says. */
struct elf_file {
	const char *holds;
};

static int scans, freed;

static void names_free(struct kind_names *names)
{
	freed++;
	free(names);
}

/* Finds `runtime` where the file holds "runtime", all of it, or "runtime-" (not both ends). */
static int find(const struct elf_file *file, const char *what, const char *runtime,
		struct probe_plan *plan)
{
	const char *at = strstr(file->holds, what);

	scans++;
	memset(plan, 0, sizeof(*plan));
	plan->runtime = runtime;
	if (!at)
		return strstr(file->holds, "damage") ? -ENOEXEC : 0;
	at += strlen(what);
	if (*at == '?') {
		snprintf(plan->refusal, sizeof(plan->refusal), "unknown");
		return 0;
	}
	plan->points = calloc(1, sizeof(*plan->points));
	plan->npoints = 1;
	plan->capabilities = *at == '-' ? EVENT_CAN_WAKE : EVENT_CAN_POLL;
	plan->names = calloc(1, sizeof(*plan->names));
	plan->names->free = names_free;
	return 0;
}

static int usdt_scan(const struct elf_file *file, const char *provider, struct probe_plan *plan)
{
	return find(file, provider ? provider : "one", "one", plan);
}

static int notes_scan(const struct elf_file *file, const char *provider, struct probe_plan *plan)
{
	return find(file, provider ? provider : "notes", "two", plan);
}

static int code_scan(const struct elf_file *file, const char *provider, struct probe_plan *plan)
{
	assert_null(provider);
	return find(file, "code", "two", plan);
}

static const struct adapter one = {.name = "one", .usdt = true, .scan = usdt_scan};
static const struct adapter notes = {.name = "two", .usdt = true, .scan = notes_scan};
static const struct adapter code = {.name = "two", .scan = code_scan};
static const struct adapter *const all[] = {&one, &notes, &code, NULL};

static const struct file_plans *look(struct plans *plans, const struct elf_file *file)
{
	const struct file_plans *found;

	assert_int_equal(plans_find(plans, file, &found), 1);
	return found;
}

static void each_file_is_scanned_once(void **state)
{
	const struct elf_file file = {"one"}, other = {"nothing"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){0});
	const struct file_plans *found, *again;

	(void)state;
	scans = freed = 0;
	found = look(plans, &file);
	assert_int_equal(scans, 3);
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].runtime, "one");
	assert_int_equal(look(plans, &other)->n, 0);
	assert_int_equal(plans_find(plans, &file, &again), 0);
	assert_ptr_equal(found, again);
	assert_int_equal(scans, 6);
	assert_int_equal(freed, 0);
	plans_free(plans);
	assert_int_equal(freed, 1);
	plans_free(NULL);
}

static void first_complete_plan_of_a_name_wins(void **state)
{
	const struct elf_file both = {"notes code"}, partly = {"notes- code"}, last = {"code"},
			      neither = {"notes- code-"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){0});
	const struct file_plans *found;

	(void)state;
	scans = freed = 0;
	assert_int_equal(look(plans, &both)->n, 1);
	assert_int_equal(scans, 2);
	found = look(plans, &partly);
	assert_int_equal(found->n, 1);
	assert_true(probe_plan_complete(&found->list[0]));
	assert_int_equal(freed, 1);
	assert_int_equal(look(plans, &last)->n, 1);
	assert_int_equal(look(plans, &neither)->n, 2);
	plans_free(plans);
	assert_int_equal(freed, 6);
}

static void runtimes_of_different_names_are_all_there(void **state)
{
	const struct elf_file file = {"one code"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){0});
	const struct file_plans *found = look(plans, &file);

	(void)state;
	assert_int_equal(found->n, 2);
	assert_string_equal(found->list[0].runtime, "one");
	assert_string_equal(found->list[1].runtime, "two");
	plans_free(plans);
}

static void refusal_and_damage_are_told(void **state)
{
	const struct elf_file refused = {"code?"}, seen = {"notes code?"}, damaged = {"damage one"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){0});
	const struct file_plans *found = look(plans, &refused);

	(void)state;
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].refusal, "unknown");
	assert_int_equal(found->error, 0);
	found = look(plans, &seen);
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].refusal, "");
	found = look(plans, &damaged);
	assert_int_equal(found->n, 1);
	assert_int_equal(found->error, -ENOEXEC);
	assert_string_equal(found->failed, "two");
	plans_free(plans);
}

static void choice_by_name_leaves_the_others_out(void **state)
{
	const struct elf_file file = {"one notes"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){.name = "two"});
	const struct file_plans *found = look(plans, &file);

	(void)state;
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].runtime, "two");
	plans_free(plans);
}

static void provider_is_for_the_first_contract_that_fits(void **state)
{
	const struct elf_file file = {"own code"};
	struct plans *plans = plans_new(all, &(struct adapter_choice){.provider = "own"});
	const struct file_plans *found;

	(void)state;
	scans = 0;
	found = look(plans, &file);
	assert_int_equal(scans, 1);
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].runtime, "one");
	plans_free(plans);
}

static void choice_is_read_as_people_write_it(void **state)
{
	struct adapter_choice choice;

	(void)state;
	assert_true(adapter_choose("pollrt", &choice));
	assert_string_equal(choice.name, "pollrt");
	assert_null(choice.provider);
	assert_true(adapter_choose("usdt:mine", &choice));
	assert_null(choice.name);
	assert_string_equal(choice.provider, "mine");
	assert_true(adapter_chosen(&one, &choice));
	assert_false(adapter_chosen(&code, &choice));
	assert_false(adapter_choose("usdt:", &choice));
	assert_false(adapter_choose("usdt", &choice));
	assert_false(adapter_choose("", &choice));
	assert_false(adapter_choose("none", &choice));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_is_scanned_once),
		cmocka_unit_test(first_complete_plan_of_a_name_wins),
		cmocka_unit_test(runtimes_of_different_names_are_all_there),
		cmocka_unit_test(refusal_and_damage_are_told),
		cmocka_unit_test(choice_by_name_leaves_the_others_out),
		cmocka_unit_test(provider_is_for_the_first_contract_that_fits),
		cmocka_unit_test(choice_is_read_as_people_write_it),
	};

	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
