// SPDX-License-Identifier: MIT
#include "sched/cpus.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any kernel is built for. */
#define MOST_CPUS (1u << 16)

/* A mounted hierarchy of cgroups that may limit CPU time. */
struct mount {
	bool v2;
	char *root;  /* the cgroup that is mounted */
	char *point; /* where */
};

static FILE *open_below(const char *root, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return NULL;
	return fopen(full, "re");
}

/* Whether @name is one of the comma-separated @list. */
static bool has_word(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, name, size) && (!list[size] || list[size] == ','))
			return true;
	}
	return false;
}

/* Octal escapes of mountinfo, such as \040 for a blank, in place. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int code;

	for (; *text; text++) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1 && strlen(text) > 3) {
			*to++ = (char)code;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* One line of mountinfo: proc_pid_mountinfo(5). False: not a mount that matters here. */
static bool parse_mount(char *line, struct mount *mount)
{
	char *fields[5], *tail, *type, *options, *place;

	line[strcspn(line, "\n")] = '\0';
	/* Optional fields, of any number, end with a lone dash. */
	tail = strstr(line, " - ");
	if (!tail)
		return false;
	*tail = '\0';
	type = strtok_r(tail + 3, " ", &place);
	strtok_r(NULL, " ", &place);
	options = strtok_r(NULL, " ", &place);
	if (!options)
		return false;
	mount->v2 = !strcmp(type, "cgroup2");
	if (!mount->v2 && (strcmp(type, "cgroup") || !has_word(options, "cpu")))
		return false;
	for (unsigned int i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &place);
		if (!fields[i])
			return false;
	}
	mount->root = fields[3];
	mount->point = fields[4];
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

/* The process's cgroup in the hierarchy, from a line of /proc/self/cgroup, or NULL. */
static char *parse_cgroup(char *line, bool v2)
{
	char *controllers = strchr(line, ':'), *path;

	path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path)
		return NULL;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (v2)
		return !strcmp(line, "0:") ? path : NULL;
	return has_word(controllers + 1, "cpu") ? path : NULL;
}

/* The same from the file; to be freed. */
static char *find_cgroup(const char *root, bool v2)
{
	FILE *file = open_below(root, "/proc/self/cgroup");
	char *line = NULL, *path = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	while (!path && getline(&line, &room, file) > 0)
		path = parse_cgroup(line, v2);
	if (path)
		path = strdup(path);
	free(line);
	fclose(file);
	return path;
}

/* Reads up to two numbers from @path/@name. Returns how many there are; a word is none. */
static int read_numbers(const char *path, const char *name, int64_t *first, int64_t *second)
{
	FILE *file = open_below(path, name);
	int n;

	if (!file)
		return 0;
	n = fscanf(file, "%" SCNd64 " %" SCNd64, first, second);
	fclose(file);
	return n > 0 ? n : 0;
}

/* The quota of one cgroup, 0 for none. */
static uint32_t quota_at(const char *path, bool v2)
{
	int64_t quota = 0, period = 0, cpus, none;

	if (v2)
		read_numbers(path, "/cpu.max", &quota, &period);
	else if (read_numbers(path, "/cpu.cfs_quota_us", &quota, &none))
		read_numbers(path, "/cpu.cfs_period_us", &period, &none);
	if (quota <= 0 || period <= 0)
		return 0;
	cpus = quota / period + (quota % period > 0);
	return cpus < MOST_CPUS ? (uint32_t)cpus : MOST_CPUS;
}

static uint32_t lesser(uint32_t quota, uint32_t other)
{
	return quota && (!other || quota < other) ? quota : other;
}

/* The least quota from cgroup @own up to the one that is mounted. */
static uint32_t quota_in(const char *root, const struct mount *mount, const char *own)
{
	size_t above = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	char path[PATH_MAX], *end;
	uint32_t quota = 0;
	int size, top;

	/* Mounted from elsewhere, it does not show where this process is; nor from below. */
	if (strncmp(own, mount->root, above) || (own[above] && own[above] != '/') ||
	    !strncmp(own + above, "/../", 4) || !strcmp(own + above, "/.."))
		return 0;
	top = snprintf(path, sizeof(path), "%s%s", root, mount->point);
	if (top < 0 || top >= (int)sizeof(path))
		return 0;
	size = snprintf(path + top, sizeof(path) - (size_t)top, "%s", own + above);
	if (size < 0 || size >= (int)sizeof(path) - top)
		return 0;
	for (;;) {
		quota = lesser(quota_at(path, mount->v2), quota);
		end = strrchr(path + top, '/');
		if (!end)
			return quota;
		*end = '\0';
	}
}

uint32_t cpus_quota(const char *root)
{
	FILE *file = open_below(root, "/proc/self/mountinfo");
	struct mount mount;
	char *line = NULL;
	uint32_t quota = 0;
	size_t room = 0;

	if (!file)
		return 0;
	while (getline(&line, &room, file) > 0) {
		char *own = parse_mount(line, &mount) ? find_cgroup(root, mount.v2) : NULL;

		if (own)
			quota = lesser(quota_in(root, &mount, own), quota);
		free(own);
	}
	free(line);
	fclose(file);
	return quota;
}

static uint32_t affinity(void)
{
	/* The call fails as long as the set is too small for the kernel's. */
	for (size_t cpus = CPU_SETSIZE; cpus <= MOST_CPUS; cpus *= 2) {
		size_t size = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *set = CPU_ALLOC(cpus);
		int count = 0;

		if (!set)
			break;
		if (!sched_getaffinity(0, size, set))
			count = CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (count)
			return (uint32_t)count;
	}
	return 1;
}

uint32_t cpus_available(void)
{
	return lesser(cpus_quota(""), affinity());
}
