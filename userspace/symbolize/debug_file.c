// SPDX-License-Identifier: MIT
#include "symbolize/debug_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbolize/debuginfod.h"
#include "symbolize/elf_file.h"

static bool has_build_id(const struct elf_file *file, const uint8_t *build_id, size_t n)
{
	char hex[sizeof(file->build_id)];

	if (!n || n != file->build_id_len)
		return false;
	for (size_t i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", build_id[i]);
	return !strcmp(hex, file->build_id);
}

/* A file by name, if its build id is this one (in hex). */
static int open_by_name(const char *path, const char *build_id, struct elf_file **found)
{
	int err = elf_file_open_path(path, found);

	if (!err && strcmp((*found)->build_id, build_id)) {
		elf_file_close(*found);
		*found = NULL;
		err = -ENOENT;
	}
	return err == -ENOMEM ? err : err ? -ENOENT : 0;
}

int debug_file_open(const char *root, const char *build_id, struct elf_file **debug)
{
	char path[PATH_MAX];
	int n;

	*debug = NULL;
	if (strlen(build_id) < 4)
		return -ENOENT;
	n = snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", root, build_id,
		     build_id + 2);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENOENT;
	return open_by_name(path, build_id, debug);
}

/* The checksum of .gnu_debuglink: CRC-32 of the whole file. */
static bool has_checksum(const struct elf_file *file, uint32_t expected)
{
	uint32_t table[256], crc = ~0u;
	uint8_t buffer[65536];
	uint64_t offset = 0;
	ssize_t n;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	while ((n = pread(file->fd, buffer, sizeof(buffer), offset)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = crc >> 8 ^ table[(crc ^ buffer[i]) & 0xff];
		offset += n;
	}
	return !n && ~crc == expected;
}

static int open_linked(const char *path, const struct elf_file *file, uint32_t checksum,
		       struct elf_file **found)
{
	int err = open_by_name(path, file->build_id, found);

	/* A link may name the file itself. */
	if (!err && (((*found)->dev == file->dev && (*found)->ino == file->ino) ||
		     (!file->build_id_len && !has_checksum(*found, checksum)))) {
		elf_file_close(*found);
		*found = NULL;
		err = -ENOENT;
	}
	return err;
}

static int open_by_link(const struct elf_file *file, struct elf_file **found)
{
	/* before and after the file's own folder */
	static const char *const places[][2] = {{"", ""}, {"", "/.debug"}, {DEBUG_FILE_ROOT, ""}};
	const char *slash = strrchr(file->path, '/'), *name;
	char path[PATH_MAX];
	struct elf_section section;
	GElf_Word checksum;
	int err = -ENOENT;

	if (elf_file_section(file, ".gnu_debuglink", SHT_NULL, PATH_MAX, &section))
		return -ENOENT;
	name = dwelf_elf_gnu_debuglink(file->elf, &checksum);
	if (!name || !*name || strchr(name, '/') || !strcmp(name, "..") || !slash)
		return -ENOENT;
	for (size_t i = 0; err == -ENOENT && i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s%.*s%s/%s", places[i][0],
				 (int)(slash - file->path), file->path, places[i][1], name);

		if (n > 0 && (size_t)n < sizeof(path))
			err = open_linked(path, file, checksum, found);
	}
	return err;
}

int debug_file_find(const struct elf_file *file, struct elf_file **debug)
{
	int err = debug_file_open(DEBUG_FILE_ROOT, file->build_id, debug);

	if (err == -ENOENT)
		err = open_by_link(file, debug);
	return err == -ENOENT ? debuginfod_fetch(file->build_id, debug) : err;
}

int debug_file_find_alt(const struct elf_file *debug, const char *name, const uint8_t *build_id,
			size_t build_id_len, struct elf_file **alt)
{
	const char *slash = strrchr(debug->path, '/');
	char path[PATH_MAX];
	int n, err;

	if (*name == '/')
		n = snprintf(path, sizeof(path), "%s", name);
	else
		n = snprintf(path, sizeof(path), "%.*s/%s", slash ? (int)(slash - debug->path) : 0,
			     debug->path, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENOENT;
	err = elf_file_open_path(path, alt);
	if (!err && !has_build_id(*alt, build_id, build_id_len)) {
		elf_file_close(*alt);
		*alt = NULL;
		err = -ENOENT;
	}
	return err == -ENOMEM ? err : err ? -ENOENT : 0;
}
