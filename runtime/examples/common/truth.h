/* SPDX-License-Identifier: MIT */
/* What an example measured of itself, as the line of JSON that it prints in the end. */
#ifndef EXAMPLES_TRUTH_H
#define EXAMPLES_TRUTH_H

#include "load.h"
#include "options.h"
#include "server.h"

/** A quantity that the mistake is about. */
struct fact {
	const char *name;
	uint64_t value;
	bool is_bool;
};

/** Prints the line: what all examples say, and @facts, which end with one without a name. */
void truth_print(const struct options *options, const struct load *load,
		 const struct pollrt_metrics *metrics, const struct fact *facts);

#endif
