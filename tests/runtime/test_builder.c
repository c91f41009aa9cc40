// SPDX-License-Identifier: MIT
/* What a runtime is made of: the limits of its configuration, its defaults, its threads' names. */
#include "threads.h"

#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sched/cpus.h"

/* ---- configurations ---- */

static int create(struct pollrt_config config)
{
	struct pollrt_runtime *rt = NULL;
	int err = pollrt_runtime_create(&rt, &config);

	assert_true(!err == (rt != NULL));
	pollrt_runtime_destroy(rt);
	return err;
}

static void values_out_of_bounds_are_refused(void **state)
{
	const struct pollrt_config bad[] = {
		{.flavour = 7},
		{.flavour = (enum pollrt_flavour) - 1},
		{.workers = 1025},
		{.workers = UINT32_MAX},
		{.flavour = POLLRT_CURRENT_THREAD, .workers = 2},
		{.blocking_limit = 65537},
		{.blocking_limit = UINT32_MAX},
		{.blocking_keepalive_ns = UINT64_MAX},
		{.blocking_keepalive_ns = POLLRT_SEC(366 * 86400)},
		{.thread_name = ""},
		{.thread_name = "ten bytes!"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(create(bad[i]), -EINVAL);
}

static void values_at_the_bounds_are_taken(void **state)
{
	const struct pollrt_config good[] = {
		{.workers = 1},
		{.flavour = POLLRT_CURRENT_THREAD, .workers = 1},
		{.flavour = POLLRT_CURRENT_THREAD, .blocking_limit = 65536},
		{.flavour = POLLRT_CURRENT_THREAD, .blocking_limit = 1},
		{.flavour = POLLRT_CURRENT_THREAD,
		 .blocking_keepalive_ns = POLLRT_SEC(365 * 86400)},
		{.flavour = POLLRT_CURRENT_THREAD, .thread_name = "nine byte"},
		{.flavour = POLLRT_CURRENT_THREAD, .thread_name = "1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(create(good[i]), 0);
}

static void a_worker_runs_on_each_cpu_by_default(void **state)
{
	struct pollrt_runtime *rt;

	(void)state;
	assert_int_equal(pollrt_runtime_create(&rt, NULL), 0);
	assert_int_equal(pollrt_runtime_workers(rt), cpus_available());
	assert_true(pollrt_runtime_id(rt) >= 1);
	assert_null(pollrt_runtime_current());
	helper_finish(rt);
}

/* ---- names ---- */

struct work {
	int nothing;
};

static void work(struct work *self)
{
	(void)self;
}

struct errand {
	struct pollrt_async async;
	struct pollrt_join join;
};

static POLLRT_ASYNC(errand)
{
	POLLRT_BEGIN();
	assert_int_equal(pollrt_spawn_blocking(NULL, &self->join, work), 0);
	POLLRT_AWAIT(pollrt_join(&self->join, cx));
	pollrt_join_detach(&self->join);
	POLLRT_END();
}

static void threads_are_named(const char *prefix, const char *const *names, size_t count)
{
	struct pollrt_config config = {.workers = 11, .thread_name = prefix};
	struct pollrt_runtime *rt;

	assert_int_equal(pollrt_runtime_create(&rt, &config), 0);
	assert_int_equal(pollrt_block_on(rt, errand, &(struct errand){0}), 0);
	for (size_t i = 0; i < count; i++)
		await_threads(names[i], 1);
	helper_finish(rt);
	for (size_t i = 0; i < count; i++)
		await_threads(names[i], 0);
}

static void names_tell_worker_from_blocking_thread(void **state)
{
	const char *const plain[] = {"pollrt-worker-0", "pollrt-worker-9", "pollrt-w10",
				     "pollrt-block-0"};
	const char *const own[] = {"db-worker-0", "db-worker-10", "db-block-0"};
	const char *const nine[] = {"nine byte-w0", "nine byte-w10", "nine byte-b0"};

	(void)state;
	threads_are_named(NULL, plain, 4);
	threads_are_named("db", own, 3);
	threads_are_named("nine byte", nine, 3);
}

/* ---- CPUs ---- */

/* A directory with the files that the quota is read from. */
struct tree {
	char root[64];
};

static void tree_write(const struct tree *tree, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	for (slash = full + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tree_create(struct tree *tree, const char *cgroup, const char *mountinfo)
{
	strcpy(tree->root, "/tmp/test_builder.XXXXXX");
	assert_non_null(mkdtemp(tree->root));
	tree_write(tree, "/proc/self/cgroup", cgroup);
	tree_write(tree, "/proc/self/mountinfo", mountinfo);
}

/* The quota that it gives; removes it. */
static uint32_t tree_quota(const struct tree *tree)
{
	uint32_t quota = cpus_quota(tree->root);

	nftw(tree->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return quota;
}

#define ROOT_MOUNT "23 1 254:0 / / rw - ext4 /dev/vda rw\n"
#define V2_MOUNT ROOT_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
#define V1_MOUNT                                                                                   \
	ROOT_MOUNT "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"             \
		   "32 23 0:28 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpuacct,cpu\n"

static uint32_t v2_quota(const char *max)
{
	struct tree tree;

	tree_create(&tree, "0::/app\n", V2_MOUNT);
	tree_write(&tree, "/sys/fs/cgroup/app/cpu.max", max);
	return tree_quota(&tree);
}

static void a_quota_is_rounded_up_to_whole_cpus(void **state)
{
	(void)state;
	assert_int_equal(v2_quota("200000 100000\n"), 2);
	assert_int_equal(v2_quota("150000 100000\n"), 2);
	assert_int_equal(v2_quota("100001 100000\n"), 2);
	assert_int_equal(v2_quota("100000 100000\n"), 1);
	assert_int_equal(v2_quota("1000 100000\n"), 1);
	assert_int_equal(v2_quota("9223372036854775807 1\n"), 65536);
}

static void no_quota_is_no_limit(void **state)
{
	(void)state;
	assert_int_equal(v2_quota("max 100000\n"), 0);
	assert_int_equal(v2_quota(""), 0);
	assert_int_equal(v2_quota("100000"), 0);
	assert_int_equal(v2_quota("100000 0\n"), 0);
	assert_int_equal(v2_quota("-5 100000\n"), 0);
	assert_int_equal(v2_quota("nonsense\n"), 0);
	assert_int_equal(cpus_quota("/nowhere"), 0);
}

static void the_least_quota_of_all_levels_counts(void **state)
{
	struct tree tree;

	(void)state;
	tree_create(&tree, "0::/a/b/c\n", V2_MOUNT);
	tree_write(&tree, "/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
	tree_write(&tree, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	tree_write(&tree, "/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
	tree_write(&tree, "/sys/fs/cgroup/a/other/cpu.max", "100000 100000\n");
	assert_int_equal(tree_quota(&tree), 3);
}

static void a_cgroup_namespace_shows_its_own_top(void **state)
{
	struct tree tree;

	(void)state;
	tree_create(&tree, "0::/\n", V2_MOUNT);
	tree_write(&tree, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	assert_int_equal(tree_quota(&tree), 4);
}

static void version_1_has_quota_and_period_in_two_files(void **state)
{
	struct tree tree;

	(void)state;
	tree_create(&tree, "9:cpuset:/x\n5:cpu,cpuacct:/a/b\n0::/\n", V1_MOUNT);
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "500000\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "200000\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(tree_quota(&tree), 3);
}

static void cpuset_is_not_the_cpu_controller(void **state)
{
	struct tree tree;

	(void)state;
	tree_create(&tree, "9:cpuset:/a\n8:cpuacct:/a\n",
		    "31 23 0:27 / /cg rw - cgroup cgroup rw,cpuset,cpuacct\n");
	tree_write(&tree, "/cg/a/cpu.cfs_quota_us", "100000\n");
	tree_write(&tree, "/cg/a/cpu.cfs_period_us", "100000\n");
	assert_int_equal(tree_quota(&tree), 0);
}

static void both_versions_are_asked(void **state)
{
	struct tree tree;

	(void)state;
	tree_create(&tree, "1:cpu:/a\n0::/b\n",
		    V1_MOUNT "40 23 0:30 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "500000\n");
	tree_write(&tree, "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
	tree_write(&tree, "/sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n");
	assert_int_equal(tree_quota(&tree), 2);
}

/* As in a container without a cgroup namespace. */
static void a_cgroup_may_be_mounted_instead_of_the_top(void **state)
{
	static const char mounts[] =
		"30 23 0:26 /box/1 /sys/fs/cg\\040roup rw shared:1 master:2 - cgroup2 cgroup2 rw\n";
	struct tree tree;

	(void)state;
	tree_create(&tree, "0::/box/1/in\n", mounts);
	tree_write(&tree, "/sys/fs/cg roup/cpu.max", "600000 100000\n");
	tree_write(&tree, "/sys/fs/cg roup/in/cpu.max", "700000 100000\n");
	assert_int_equal(tree_quota(&tree), 6);

	/* That of another cgroup says nothing, also if it begins alike. */
	tree_create(&tree, "0::/box/10\n", mounts);
	tree_write(&tree, "/sys/fs/cg roup/cpu.max", "600000 100000\n");
	assert_int_equal(tree_quota(&tree), 0);
}

static void a_process_outside_of_its_namespace_does_not_see_its_quota(void **state)
{
	static const char *const places[] = {"0::/..\n", "0::/../other\n", "0::/../../x/y\n"};
	struct tree tree;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		tree_create(&tree, places[i], V2_MOUNT);
		tree_write(&tree, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
		assert_int_equal(tree_quota(&tree), 0);
	}
	tree_create(&tree, "0::/..dots\n", V2_MOUNT);
	tree_write(&tree, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	assert_int_equal(tree_quota(&tree), 4);
}

static void strange_files_are_survived(void **state)
{
	static const char *const texts[] = {"",
					    "\n",
					    ":",
					    "::",
					    "0:",
					    "0::",
					    "0::\n",
					    "30 23 0:26\n",
					    " - \n",
					    " - cgroup2\n",
					    "- cgroup2 x y\n",
					    "1 2 3 4 - cgroup2 x y\n",
					    "1 2 3 / \\ - cgroup2 x y\n",
					    "1 2 3 / /\\04 rw - cgroup2 x y\n",
					    "0::/../..\n",
					    "\\",
					    "1 2 3 / a b - cgroup c d,"};
	char longest[9000];
	struct tree tree;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
			tree_create(&tree, texts[i], texts[j]);
			assert_int_equal(tree_quota(&tree), 0);
		}
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "0::/", 4);
	longest[sizeof(longest) - 1] = '\0';
	tree_create(&tree, longest, V2_MOUNT);
	assert_int_equal(tree_quota(&tree), 0);
}

/* In a process of its own, whose affinity and cgroup it may change. */
static int run_child(int (*run)(void *argument), void *argument)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(run(argument));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int default_workers(void)
{
	struct pollrt_runtime *rt;
	int workers;

	if (pollrt_runtime_create(&rt, NULL))
		return 255;
	workers = (int)pollrt_runtime_workers(rt);
	pollrt_runtime_destroy(rt);
	return workers;
}

static int on_one_cpu(void *argument)
{
	cpu_set_t set;

	(void)argument;
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	return sched_setaffinity(0, sizeof(set), &set) ? 255 : default_workers();
}

static void affinity_limits_the_workers(void **state)
{
	(void)state;
	assert_int_equal(run_child(on_one_cpu, NULL), 1);
}

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* In a folder that is no cgroup there is none, and none is made. */
	file = fopen(path, "r+");
	if (!file)
		return false;
	ok = fputs(text, file) >= 0;
	return !fclose(file) && ok;
}

static int in_cgroup(void *dir)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	return write_file(dir, "cgroup.procs", pid) ? default_workers() : 255;
}

/* Half of a CPU, by whichever version there is. */
static bool limit_cgroup(const char *dir)
{
	return write_file(dir, "cpu.max", "50000 100000") ||
	       (write_file(dir, "cpu.cfs_period_us", "100000") &&
		write_file(dir, "cpu.cfs_quota_us", "50000"));
}

static void a_real_quota_limits_the_workers(void **state)
{
	static const char *const tops[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/cpu",
					   "/sys/fs/cgroup/cpu,cpuacct"};
	bool tried = false;

	(void)state;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		char dir[128];

		snprintf(dir, sizeof(dir), "%s/test_builder.%d", tops[i], (int)getpid());
		if (mkdir(dir, 0700))
			continue;
		if (limit_cgroup(dir)) {
			tried = true;
			assert_int_equal(run_child(in_cgroup, dir), 1);
		}
		rmdir(dir);
	}
	if (!tried) {
		print_message("skipped: cannot make a cgroup with a CPU quota here\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_out_of_bounds_are_refused),
		cmocka_unit_test(values_at_the_bounds_are_taken),
		cmocka_unit_test(a_worker_runs_on_each_cpu_by_default),
		cmocka_unit_test(names_tell_worker_from_blocking_thread),
		cmocka_unit_test(a_quota_is_rounded_up_to_whole_cpus),
		cmocka_unit_test(no_quota_is_no_limit),
		cmocka_unit_test(the_least_quota_of_all_levels_counts),
		cmocka_unit_test(a_cgroup_namespace_shows_its_own_top),
		cmocka_unit_test(version_1_has_quota_and_period_in_two_files),
		cmocka_unit_test(cpuset_is_not_the_cpu_controller),
		cmocka_unit_test(both_versions_are_asked),
		cmocka_unit_test(a_cgroup_may_be_mounted_instead_of_the_top),
		cmocka_unit_test(a_process_outside_of_its_namespace_does_not_see_its_quota),
		cmocka_unit_test(strange_files_are_survived),
		cmocka_unit_test(affinity_limits_the_workers),
		cmocka_unit_test(a_real_quota_limits_the_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
