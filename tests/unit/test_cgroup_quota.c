// SPDX-License-Identifier: MIT
// links: attach util
/* Limits of CPU time, as the files of both versions of cgroups tell them. */
#include "attach/cgroup_quota.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PID 77
#define V1 "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /cg cgroup rw,cpu,cpuacct 0 0\n"
#define V2 "proc /proc proc rw 0 0\ncgroup2 /cg cgroup2 rw 0 0\n"

static char root[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/pollscope-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A file below the root, with the folders that it needs. */
static void file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *out;

	snprintf(path, sizeof(path), "%s%s", root, name);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void is_in(const char *mounts, const char *cgroups)
{
	file("/proc/self/mounts", mounts);
	file("/proc/77/cgroup", cgroups);
}

static void look_again(struct cgroup_quotas *quotas)
{
	struct cgroup_mounts mounts;

	cgroup_mounts_find(&mounts, root);
	cgroup_quotas_look(quotas, &mounts, root, PID);
}

static struct cgroup_quotas look(void)
{
	struct cgroup_quotas quotas = {0};

	look_again(&quotas);
	return quotas;
}

static void the_one_that_stopped_it_longest_counts_from_when_it_was_seen(void **state)
{
	struct cgroup_quotas quotas;
	const struct cgroup_quota *worst;

	(void)state;
	is_in(V2, "0::/pod/app\n");
	file("/cg/pod/app/cpu.max", "150000 100000\n");
	file("/cg/pod/app/cpu.stat", "usage_usec 5\nnr_periods 50\nnr_throttled 10\n"
				     "throttled_usec 7000\nnr_bursts 0\n");
	file("/cg/pod/cpu.max", "200000 50000\n");
	file("/cg/pod/cpu.stat", "nr_periods 90\nnr_throttled 0\nthrottled_usec 0\n");
	quotas = look();
	worst = cgroup_quotas_worst(&quotas);
	assert_int_equal(quotas.n, 2);
	assert_string_equal(worst->cgroup, "/pod/app");
	assert_int_equal(worst->quota_ns, 150000000);
	assert_int_equal(worst->period_ns, 100000000);
	assert_int_equal(worst->periods, 0);
	assert_int_equal(worst->throttled_ns, 0);
	file("/cg/pod/app/cpu.stat", "nr_periods 60\nnr_throttled 11\nthrottled_usec 7001\n");
	file("/cg/pod/cpu.stat", "nr_periods 110\nnr_throttled 9\nthrottled_usec 3\n");
	look_again(&quotas);
	worst = cgroup_quotas_worst(&quotas);
	assert_string_equal(worst->cgroup, "/pod");
	assert_int_equal(worst->quota_ns, 200000000);
	assert_int_equal(worst->periods, 20);
	assert_int_equal(worst->throttled, 9);
	assert_int_equal(worst->throttled_ns, 3000);
	assert_int_equal(quotas.list[0].throttled_ns, 1000);
	/* What it did is known when it is gone. */
	is_in(V2, "0::/other\n");
	look_again(&quotas);
	assert_int_equal(cgroup_quotas_worst(&quotas)->throttled_ns, 3000);
}

static void the_older_version_is_read_too(void **state)
{
	struct cgroup_quotas quotas;

	(void)state;
	is_in(V1, "5:memory:/m\n4:cpuacct,cpu:/a b\n0::/v2\n");
	file("/cg/a b/cpu.cfs_quota_us", "50000\n");
	file("/cg/a b/cpu.cfs_period_us", "100000\n");
	file("/cg/a b/cpu.stat", "nr_periods 4\nnr_throttled 3\nthrottled_time 123456789\n");
	file("/cg/cpu.cfs_quota_us", "-1\n");
	file("/cg/cpu.cfs_period_us", "100000\n");
	file("/cg/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
	quotas = look();
	assert_int_equal(quotas.n, 1);
	assert_string_equal(quotas.list[0].cgroup, "/a b");
	assert_int_equal(quotas.list[0].quota_ns, 50000000);
	assert_int_equal(quotas.list[0].first_throttled_ns, 123456789);
}

static void counters_never_run_backwards(void **state)
{
	struct cgroup_quotas quotas;

	(void)state;
	is_in(V2, "0::/a\n");
	file("/cg/a/cpu.max", "1000 100000\n");
	file("/cg/a/cpu.stat", "nr_periods 10\nnr_throttled 10\nthrottled_usec 10\n");
	quotas = look();
	/* Made anew under its name; and read in the middle of a change. */
	file("/cg/a/cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_usec 1\n");
	look_again(&quotas);
	assert_int_equal(quotas.list[0].periods, 0);
	assert_int_equal(quotas.list[0].throttled_ns, 0);
	file("/cg/a/cpu.stat", "nr_periods 12\nnr_throttled 13\nthrottled_usec 20\n");
	look_again(&quotas);
	assert_int_equal(quotas.list[0].periods, 2);
	assert_int_equal(quotas.list[0].throttled, 2);
}

/* Each line of /proc/PID/cgroup of which there is nothing to tell. */
static void what_cannot_be_read_is_no_limit(void **state)
{
	static const char *const cgroups[] = {
		"",       "\n",  "0",          "0:",       "0::",          "0::a\n",  "0::/../a\n",
		"0::/..", ":::", "1:cpu:/a\n", "00::/a\n", "0::/a/../a\n", "0::/x\n", "x:y:z",
	};
	static const char *const limits[] = {
		"",
		"max 100000\n",
		"max",
		"0 100000",
		"-5 100000",
		"5 0",
		"5 -1",
		"5",
		"x y",
		"99999999999999999999 100000",
		"9223372036854775807 9223372036854775807",
	};
	char deep[CGROUP_PATH + 16] = "0::/";

	(void)state;
	file("/cg/a/cpu.max", "1000 100000\n");
	file("/cg/a/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_usec 1\n");
	for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
		is_in(V2, cgroups[i]);
		assert_int_equal(look().n, 0);
	}
	memset(deep + 4, 'd', sizeof(deep) - 5);
	is_in(V2, deep);
	assert_int_equal(look().n, 0);
	is_in(V2, "0::/a\n");
	assert_int_equal(look().n, 1);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		file("/cg/a/cpu.max", limits[i]);
		assert_int_equal(look().n, 0);
	}
	file("/cg/a/cpu.max", "1000 100000\n");
	file("/cg/a/cpu.stat", "nr_periodsX 1\nnr_throttled\n\xff\n");
	assert_int_equal(look().n, 0);
	is_in("", "0::/a\n");
	assert_int_equal(look().n, 0);
	is_in("cgroup2\ncgroup2 /cg\n\n \n", "0::/a\n");
	assert_int_equal(look().n, 0);
}

static void more_levels_than_are_kept_are_left_out(void **state)
{
	char path[CGROUP_PATH] = "/cg", name[2 * CGROUP_PATH], line[2 * CGROUP_PATH];

	(void)state;
	for (unsigned int level = 0; level < 3 * CGROUP_QUOTAS; level++) {
		strcat(path, "/l");
		snprintf(name, sizeof(name), "%s/cpu.max", path);
		file(name, "1000 100000\n");
		snprintf(name, sizeof(name), "%s/cpu.stat", path);
		file(name, "nr_periods 1\nnr_throttled 1\nthrottled_usec 1\n");
	}
	snprintf(line, sizeof(line), "0::%s\n", path + 3);
	is_in(V2, line);
	assert_int_equal(look().n, CGROUP_QUOTAS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_one_that_stopped_it_longest_counts_from_when_it_was_seen, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_older_version_is_read_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counters_never_run_backwards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_no_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_levels_than_are_kept_are_left_out, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("cgroup quota", tests, NULL, NULL);
}
