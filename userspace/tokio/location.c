// SPDX-License-Identifier: MIT
#include "tokio/location.h"

#include <string.h>

#include "tokio/image.h"

#define FILE_LENGTH_MAX 1024
#define LINE_MAX 10000000

/* Since 1.91 the name is terminated, which some releases count. */
static size_t without_terminator(const char *name, size_t n)
{
	return n && !name[n - 1] ? n - 1 : n;
}

bool location_read(const struct image *image, uint64_t vaddr, struct location *location)
{
	uint64_t name, length, position;
	const uint8_t *bytes;

	if (!image_pointer(image, vaddr, &name) || !image_word(image, vaddr + 8, &length) ||
	    !image_word(image, vaddr + 16, &position))
		return false;
	if (length > FILE_LENGTH_MAX || image_bytes(image, name, &bytes) < length)
		return false;
	location->file = (const char *)bytes;
	location->file_length = without_terminator(location->file, length);
	location->line = position;
	location->column = position >> 32;
	return location->file_length > 3 &&
	       !memcmp(location->file + location->file_length - 3, ".rs", 3) &&
	       !memchr(location->file, 0, location->file_length) && location->line &&
	       location->line <= LINE_MAX && location->column && location->column <= LINE_MAX;
}

static bool has(const struct location *location, const char *part)
{
	return memmem(location->file, location->file_length, part, strlen(part));
}

static bool begins(const struct location *location, const char *start)
{
	return location->file_length >= strlen(start) &&
	       !memcmp(location->file, start, strlen(start));
}

bool location_is_library(const struct location *location)
{
	static const char *const folders[] = {
		"/rustc/",  "/rustlib/", "/rust/deps/", "cargo/registry/", "cargo/git/",
		"/vendor/", "/tokio-0.", "/tokio-1.",   "/tokio/src/",
	};
	static const char *const starts[] = {"library/", "vendor/", "tokio-1.", "tokio/src/"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (has(location, folders[i]))
			return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins(location, starts[i]))
			return true;
	return false;
}
