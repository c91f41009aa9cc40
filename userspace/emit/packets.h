/* SPDX-License-Identifier: MIT */
/*
 * A Perfetto trace as it is written: one sequence of packets, with names that are said once. Times are
 * CLOCK_MONOTONIC nanoseconds, which need not rise: readers sort, and of equal times what was written first
 * comes first.
 */
#ifndef POLLSCOPE_EMIT_PACKETS_H
#define POLLSCOPE_EMIT_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/names.h"

struct Perfetto__TrackDescriptor;
struct Perfetto__TracePacket;

enum packets_category {
	PACKETS_POLL = 1,
	PACKETS_BLOCKED,
	PACKETS_RUNQUEUE,
	PACKETS_PARK,
	PACKETS_JOB,
	PACKETS_WAKE,
	PACKETS_TASK,
	PACKETS_CATEGORIES,
};

/* What an event can be annotated with. */
enum packets_key {
	PACKETS_KEY_TASK = 1, /* its id */
	PACKETS_KEY_RESULT,   /* of a poll */
	PACKETS_KEY_FILE,     /* behind a descriptor */
	PACKETS_KEY_WAKER,    /* thread that ended a sleep */
	PACKETS_KEY_THREAD,   /* that polled a task */
	PACKETS_KEYS,
};

/* A slice or an instant on a track. 0 in a field but the times: there is none. */
struct packets_slice {
	uint64_t start, end;
	uint64_t task;
	uint64_t flow;         /* that ends in a slice, and begins in an instant */
	uint32_t name;         /* of packets_name() */
	uint32_t result, file; /* of packets_text() */
	uint32_t waker, thread;
	uint8_t category; /* enum packets_category */
	uint8_t depth;    /* of a poll: those around it */
	bool unsettled;   /* a sleep: not known whether inside of a poll */
};

/* Errors stick: what follows one does nothing. */
struct packets {
	FILE *out;
	int error; /* 0, -ENOMEM or -EIO */
	uint64_t start_ns;
	uint8_t *bytes;
	size_t room;
	struct names names, texts;
};

/* Begins a trace: with both clocks at its start. */
void packets_begin(struct packets *packets, FILE *out, uint64_t start_ns, uint64_t unix_ns);
void packets_release(struct packets *packets);

/* Numbers, from 1, of an event's name and of an annotation's text. 0 after an error. */
uint32_t packets_name(struct packets *packets, const char *name);
uint32_t packets_text(struct packets *packets, const char *text);

void packets_track(struct packets *packets, struct Perfetto__TrackDescriptor *track);
void packets_slice_begin(struct packets *packets, uint64_t track,
			 const struct packets_slice *slice);
void packets_slice_end(struct packets *packets, uint64_t track, uint64_t time);

/* At the slice's start. */
void packets_instant(struct packets *packets, uint64_t track, const struct packets_slice *slice);

void packets_count(struct packets *packets, uint64_t track, uint64_t time, int64_t value);
void packets_mean(struct packets *packets, uint64_t track, uint64_t time, double value);

#endif
