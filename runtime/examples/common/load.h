/* SPDX-License-Identifier: MIT */
/*
 * The clients of an example. Requests are sent when they are due, whether or not the server has
 * answered those before (an open loop), and a reply's latency counts from when its request was
 * due: a server that stalls cannot slow down the clients that measure it, and so hide how many
 * requests would have waited.
 */
#ifndef EXAMPLES_LOAD_H
#define EXAMPLES_LOAD_H

#include "histogram.h"

#define LOAD_MAX_STREAMS 3

/** Requests of one kind: @burst of them, at once, every @period_ns, spread over @connections. */
struct stream {
	const char *name; /**< in the JSON line */
	unsigned int connections;
	unsigned int burst; /**< 0: 1 */
	uint64_t period_ns;
};

/** What became of a stream. */
struct stream_result {
	uint64_t requests; /**< that were due */
	uint64_t answered;
	uint64_t last_answer_ns; /**< since the start */
	/** Those without an answer in the end have waited until then. */
	struct histogram latency;
};

struct load {
	const struct stream *streams; /**< ends with one without connections */
	uint64_t duration_ns;
	struct stream_result results[LOAD_MAX_STREAMS];
};

/**
 * Puts the load on a server at 127.0.0.1:@port, from this thread, and returns when it is over and
 * all connections are closed. Returns 0 or a negative errno.
 */
int load_run(struct load *load, uint16_t port);

#endif
