/* SPDX-License-Identifier: MIT */
/*
 * A Perfetto trace, read as its trace processor does: packets in order, names as they were told before, then
 * events by time, those of one time as they were written; and the slices that they make.
 */
#ifndef POLLSCOPE_TESTS_TRACE_H
#define POLLSCOPE_TESTS_TRACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perfetto.pb-c.h"

#define TRACE_DEPTH 64

struct trace_slice {
	uint64_t track, start, end;
	uint64_t task, waker, thread, flow;
	const char *name, *category; /* "": none */
	const char *file, *result;
	bool instant, open;
	unsigned int depth;
	int parent; /* -1: none */
};

struct trace_track {
	const Perfetto__TrackDescriptor *about;
	int open[TRACE_DEPTH];
	unsigned int depth;
	uint64_t last_end;
};

struct trace_count {
	uint64_t track, time;
	double value;
};

struct trace {
	Perfetto__Trace *packets;
	char *names[4][1024]; /* categories, events, annotations, texts */
	struct trace_track *tracks;
	size_t ntracks;
	struct trace_slice *slices;
	size_t nslices;
	struct trace_count *counts;
	size_t ncounts;
};

static inline void trace_intern(struct trace *trace, unsigned int space,
				Perfetto__InternedName **names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_in_range(names[i]->iid, 1, 1023);
		assert_null(trace->names[space][names[i]->iid]);
		trace->names[space][names[i]->iid] = names[i]->name;
	}
}

static inline const char *trace_name(const struct trace *trace, unsigned int space, uint64_t iid)
{
	if (!iid)
		return "";
	assert_in_range(iid, 1, 1023);
	assert_non_null(trace->names[space][iid]);
	return trace->names[space][iid];
}

/* Of the track with that id: the one that was described last. */
static inline struct trace_track *trace_track(const struct trace *trace, uint64_t uuid)
{
	for (size_t i = trace->ntracks; i > 0; i--) {
		if (trace->tracks[i - 1].about->uuid == uuid)
			return &trace->tracks[i - 1];
	}
	return NULL;
}

static inline void trace_annotations(const struct trace *trace, const Perfetto__TrackEvent *event,
				     struct trace_slice *slice)
{
	for (size_t i = 0; i < event->n_debug_annotations; i++) {
		const Perfetto__DebugAnnotation *note = event->debug_annotations[i];
		const char *key = trace_name(trace, 2, note->name_iid), *text = "";

		if (note->value_case == PERFETTO__DEBUG_ANNOTATION__VALUE_STRING_VALUE_IID)
			text = trace_name(trace, 3, note->string_value_iid);
		if (!strcmp(key, "task"))
			slice->task = note->uint_value;
		else if (!strcmp(key, "thread"))
			slice->thread = note->uint_value;
		else if (!strcmp(key, "woken by thread"))
			slice->waker = note->uint_value;
		else if (!strcmp(key, "file"))
			slice->file = text;
		else if (!strcmp(key, "result"))
			slice->result = text;
		else
			fail_msg("annotation %s", key);
	}
}

static inline void trace_push(struct trace *trace, struct trace_track *track, uint64_t time,
			      const Perfetto__TrackEvent *event)
{
	struct trace_slice *slice = &trace->slices[trace->nslices];
	bool instant = event->type == PERFETTO__TRACK_EVENT__TYPE__TYPE_INSTANT;

	*slice = (struct trace_slice){
		.track = event->track_uuid,
		.start = time,
		.end = time,
		.flow = instant ? event->flow_ids : event->terminating_flow_ids,
		.name = trace_name(trace, 1, event->name_iid),
		.category = trace_name(trace, 0, event->category_iids),
		.file = "",
		.result = "",
		.instant = instant,
		.open = !instant,
		.depth = track->depth,
		.parent = track->depth ? track->open[track->depth - 1] : -1,
	};
	trace_annotations(trace, event, slice);
	if (!instant) {
		assert_true(track->depth < TRACE_DEPTH);
		/* Slices of a track that are not in each other follow each other. */
		assert_true(track->depth || time >= track->last_end);
		track->open[track->depth++] = trace->nslices;
	}
	trace->nslices++;
}

static inline void trace_event(struct trace *trace, uint64_t time,
			       const Perfetto__TrackEvent *event)
{
	struct trace_track *track = trace_track(trace, event->track_uuid);

	assert_non_null(track);
	switch (event->type) {
	case PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN:
	case PERFETTO__TRACK_EVENT__TYPE__TYPE_INSTANT:
		assert_null(track->about->counter);
		trace_push(trace, track, time, event);
		break;
	case PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_END:
		assert_true(track->depth > 0);
		track->depth--;
		trace->slices[track->open[track->depth]].end = time;
		trace->slices[track->open[track->depth]].open = false;
		track->last_end = time;
		break;
	case PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER:
		assert_non_null(track->about->counter);
		trace->counts[trace->ncounts++] = (struct trace_count){
			.track = event->track_uuid,
			.time = time,
			.value =
				event->counter_value_field_case ==
						PERFETTO__TRACK_EVENT__COUNTER_VALUE_FIELD_COUNTER_VALUE
					? (double)event->counter_value
					: event->double_counter_value,
		};
		break;
	default:
		fail_msg("event of type %d", event->type);
	}
}

struct trace_order {
	const Perfetto__TracePacket *packet;
	size_t at;
};

static inline int trace_compare(const void *a, const void *b)
{
	const struct trace_order *x = a, *y = b;

	if (x->packet->timestamp != y->packet->timestamp)
		return x->packet->timestamp < y->packet->timestamp ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* What holds of every packet, and what is told of names and tracks. */
static inline void trace_packet(struct trace *trace, const Perfetto__TracePacket *packet,
				bool first)
{
	const Perfetto__InternedData *data = packet->interned_data;

	assert_int_equal(packet->trusted_packet_sequence_id, 1);
	assert_int_equal(packet->sequence_flags, first ? 1 : 2);
	if (first) {
		assert_int_equal(packet->trace_packet_defaults->timestamp_clock_id, 3);
		assert_int_equal(packet->data_case, PERFETTO__TRACE_PACKET__DATA_CLOCK_SNAPSHOT);
		assert_int_equal(packet->clock_snapshot->primary_trace_clock, 3);
		assert_int_equal(packet->clock_snapshot->clocks[0]->clock_id, 3);
	}
	if (data) {
		trace_intern(trace, 0, data->event_categories, data->n_event_categories);
		trace_intern(trace, 1, data->event_names, data->n_event_names);
		trace_intern(trace, 2, data->debug_annotation_names,
			     data->n_debug_annotation_names);
		trace_intern(trace, 3, data->debug_annotation_string_values,
			     data->n_debug_annotation_string_values);
	}
	if (packet->data_case != PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR)
		return;
	assert_true(packet->track_descriptor->uuid);
	assert_true(!packet->track_descriptor->parent_uuid ||
		    trace_track(trace, packet->track_descriptor->parent_uuid));
	trace->tracks[trace->ntracks++].about = packet->track_descriptor;
}

/* Fails where slices do not nest, or names or tracks are used that were not told. */
static inline struct trace *trace_read(const void *bytes, size_t size)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	struct trace_order *order;
	size_t n, events = 0;

	assert_non_null(trace);
	trace->packets = perfetto__trace__unpack(NULL, size, bytes);
	assert_non_null(trace->packets);
	n = trace->packets->n_packet;
	order = calloc(n, sizeof(*order));
	trace->tracks = calloc(n, sizeof(*trace->tracks));
	trace->slices = calloc(n, sizeof(*trace->slices));
	trace->counts = calloc(n, sizeof(*trace->counts));
	assert_true(order && trace->tracks && trace->slices && trace->counts);
	for (size_t i = 0; i < n; i++) {
		const Perfetto__TracePacket *packet = trace->packets->packet[i];

		trace_packet(trace, packet, !i);
		if (packet->data_case != PERFETTO__TRACE_PACKET__DATA_TRACK_EVENT)
			continue;
		assert_non_null(trace_track(trace, packet->track_event->track_uuid));
		order[events++] = (struct trace_order){packet, i};
	}
	qsort(order, events, sizeof(*order), trace_compare);
	for (size_t i = 0; i < events; i++)
		trace_event(trace, order[i].packet->timestamp, order[i].packet->track_event);
	for (size_t i = 0; i < trace->nslices; i++)
		assert_false(trace->slices[i].open);
	free(order);
	return trace;
}

static inline void trace_free(struct trace *trace)
{
	perfetto__trace__free_unpacked(trace->packets, NULL);
	free(trace->tracks);
	free(trace->slices);
	free(trace->counts);
	free(trace);
}

/* How many there are of a category and a name, NULL: any; *ns: how long they are in all. */
static inline size_t trace_sum(const struct trace *trace, const char *category, const char *name,
			       uint64_t *ns)
{
	size_t count = 0;

	*ns = 0;
	for (size_t i = 0; i < trace->nslices; i++) {
		const struct trace_slice *slice = &trace->slices[i];

		if (strcmp(slice->category, category) || (name && strcmp(slice->name, name)))
			continue;
		count++;
		*ns += slice->end - slice->start;
	}
	return count;
}

static inline const struct trace_track *trace_named(const struct trace *trace, const char *name)
{
	for (size_t i = 0; i < trace->ntracks; i++) {
		if (!strcmp(trace->tracks[i].about->name, name))
			return &trace->tracks[i];
	}
	fail_msg("no track %s", name);
	return NULL;
}

#endif
