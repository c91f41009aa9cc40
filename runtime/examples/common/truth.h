/* SPDX-License-Identifier: MIT */
/* What an example measured of itself, as the line of JSON that it prints in the end. */
#ifndef EXAMPLES_TRUTH_H
#define EXAMPLES_TRUTH_H

#include "load.h"
#include "options.h"
#include "server.h"

/** Begins the line with what all examples say. */
void truth_begin(const struct options *options, const struct load *load,
		 const struct pollrt_metrics *metrics);

/** Adds a quantity that the mistake is about. */
void truth_number(const char *name, uint64_t value);
void truth_bool(const char *name, bool value);

/** Ends the line. */
void truth_end(void);

#endif
