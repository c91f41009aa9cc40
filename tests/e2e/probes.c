// SPDX-License-Identifier: MIT
#include "probes.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void id_note(const char *line, const char *key, uint32_t *ids, size_t *n, size_t room)
{
	if (strncmp(line, key, strlen(key)))
		return;
	assert_true(*n < room);
	ids[(*n)++] = (uint32_t)strtoul(line + strlen(key), NULL, 10);
}

static void descriptor_look(struct probes *probes, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		id_note(line, "prog_id:\t", probes->programs, &probes->nprograms, 64);
		id_note(line, "link_id:\t", probes->links, &probes->nlinks, 512);
	}
	fclose(file);
}

void probes_of(struct probes *probes, pid_t pid)
{
	char folder[64], path[512];
	struct dirent *entry;
	DIR *dir;

	memset(probes, 0, sizeof(*probes));
	snprintf(folder, sizeof(folder), "/proc/%d/fdinfo", pid);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		descriptor_look(probes, path);
	}
	closedir(dir);
}

static bool exists(int command, uint32_t id)
{
	union bpf_attr attr = {.prog_id = id}; /* the same field as link_id */
	int fd = (int)syscall(SYS_bpf, command, &attr, sizeof(attr));

	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return true;
}

static bool any_exists(const struct probes *probes)
{
	for (size_t i = 0; i < probes->nprograms; i++)
		if (exists(BPF_PROG_GET_FD_BY_ID, probes->programs[i]))
			return true;
	for (size_t i = 0; i < probes->nlinks; i++)
		if (exists(BPF_LINK_GET_FD_BY_ID, probes->links[i]))
			return true;
	return false;
}

void assert_probes_gone(const struct probes *probes)
{
	e2e_await(!any_exists(probes));
}

char *probes_code(struct e2e *e, pid_t pid, size_t *size)
{
	FILE *maps = fopen(e2e_text(e, "/proc/%d/maps", pid), "r");
	FILE *mem = fopen(e2e_text(e, "/proc/%d/mem", pid), "r");
	uint64_t start, end;
	char *line = NULL, *code = NULL, mode[5];
	size_t room = 0;

	assert_non_null(maps);
	assert_non_null(mem);
	while (!code && getline(&line, &room, maps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, mode) != 3 ||
		    strcmp(mode, "r-xp"))
			continue;
		*size = end - start;
		code = e2e_bytes(e, *size);
		assert_int_equal(fseeko(mem, (off_t)start, SEEK_SET), 0);
		assert_int_equal(fread(code, 1, *size, mem), *size);
	}
	free(line);
	fclose(maps);
	fclose(mem);
	assert_non_null(code);
	return code;
}

static bool code_is(struct e2e *e, pid_t pid, const char *code, size_t size)
{
	size_t size_now;
	const char *now = probes_code(e, pid, &size_now);

	assert_int_equal(size_now, size);
	return !memcmp(now, code, size);
}

void assert_code_back(struct e2e *e, pid_t pid, const char *code, size_t size)
{
	e2e_await(code_is(e, pid, code, size));
}
