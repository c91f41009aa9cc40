// SPDX-License-Identifier: MIT
// links: attach util
/* What is advised is not there already, and helps. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/procfs.h"

#define CAN(capability) (UINT64_C(1) << (capability))

static void check(int error, bool reached, uint64_t capabilities, const char *advice)
{
	const char *remedy = procfs_file_remedy(error, reached, capabilities);

	if (!strstr(remedy, advice))
		fail_msg("no '%s' in: %s", advice, remedy);
	assert_true(!strstr(remedy, "root") != !strstr(remedy, "forbids"));
}

static void what_lacks_for_a_file_is_advised(void **state)
{
	(void)state;
	check(-EACCES, true, 0, "CAP_DAC_READ_SEARCH");
	check(-EPERM, true, CAN(CAP_SYS_ADMIN) | CAN(CAP_SYS_PTRACE), "CAP_DAC_READ_SEARCH");
	check(-ESTALE, true, 0, "CAP_SYS_ADMIN");
	check(-ESTALE, true, CAN(CAP_DAC_OVERRIDE), "CAP_SYS_ADMIN");
	check(-EACCES, false, CAN(CAP_DAC_OVERRIDE), "CAP_SYS_PTRACE");
}

static void root_is_not_told_to_become_root(void **state)
{
	(void)state;
	check(-EACCES, true, UINT64_MAX, "security module");
	check(-EACCES, true, CAN(CAP_DAC_READ_SEARCH), "FUSE");
	check(-EPERM, true, CAN(CAP_DAC_OVERRIDE), "user namespace");
	check(-ESTALE, true, UINT64_MAX, "container");
	check(-ESTALE, true, CAN(CAP_CHECKPOINT_RESTORE), "container");
	check(-EACCES, false, CAN(CAP_SYS_PTRACE), "user namespace");
}

static void other_errors_have_no_remedy(void **state)
{
	(void)state;
	assert_string_equal(procfs_file_remedy(-ENOEXEC, true, 0), "");
	assert_string_equal(procfs_file_remedy(-ENOMEM, false, UINT64_MAX), "");
}

static void files_are_reached_through_a_process_that_is_there(void **state)
{
	(void)state;
	assert_true(procfs_reached(getpid()));
	assert_false(procfs_reached(INT_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lacks_for_a_file_is_advised),
		cmocka_unit_test(root_is_not_told_to_become_root),
		cmocka_unit_test(other_errors_have_no_remedy),
		cmocka_unit_test(files_are_reached_through_a_process_that_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
