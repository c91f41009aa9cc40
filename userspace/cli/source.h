/* SPDX-License-Identifier: MIT */
/* SOURCE: a recording that is replayed, or live targets that are captured. */
#ifndef POLLSCOPE_CLI_SOURCE_H
#define POLLSCOPE_CLI_SOURCE_H

#include <stdbool.h>

struct event_sink;
struct model;
struct options;
struct recording_stats;

/*
 * Feeds all events of the source to the sink. Says on stderr what went wrong, and what was damaged or cut.
 * Returns 0 or a negative errno, which has been told unless the sink made it in a capture, or it is -ECANCELED,
 * by which a sink ends a replay too and tells why itself. stats: of a recording; NULL where not wanted.
 */
int source_feed(const struct options *options, const char *command_line, struct event_sink *sink,
		struct recording_stats *stats);

/* Events of a source in a file without a name, to be read more than once. */
struct source_copy {
	int fd;
	char path[32]; /* to open it by */
};

/* Makes one. Returns 0 or a negative errno, which has been told. */
int source_copy_make(const struct options *options, const char *command_line,
		     struct source_copy *copy);
void source_copy_release(struct source_copy *copy);

/* Whether it is a file that gives the same each time. */
bool source_is_lasting(const struct options *options);

/* Feeds a recording that was read before, and says nothing of it again. Returns as source_feed(). */
int source_feed_again(const char *file, struct event_sink *sink);

/* Whether there is what --type asks for, or nothing at all; else says so, and what there is. */
bool source_has_type(const struct options *options, const struct model *model);

/* The same as source_feed() into a model, NULL where it failed. Says what was lost. */
struct model *source_model(const struct options *options, const char *command_line,
			   struct recording_stats *stats);

#endif
