/* SPDX-License-Identifier: MIT */
/* What pollscope says to its user, on stderr: one line each. */
#ifndef POLLSCOPE_CLI_MESSAGE_H
#define POLLSCOPE_CLI_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

struct capture_progress;
struct options;

/* Why it failed: what, why, what to do. Returns EXIT_FAILED. */
int message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something worth knowing; nothing with --quiet. */
void message_note(const struct options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * That events were lost, with --quiet too; nothing where none were. for_room: some for want of room in the
 * rings; live: they are being captured now, so that another buffer is a remedy.
 */
void message_lost(uint64_t events, bool for_room, bool live);

/* One line that is overwritten, where stderr is a terminal; nothing with --quiet. */
void message_progress(const struct options *options, const struct capture_progress *progress);

/* Clears that line. */
void message_progress_done(const struct options *options);

#endif
