// SPDX-License-Identifier: MIT
#include "quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "pollscope-example-%d" /* with the id of the process that makes it */

/* Of version 2, then of version 1. */
static const char *const hierarchies[] = {
	"/sys/fs/cgroup",
	"/sys/fs/cgroup/cpu",
	"/sys/fs/cgroup/cpu,cpuacct",
};

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[192];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : 0;
}

static int write_number(const char *folder, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return write_text(folder, name, text);
}

/* Nothing else is to limit it: against other groups it has the greatest weight there is. */
static int set_quota(const char *path, uint64_t quota_us)
{
	char text[48];
	int err;

	if (write_number(path, "cpu.weight", 10000))
		write_number(path, "cpu.shares", 262144);
	snprintf(text, sizeof(text), "%" PRIu64 " %u", quota_us, QUOTA_PERIOD_US);
	err = write_text(path, "cpu.max", text);
	if (err != -ENOENT)
		return err;
	err = write_number(path, "cpu.cfs_period_us", QUOTA_PERIOD_US);
	return err ? err : write_number(path, "cpu.cfs_quota_us", quota_us);
}

/* Whether it is the cgroup of a process that has ended: one that was killed in it. */
static bool is_stale(const char *name)
{
	char own[32];
	int pid;

	if (sscanf(name, NAME, &pid) != 1 || pid <= 0)
		return false;
	snprintf(own, sizeof(own), NAME, pid);
	if (strcmp(name, own))
		return false;
	return pid == getpid() || (kill(pid, 0) && errno == ESRCH);
}

/* A cgroup with a process in it cannot be removed. */
static void remove_stale(const char *hierarchy)
{
	DIR *dir = opendir(hierarchy);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (is_stale(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

static int enter(struct quota *quota, unsigned int cpus)
{
	int err;

	remove_stale(quota->hierarchy);
	snprintf(quota->path, sizeof(quota->path), "%s/" NAME, quota->hierarchy, getpid());
	if (mkdir(quota->path, 0755))
		return -errno;
	err = set_quota(quota->path, (uint64_t)cpus * QUOTA_PERIOD_US);
	if (!err)
		err = write_number(quota->path, "cgroup.procs", (uint64_t)getpid());
	if (err)
		rmdir(quota->path);
	return err;
}

int quota_enter(struct quota *quota, unsigned int cpus)
{
	int err = -ENODEV;

	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies) && err; i++) {
		char procs[192];

		quota->hierarchy = hierarchies[i];
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", quota->hierarchy);
		if (!access(procs, F_OK))
			err = enter(quota, cpus);
	}
	return err;
}

uint64_t quota_throttled_ns(const struct quota *quota)
{
	char path[192], key[64];
	uint64_t value, throttled = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cpu.stat", quota->path);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%63s %" SCNu64, key, &value) == 2) {
		if (!strcmp(key, "throttled_usec"))
			throttled = value * 1000;
		else if (!strcmp(key, "throttled_time"))
			throttled = value;
	}
	fclose(file);
	return throttled;
}

void quota_leave(struct quota *quota)
{
	if (!write_number(quota->hierarchy, "cgroup.procs", (uint64_t)getpid()))
		rmdir(quota->path);
}
