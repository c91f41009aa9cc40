// SPDX-License-Identifier: MIT
#include "tokio/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tokio/image.h"

#define NAME "tokio-"
#define SOURCES "/src/"
#define NUMBER_MAX 9999

static bool take_number(const char **at, const char *end, uint16_t *number)
{
	const char *start = *at;

	for (*number = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
		*number = *number * 10 + (**at - '0');
		if (*number > NUMBER_MAX / 10 && *at + 1 < end && (*at)[1] >= '0' &&
		    (*at)[1] <= '9')
			return false;
	}
	return *at > start;
}

static bool take_text(const char **at, const char *end, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(end - *at) < length || memcmp(*at, text, length))
		return false;
	*at += length;
	return true;
}

static bool is_newer(const struct tokio_version *a, const struct tokio_version *b)
{
	if (a->major != b->major)
		return a->major > b->major;
	return a->minor != b->minor ? a->minor > b->minor : a->patch > b->patch;
}

static void look(const char *at, const char *end, struct tokio_version *newest)
{
	struct tokio_version version;

	if (take_text(&at, end, NAME) && take_number(&at, end, &version.major) &&
	    take_text(&at, end, ".") && take_number(&at, end, &version.minor) &&
	    take_text(&at, end, ".") && take_number(&at, end, &version.patch) &&
	    take_text(&at, end, SOURCES) && is_newer(&version, newest))
		*newest = version;
}

struct tokio_version version_find(const struct image *image)
{
	struct tokio_version newest = {0};
	struct image_text text;

	for (size_t i = 0; image_text(image, i, &text); i++) {
		const char *end = text.start + text.size, *at = text.start;

		for (; (at = memmem(at, end - at, NAME, strlen(NAME))); at += strlen(NAME))
			/* Not signal-hook-tokio-0.3.1; strings are not terminated. */
			if (at == text.start || (at[-1] != '-' && at[-1] != '_'))
				look(at, end, &newest);
	}
	return newest;
}
