// SPDX-License-Identifier: MIT
#include "symbolize/demangle.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MANGLED_MAX 32768 /* bytes of a name that is looked into */
#define NAME_BYTES 4096   /* of a name that is given, NUL included */

/*
 * Back references let a short mangled name stand for one of any length; libiberty bounds its
 * recursion, not what it prints. So printing is broken off where the buffer ends. Its callback
 * interface keeps all on the stack but a decoded punycode identifier, which may leak then.
 */
struct output {
	jmp_buf full;
	size_t n;
	char text[NAME_BYTES];
};

static void print(const char *text, size_t n, void *opaque)
{
	struct output *output = opaque;
	size_t room = sizeof(output->text) - 1 - output->n;
	bool fits = n <= room;

	memcpy(output->text + output->n, text, fits ? n : room);
	output->n += fits ? n : room;
	if (!fits)
		longjmp(output->full, 1);
}

/*
 * Length of a name without what the compiler appended to tell its copies apart, or the linker's
 * version.
 */
static size_t length_without_suffix(const char *name)
{
	static const char *const words[] = {
		".llvm",     ".cold",       ".part",   ".constprop", ".isra",
		".lto_priv", ".localalias", ".clone",  ".warm",      ".hot",
		".unlikely", ".exit",       ".resume", ".destroy",   ".cleanup",
	};
	size_t length = strcspn(name, "@");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);
		const char *at = name;

		/* In legacy Rust names `..` is `::`: a word between those is part of it. */
		while ((at = strstr(at + 1, words[i]))) {
			bool ends = !at[n] || at[n] == '@' ||
				    (at[n] == '.' && isalnum((unsigned char)at[n + 1]));

			if (ends && at[-1] != '.' && (size_t)(at - name) < length)
				length = at - name;
		}
	}
	return length;
}

/* True if `output` holds the name, whole or cut. */
static bool print_demangled(const char *name, struct output *output)
{
	if (setjmp(output->full))
		return true;
	if (rust_demangle_callback(name, 0, print, output))
		return output->n > 0;
	output->n = 0;
	return cplus_demangle_v3_callback(name, 0, print, output) && output->n > 0;
}

/* A copy of the first `n` bytes, or as many as a name may have. */
static char *copy_name(const char *name, size_t n)
{
	return strndup(name, n < NAME_BYTES ? n : NAME_BYTES - 1);
}

char *demangle(const char *name)
{
	size_t length = *name ? length_without_suffix(name) : 0;
	char *mangled, *result = NULL;
	struct output *output;

	if (!length)
		length = strlen(name);
	if (*name != '_' || length > MANGLED_MAX)
		return copy_name(name, length);
	mangled = strndup(name, length);
	output = malloc(sizeof(*output));
	if (mangled && output) {
		output->n = 0;
		if (print_demangled(mangled, output))
			result = copy_name(output->text, output->n);
		else
			result = copy_name(mangled, length);
	}
	free(output);
	free(mangled);
	return result;
}
