// SPDX-License-Identifier: MIT
#include "symbolize/maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DELETED " (deleted)"

/*
 * The kernel writes a newline in a name as \012 and leaves all else, backslashes too, as it is. A
 * name that really has those four characters is misread; the inode tells when the file is opened.
 */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static bool cut_deleted(char *path)
{
	size_t n = strlen(path), suffix = strlen(DELETED);

	if (n <= suffix || strcmp(path + n - suffix, DELETED))
		return false;
	path[n - suffix] = '\0';
	return true;
}

/* Whether the line is a mapping that is of interest; entry->path points into the line. */
static bool parse_line(char *line, struct map_entry *entry)
{
	unsigned int major, minor;
	uint64_t ino;
	char permissions[5];
	int path = -1;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &entry->start, &entry->end, permissions, &entry->offset, &major, &minor, &ino,
		   &path) < 7)
		return false;
	if (path < 0 || strlen(permissions) != 4 || permissions[2] != 'x' ||
	    entry->start >= entry->end)
		return false;
	entry->path = line + path;
	entry->dev = makedev(major, minor);
	entry->ino = ino;
	entry->vdso = !strcmp(entry->path, "[vdso]");
	if (entry->vdso)
		return true;
	if (entry->path[0] != '/' || !ino)
		return false;
	entry->deleted = cut_deleted(entry->path);
	unescape(entry->path);
	return true;
}

static int maps_append(struct maps *maps, size_t *capacity, const struct map_entry *entry)
{
	struct map_entry *entries;
	size_t room;
	char *path;

	if (maps->n == *capacity) {
		room = *capacity ? 2 * *capacity : 32;
		entries = reallocarray(maps->entries, room, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		maps->entries = entries;
		*capacity = room;
	}
	path = strdup(entry->path);
	if (!path)
		return -ENOMEM;
	maps->entries[maps->n] = *entry;
	maps->entries[maps->n++].path = path;
	return 0;
}

int maps_parse(FILE *in, struct maps *maps)
{
	size_t capacity = 0, size = 0;
	char *line = NULL;
	int err = 0;

	*maps = (struct maps){0};
	errno = 0;
	while (!err && getline(&line, &size, in) >= 0) {
		struct map_entry entry = {0};

		if (parse_line(line, &entry))
			err = maps_append(maps, &capacity, &entry);
	}
	if (!err && !feof(in))
		err = errno ? -errno : -EIO;
	free(line);
	if (err)
		maps_release(maps);
	return err;
}

int maps_read(pid_t pid, struct maps *maps)
{
	char path[32];
	FILE *in;
	int err;

	*maps = (struct maps){0};
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	err = maps_parse(in, maps);
	fclose(in);
	return err;
}

uint64_t maps_hash(const struct maps *maps)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < maps->n; i++) {
		const struct map_entry *map = &maps->entries[i];
		const uint64_t parts[] = {map->start, map->end, map->offset, map->dev, map->ino};

		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
			hash = (hash ^ parts[k]) * 0x9e3779b97f4a7c15ULL;
			hash ^= hash >> 29;
		}
	}
	return hash ? hash : 1;
}

void maps_release(struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		free(maps->entries[i].path);
	free(maps->entries);
	*maps = (struct maps){0};
}
