/* SPDX-License-Identifier: MIT */
/*
 * Symbols for a recording that lacks them: its recorder was killed, or the files had none there.
 * Stands between a replay and who takes its events. Modules are found again by their build ids.
 */
#ifndef POLLSCOPE_SYMBOLIZE_LATE_SYMBOLS_H
#define POLLSCOPE_SYMBOLIZE_LATE_SYMBOLS_H

struct event_sink;
struct late_symbols;

struct late_symbols_options {
	/*
	 * Debug files are looked for in this folder by build id (.build-id/ or
	 * usr/lib/debug/.build-id/), then binaries under their whole path or their last name,
	 * before they are where the recording has them from. NULL: only there.
	 */
	const char *symfs;
	/* Told of what could not be used: one line. */
	void (*notice)(void *ctx, const char *line);
	void *ctx;
};

/* late_symbols_new() - all events go on to `to`. NULL: out of memory. */
struct late_symbols *late_symbols_new(const struct late_symbols_options *options,
				      struct event_sink *to);

/* late_symbols_free() - NULL is legal. */
void late_symbols_free(struct late_symbols *late);

/*
 * late_symbols_sink() - takes the recording's events. An EVENT_SYMBOL of a user's address that
 * names no function is kept back.
 */
struct event_sink *late_symbols_sink(struct late_symbols *late);

/*
 * late_symbols_finish() - after the last event: an EVENT_SYMBOL for each user's address in stacks
 * that had none with a function. Returns 0, -ENOMEM, or what the sink returned.
 */
int late_symbols_finish(struct late_symbols *late);

#endif
