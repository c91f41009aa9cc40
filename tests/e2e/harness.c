// SPDX-License-Identifier: MIT
#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

/* Anything that the test is to free. */
struct kept {
	struct kept *next;
	void *memory; /* or */
	json_t *json;
};

static void keep(struct e2e *e, void *memory, json_t *json)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	assert_non_null(kept);
	*kept = (struct kept){.next = e->kept, .memory = memory, .json = json};
	e->kept = kept;
}

int e2e_setup(void **state)
{
	struct e2e *e = calloc(1, sizeof(*e));
	char *folder = getenv("TMPDIR");

	if (!e)
		return -1;
	*state = e;
	snprintf(e->folder, sizeof(e->folder), "%s/pollscope-e2e-XXXXXX",
		 folder && strlen(folder) < 64 ? folder : "/tmp");
	if (!mkdtemp(e->folder))
		return -1;
	/* Targets that run as another user look into it. */
	return chmod(e->folder, 0755);
}

static const char *disk(const struct e2e *e, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/disk", e->folder);
	return path;
}

const char *e2e_disk(struct e2e *e, const char *size)
{
	char path[PATH_MAX];

	assert_int_equal(mkdir(disk(e, path), 0755), 0);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, e2e_text(e, "size=%s", size)), 0);
	return e2e_path(e, "disk");
}

static int entry_remove(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

int e2e_teardown(void **state)
{
	struct e2e *e = *state;
	char path[PATH_MAX];

	processes_end(e);
	umount2(disk(e, path), MNT_DETACH);
	while (e->kept) {
		struct kept *kept = e->kept;

		e->kept = kept->next;
		json_decref(kept->json);
		free(kept->memory);
		free(kept);
	}
	nftw(e->folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(e);
	return 0;
}

struct e2e *e2e_of(void **state)
{
	const char *ci = getenv("CI");

	if (!geteuid())
		return *state;
	if (ci && !strcmp(ci, "true"))
		fail_msg("needs root");
	print_message("skipped: needs root\n");
	skip();
	return NULL;
}

char *e2e_text(struct e2e *e, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	keep(e, text, NULL);
	return text;
}

char *e2e_bytes(struct e2e *e, size_t size)
{
	char *bytes = malloc(size);

	assert_non_null(bytes);
	keep(e, bytes, NULL);
	return bytes;
}

const char *e2e_path(struct e2e *e, const char *name)
{
	return e2e_text(e, "%s/%s", e->folder, name);
}

/* BUILD, of which this program is BUILD/tests/e2e/test_*. */
const char *e2e_built(struct e2e *e, const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	return e2e_text(e, "%s/%s", self, name);
}

const char *e2e_target(struct e2e *e, const char *name)
{
	const char *folder = getenv("E2E_TARGETS");

	if (name[0] == '/')
		return name;
	return folder ? e2e_text(e, "%s/%s", folder, name)
		      : e2e_built(e, e2e_text(e, "tests/e2e/targets/%s", name));
}

const char *e2e_pollscope(struct e2e *e)
{
	const char *path = getenv("POLLSCOPE");

	return path ? path : e2e_built(e, "pollscope");
}

json_t *e2e_json(struct e2e *e, const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("not JSON: %s (line %d) in: %.400s", error.text, error.line, text);
	keep(e, NULL, json);
	return json;
}

char *e2e_file(struct e2e *e, const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	size_t used = 0, room = 1 << 16, n;
	char *text = malloc(room);

	if (!file || !text)
		fail_msg("%s: %s", path, strerror(errno));
	while ((n = fread(text + used, 1, room - used - 1, file))) {
		used += n;
		if (used + 1 == room) {
			text = realloc(text, room *= 2);
			assert_non_null(text);
		}
	}
	fclose(file);
	text[used] = '\0';
	if (size)
		*size = used;
	keep(e, text, NULL);
	return text;
}

const char *e2e_write(struct e2e *e, const char *name, const void *bytes, size_t size)
{
	const char *path = e2e_path(e, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

const char *e2e_copy_target(struct e2e *e, const char *name, const char *copy)
{
	size_t size;
	const char *bytes = e2e_file(e, e2e_target(e, name), &size);

	return e2e_write(e, copy, bytes, size);
}

uint64_t e2e_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void e2e_sleep_ms(unsigned int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}
