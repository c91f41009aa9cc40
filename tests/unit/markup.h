/* SPDX-License-Identifier: MIT */
/*
 * Whether XML and HTML are well formed: tags nest, every & begins a reference, nothing that XML forbids.
 * Enough for what we write.
 */
#ifndef POLLSCOPE_TESTS_MARKUP_H
#define POLLSCOPE_TESTS_MARKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "golden.h"
#include "util/text.h"

enum markup_form { MARKUP_XML, MARKUP_HTML };

static const size_t markup_depth[] = {[MARKUP_XML] = 8, [MARKUP_HTML] = 16};

static inline bool markup_is_void(const char *tag, size_t length)
{
	return (length == 4 && !strncmp(tag, "meta", 4)) ||
	       (length == 8 && !strncmp(tag, "!DOCTYPE", 8));
}

/* One tag from `at` ("<" there): opens, closes or neither; returns what follows it. */
static inline const char *markup_check_tag(enum markup_form form, const char *at, const char **open,
					   size_t *depth)
{
	bool closes = at[1] == '/';
	size_t length = strcspn(at + 1 + closes, " \n/>");
	const char *end = at;

	if (form == MARKUP_XML && at[1] == '?')
		return strstr(at, "?>") + 2;
	for (bool quoted = false; *end != '>' || quoted; end++) {
		assert_true(*end && (*end != '<' || end == at));
		quoted ^= *end == '"';
	}
	if (closes) {
		assert_true(*depth > 0);
		(*depth)--;
		if (strncmp(open[*depth], at + 2, length))
			fail_msg("%.*s closes %.20s", (int)length, at + 2, open[*depth]);
	} else if (end[-1] != '/' && !(form == MARKUP_HTML && markup_is_void(at + 1, length))) {
		assert_true(*depth < markup_depth[form]);
		open[(*depth)++] = at + 1;
	}
	return end + 1;
}

static inline void assert_well_formed(enum markup_form form, const char *text)
{
	const char *open[16];
	size_t depth = 0, length;
	uint32_t character;

	while (*text) {
		if (*text == '<') {
			text = markup_check_tag(form, text, open, &depth);
			continue;
		}
		if (*text == '&')
			assert_true(!strncmp(text, "&amp;", 5) || !strncmp(text, "&lt;", 4) ||
				    !strncmp(text, "&gt;", 4) || !strncmp(text, "&quot;", 6));
		length = text_decode(text, &character);
		assert_true(length && (character >= 0x20 || character == '\n'));
		assert_true(character != 0xfffe && character != 0xffff);
		text += length;
	}
	assert_int_equal(depth, 0);
}

#endif
