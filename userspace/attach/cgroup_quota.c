// SPDX-License-Identifier: MIT
#include "attach/cgroup_quota.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NSEC_PER_USEC 1000u

/* What a cgroup's files say now. */
struct reading {
	uint64_t quota_ns, period_ns;
	uint64_t periods, throttled, throttled_ns;
};

/* Reads a file as far as it fits; false if it cannot be. */
static bool text_read(const char *folder, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name), fd;
	ssize_t length;

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return length > 0;
}

static bool limit_read(const char *folder, struct reading *reading)
{
	int64_t quota_us = 0, period_us = 0;
	char text[64];

	/* "max 100000" of version 2, -1 of version 1: no limit. */
	if (text_read(folder, "cpu.max", text, sizeof(text)))
		sscanf(text, "%" SCNd64 " %" SCNd64, &quota_us, &period_us);
	else if (text_read(folder, "cpu.cfs_quota_us", text, sizeof(text)) &&
		 sscanf(text, "%" SCNd64, &quota_us) == 1 &&
		 text_read(folder, "cpu.cfs_period_us", text, sizeof(text)))
		sscanf(text, "%" SCNd64, &period_us);
	if (quota_us <= 0 || period_us <= 0 || quota_us > INT64_MAX / NSEC_PER_USEC ||
	    period_us > INT64_MAX / NSEC_PER_USEC)
		return false;
	reading->quota_ns = quota_us * NSEC_PER_USEC;
	reading->period_ns = period_us * NSEC_PER_USEC;
	return true;
}

static bool stat_read(const char *folder, struct reading *reading)
{
	char text[1024], key[32], *line, *place;
	bool found = false;
	uint64_t value;

	if (!text_read(folder, "cpu.stat", text, sizeof(text)))
		return false;
	for (line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		if (sscanf(line, "%31s %" SCNu64, key, &value) != 2)
			continue;
		if (!strcmp(key, "nr_periods"))
			reading->periods = value;
		else if (!strcmp(key, "nr_throttled"))
			reading->throttled = value;
		else if (!strcmp(key, "throttled_time"))
			reading->throttled_ns = value;
		else if (!strcmp(key, "throttled_usec"))
			reading->throttled_ns = value * NSEC_PER_USEC;
		found |= !strcmp(key, "nr_periods");
	}
	return found;
}

static struct cgroup_quota *quota_find(struct cgroup_quotas *quotas, const char *cgroup)
{
	for (unsigned int i = 0; i < quotas->n; i++) {
		if (!strcmp(quotas->list[i].cgroup, cgroup))
			return &quotas->list[i];
	}
	return NULL;
}

static uint64_t since(uint64_t now, uint64_t first)
{
	return now > first ? now - first : 0;
}

static void quota_take(struct cgroup_quotas *quotas, const char *cgroup,
		       const struct reading *reading)
{
	struct cgroup_quota *quota = quota_find(quotas, cgroup);

	if (!quota) {
		if (quotas->n == CGROUP_QUOTAS)
			return;
		quota = &quotas->list[quotas->n++];
		*quota = (struct cgroup_quota){
			.first_periods = reading->periods,
			.first_throttled = reading->throttled,
			.first_throttled_ns = reading->throttled_ns,
		};
		snprintf(quota->cgroup, sizeof(quota->cgroup), "%s", cgroup);
	}
	quota->quota_ns = reading->quota_ns;
	quota->period_ns = reading->period_ns;
	quota->periods = since(reading->periods, quota->first_periods);
	quota->throttled = since(reading->throttled, quota->first_throttled);
	/* Read while it is written, one may be ahead. */
	if (quota->throttled > quota->periods)
		quota->throttled = quota->periods;
	quota->throttled_ns = since(reading->throttled_ns, quota->first_throttled_ns);
}

/* From the cgroup up to the root of its hierarchy, which is mounted at `mounted`. */
static void levels_look(struct cgroup_quotas *quotas, const char *mounted, char *cgroup)
{
	for (;;) {
		struct reading reading = {0};
		char folder[PATH_MAX], *end;
		int n = snprintf(folder, sizeof(folder), "%s%s", mounted, cgroup);

		if (n < 0 || (size_t)n >= sizeof(folder))
			return;
		if (limit_read(folder, &reading) && stat_read(folder, &reading))
			quota_take(quotas, *cgroup ? cgroup : "/", &reading);
		end = strrchr(cgroup, '/');
		if (!end)
			return;
		*end = '\0';
	}
}

/* Whether it is a word of a list with commas. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (;; list++) {
		if (!strncmp(list, word, length) && (!list[length] || list[length] == ','))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
	}
}

/* The process's cgroup in the hierarchy of a mount, "" for its root; false: none that can be looked at. */
static bool cgroup_find(const char *root, pid_t pid, bool v2, char *cgroup)
{
	char folder[PATH_MAX], text[4096], *line, *place, *path;
	int n = snprintf(folder, sizeof(folder), "%s/proc/%d", root, pid);

	if (n < 0 || (size_t)n >= sizeof(folder) ||
	    !text_read(folder, "cgroup", text, sizeof(text)))
		return false;
	for (line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		char *controllers = strchr(line, ':');

		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (v2 ? strcmp(line, "0:") != 0 : !has_word(controllers + 1, "cpu"))
			continue;
		/* Above what this process may see there is nothing to read. */
		if (*path != '/' || strstr(path, "/..") || strlen(path) >= CGROUP_PATH)
			return false;
		strcpy(cgroup, strcmp(path, "/") ? path : "");
		return true;
	}
	return false;
}

void cgroup_mounts_find(struct cgroup_mounts *found, const char *root)
{
	char path[PATH_MAX], buffer[PATH_MAX];
	struct mntent mount;
	FILE *mounts;

	found->n = 0;
	snprintf(path, sizeof(path), "%s/proc/self/mounts", root);
	mounts = setmntent(path, "re");
	if (!mounts)
		return;
	while (found->n < CGROUP_MOUNTS && getmntent_r(mounts, &mount, buffer, sizeof(buffer))) {
		bool v2 = !strcmp(mount.mnt_type, "cgroup2");
		int n;

		if (!v2 && (strcmp(mount.mnt_type, "cgroup") || !has_word(mount.mnt_opts, "cpu")))
			continue;
		found->list[found->n].v2 = v2;
		n = snprintf(found->list[found->n].path, CGROUP_PATH, "%s%s", root, mount.mnt_dir);
		found->n += n < CGROUP_PATH;
	}
	endmntent(mounts);
}

void cgroup_quotas_look(struct cgroup_quotas *quotas, const struct cgroup_mounts *mounts,
			const char *root, pid_t pid)
{
	for (unsigned int i = 0; i < mounts->n; i++) {
		char cgroup[CGROUP_PATH];

		if (cgroup_find(root, pid, mounts->list[i].v2, cgroup))
			levels_look(quotas, mounts->list[i].path, cgroup);
	}
}

const struct cgroup_quota *cgroup_quotas_worst(const struct cgroup_quotas *quotas)
{
	const struct cgroup_quota *worst = NULL;

	for (unsigned int i = 0; i < quotas->n; i++) {
		if (!worst || quotas->list[i].throttled_ns > worst->throttled_ns)
			worst = &quotas->list[i];
	}
	return worst;
}
