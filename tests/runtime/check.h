/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RUNTIME_CHECK_H
#define TESTS_RUNTIME_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail(__FILE__, __LINE__, #condition);                                      \
	} while (0)

static inline _Noreturn void fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: violated: %s\n", file, line, what);
	exit(1);
}

#endif
