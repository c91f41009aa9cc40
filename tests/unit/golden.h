/* SPDX-License-Identifier: MIT */
/*
 * Output compared byte for byte with tests/golden/. Tests run from the repository's root;
 * POLLSCOPE_UPDATE_GOLDEN=1 writes the files anew: read the diff before committing it.
 */
#ifndef POLLSCOPE_TESTS_GOLDEN_H
#define POLLSCOPE_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline char *golden_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t length = 0;

	if (!file || getdelim(&text, &length, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	if (file)
		fclose(file);
	return text;
}

static inline void golden_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file)
		fail_msg("cannot write %s", path);
	fputs(text, file);
	fclose(file);
}

/* Fails unless text is what tests/golden/NAME holds. */
static inline void golden_check(const char *name, const char *text)
{
	char path[256], *expected;
	size_t at = 0, line = 1;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	if (getenv("POLLSCOPE_UPDATE_GOLDEN"))
		golden_write(path, text);
	expected = golden_read(path);
	for (; expected[at] && expected[at] == text[at]; at++)
		line += expected[at] == '\n';
	if (expected[at] != text[at])
		fail_msg("%s differs from line %zu on; the output is\n%s", path, line, text);
	free(expected);
}

/* A stream into memory: golden_open(&text), print, golden_close(), use and free text. */
struct golden_stream {
	FILE *file;
	char *text;
	size_t length;
};

static inline FILE *golden_open(struct golden_stream *stream)
{
	stream->file = open_memstream(&stream->text, &stream->length);
	assert_non_null(stream->file);
	return stream->file;
}

static inline char *golden_close(struct golden_stream *stream)
{
	fclose(stream->file);
	assert_int_equal(strlen(stream->text), stream->length);
	return stream->text;
}

/* A stream to which nothing can be written, as on a full disk. */
static inline FILE *golden_full(void)
{
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	return full;
}

#endif
