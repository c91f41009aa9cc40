/* SPDX-License-Identifier: MIT */
/* What an example runs on: two CPUs, a runtime, its server, and the load on that. */
#ifndef EXAMPLES_STAGE_H
#define EXAMPLES_STAGE_H

#include "truth.h"

/** The CPUs that each example limits itself to, so that it shows the same on any machine. */
#define STAGE_CPUS 2u

/** The first four are the caller's to set. */
struct stage {
	struct options options;
	struct pollrt_config config;
	struct server server;
	const struct stream *streams;
	struct pollrt_runtime *rt;
	unsigned int workers;
	struct load load;
	struct pollrt_metrics metrics; /**< once it has stopped */
};

/** If @err is not 0, says on stderr what happened. Returns @err. */
int stage_error(const struct stage *stage, const char *what, int err);

/** Starts the runtime and the server in it. Returns 0, or a negative errno after saying why. */
int stage_start(struct stage *stage);

/** Puts the load on it until it is over. Returns 0, or a negative errno after saying why. */
int stage_load(struct stage *stage);

/** Shuts the runtime down, and takes its metrics. Of what did not start, too. */
void stage_stop(struct stage *stage);

/** Begins the line of truth, once it has stopped. */
void stage_begin_truth(const struct stage *stage);

#endif
