/* SPDX-License-Identifier: MIT */
/* The command line that all five mistakes share. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_MAX_VARIANTS 8

/** What one example is. Static. */
struct example {
	const char *name;
	const char *lesson; /**< a line or two for --help */
	/** Ends with NULL; the first is the default. None: the example has one form only. */
	const char *variants[OPTIONS_MAX_VARIANTS];
};

struct options {
	const struct example *example;
	unsigned int variant; /**< index in example->variants */
	bool fixed;
	uint64_t duration_ns;
};

/**
 * Reads a time: "2s", "500ms"; a bare number means seconds.
 * Returns 0, or -EINVAL for anything else, zero and more than a day.
 */
int duration_parse(const char *text, uint64_t *ns);

/** Reads the command line. Exits for --help and, after saying why, when it is wrong. */
struct options options_parse(const struct example *example, int argc, char **argv);

#endif
