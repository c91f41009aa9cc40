// SPDX-License-Identifier: MIT
#include "emit/packets.h"

#include <errno.h>
#include <stdlib.h>

#include "perfetto.pb-c.h"

#define SEQUENCE 1      /* the only one */
#define TAG_PACKET 0x0a /* field 1 of Trace, by length */

static const char *const categories[PACKETS_CATEGORIES] = {
	[PACKETS_POLL] = "poll", [PACKETS_BLOCKED] = "blocked", [PACKETS_RUNQUEUE] = "runqueue",
	[PACKETS_PARK] = "park", [PACKETS_JOB] = "job",         [PACKETS_WAKE] = "wake",
	[PACKETS_TASK] = "task",
};

static const char *const keys[PACKETS_KEYS] = {
	[PACKETS_KEY_TASK] = "task",     [PACKETS_KEY_RESULT] = "result",
	[PACKETS_KEY_FILE] = "file",     [PACKETS_KEY_WAKER] = "woken by thread",
	[PACKETS_KEY_THREAD] = "thread",
};

/* Room for a packet and what comes before it. */
static uint8_t *reserve(struct packets *packets, size_t size)
{
	uint8_t *bytes;

	if (size <= packets->room)
		return packets->bytes;
	bytes = realloc(packets->bytes, size);
	if (!bytes)
		return NULL;
	packets->bytes = bytes;
	packets->room = size;
	return bytes;
}

static void write_packet(struct packets *packets, Perfetto__TracePacket *packet)
{
	size_t size = perfetto__trace_packet__get_packed_size(packet), head = 0;
	uint8_t *bytes;

	if (packets->error)
		return;
	bytes = reserve(packets, size + 11);
	if (!bytes) {
		packets->error = -ENOMEM;
		return;
	}
	bytes[head++] = TAG_PACKET;
	for (size_t left = size;; left >>= 7) {
		bytes[head++] = (left & 0x7f) | (left > 0x7f ? 0x80 : 0);
		if (left <= 0x7f)
			break;
	}
	perfetto__trace_packet__pack(packet, bytes + head);
	if (fwrite(bytes, 1, head + size, packets->out) != head + size)
		packets->error = -EIO;
}

static void packet_init(Perfetto__TracePacket *packet, uint64_t time)
{
	perfetto__trace_packet__init(packet);
	packet->timestamp = time;
	packet->trusted_packet_sequence_id = SEQUENCE;
	packet->sequence_flags = PERFETTO__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE;
}

/* Lists names that never change, from 1. */
static size_t list_names(const char *const *texts, size_t end, Perfetto__InternedName *names,
			 Perfetto__InternedName **list)
{
	for (size_t i = 1; i < end; i++) {
		perfetto__interned_name__init(&names[i]);
		names[i].iid = i;
		names[i].name = (char *)texts[i];
		list[i - 1] = &names[i];
	}
	return end - 1;
}

void packets_begin(struct packets *packets, FILE *out, uint64_t start_ns, uint64_t unix_ns)
{
	Perfetto__InternedName category_names[PACKETS_CATEGORIES], key_names[PACKETS_KEYS];
	Perfetto__InternedName *category_list[PACKETS_CATEGORIES], *key_list[PACKETS_KEYS];
	Perfetto__ClockSnapshot__Clock monotonic, real, *clocks[] = {&monotonic, &real};
	Perfetto__TracePacketDefaults defaults;
	Perfetto__ClockSnapshot snapshot;
	Perfetto__InternedData interned;
	Perfetto__TracePacket packet;

	*packets = (struct packets){.out = out, .start_ns = start_ns};
	perfetto__clock_snapshot__init(&snapshot);
	perfetto__clock_snapshot__clock__init(&monotonic);
	perfetto__clock_snapshot__clock__init(&real);
	monotonic.clock_id = PERFETTO__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC;
	monotonic.timestamp = start_ns;
	real.clock_id = PERFETTO__BUILTIN_CLOCK__BUILTIN_CLOCK_REALTIME;
	real.timestamp = unix_ns;
	snapshot.clocks = clocks;
	snapshot.n_clocks = 2;
	snapshot.primary_trace_clock = PERFETTO__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC;
	perfetto__trace_packet_defaults__init(&defaults);
	defaults.timestamp_clock_id = PERFETTO__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC;
	perfetto__interned_data__init(&interned);
	interned.event_categories = category_list;
	interned.n_event_categories =
		list_names(categories, PACKETS_CATEGORIES, category_names, category_list);
	interned.debug_annotation_names = key_list;
	interned.n_debug_annotation_names = list_names(keys, PACKETS_KEYS, key_names, key_list);
	/* Without a time of its own: readers know no clock before this. */
	packet_init(&packet, 0);
	packet.sequence_flags = PERFETTO__SEQUENCE_FLAGS__SEQ_INCREMENTAL_STATE_CLEARED;
	packet.trace_packet_defaults = &defaults;
	packet.interned_data = &interned;
	packet.data_case = PERFETTO__TRACE_PACKET__DATA_CLOCK_SNAPSHOT;
	packet.clock_snapshot = &snapshot;
	write_packet(packets, &packet);
}

void packets_release(struct packets *packets)
{
	names_clear(&packets->names);
	names_clear(&packets->texts);
	free(packets->bytes);
	packets->bytes = NULL;
}

/* Its number, and whether it has just been given. */
static uint32_t intern(struct packets *packets, struct names *names, const char *text, bool *fresh)
{
	size_t before = names->count;
	uint32_t number;

	*fresh = false;
	if (packets->error)
		return 0;
	packets->error = names_intern(names, text, &number);
	*fresh = !packets->error && names->count > before;
	return packets->error ? 0 : number + 1;
}

static void write_name(struct packets *packets, uint32_t number, const char *text, bool is_text)
{
	Perfetto__InternedName name, *list = &name;
	Perfetto__InternedData interned;
	Perfetto__TracePacket packet;

	perfetto__interned_name__init(&name);
	name.iid = number;
	name.name = (char *)text;
	perfetto__interned_data__init(&interned);
	if (is_text) {
		interned.debug_annotation_string_values = &list;
		interned.n_debug_annotation_string_values = 1;
	} else {
		interned.event_names = &list;
		interned.n_event_names = 1;
	}
	packet_init(&packet, 0);
	packet.interned_data = &interned;
	write_packet(packets, &packet);
}

uint32_t packets_name(struct packets *packets, const char *name)
{
	bool fresh;
	uint32_t number = intern(packets, &packets->names, name, &fresh);

	if (fresh)
		write_name(packets, number, name, false);
	return number;
}

uint32_t packets_text(struct packets *packets, const char *text)
{
	bool fresh;
	uint32_t number = intern(packets, &packets->texts, text, &fresh);

	if (fresh)
		write_name(packets, number, text, true);
	return number;
}

void packets_track(struct packets *packets, Perfetto__TrackDescriptor *track)
{
	Perfetto__TracePacket packet;

	/* What is on the track may be older than what was written before. */
	packet_init(&packet, packets->start_ns);
	packet.data_case = PERFETTO__TRACE_PACKET__DATA_TRACK_DESCRIPTOR;
	packet.track_descriptor = track;
	write_packet(packets, &packet);
}

static void write_event(struct packets *packets, uint64_t track, uint64_t time,
			Perfetto__TrackEvent *event)
{
	Perfetto__TracePacket packet;

	event->track_uuid = track;
	packet_init(&packet, time);
	packet.data_case = PERFETTO__TRACE_PACKET__DATA_TRACK_EVENT;
	packet.track_event = event;
	write_packet(packets, &packet);
}

/* The annotations of an event, in a place of their own. */
struct annotations {
	Perfetto__DebugAnnotation made[PACKETS_KEYS];
	Perfetto__DebugAnnotation *list[PACKETS_KEYS];
	size_t count;
};

static void annotate(struct annotations *annotations, enum packets_key key, uint64_t number,
		     uint32_t text)
{
	Perfetto__DebugAnnotation *made = &annotations->made[annotations->count];

	if (!number && !text)
		return;
	annotations->list[annotations->count++] = made;
	perfetto__debug_annotation__init(made);
	made->name_iid = key;
	if (text) {
		made->value_case = PERFETTO__DEBUG_ANNOTATION__VALUE_STRING_VALUE_IID;
		made->string_value_iid = text;
	} else {
		made->value_case = PERFETTO__DEBUG_ANNOTATION__VALUE_UINT_VALUE;
		made->uint_value = number;
	}
}

static void write_slice(struct packets *packets, uint64_t track, const struct packets_slice *slice,
			Perfetto__TrackEvent__Type type)
{
	struct annotations annotations = {.count = 0};
	Perfetto__TrackEvent event;

	annotate(&annotations, PACKETS_KEY_TASK, slice->task, 0);
	annotate(&annotations, PACKETS_KEY_RESULT, 0, slice->result);
	annotate(&annotations, PACKETS_KEY_FILE, 0, slice->file);
	annotate(&annotations, PACKETS_KEY_WAKER, slice->waker, 0);
	annotate(&annotations, PACKETS_KEY_THREAD, slice->thread, 0);
	perfetto__track_event__init(&event);
	event.type = type;
	event.name_iid = slice->name;
	event.category_iids = slice->category;
	event.debug_annotations = annotations.list;
	event.n_debug_annotations = annotations.count;
	if (type == PERFETTO__TRACK_EVENT__TYPE__TYPE_INSTANT)
		event.flow_ids = slice->flow;
	else
		event.terminating_flow_ids = slice->flow;
	write_event(packets, track, slice->start, &event);
}

void packets_slice_begin(struct packets *packets, uint64_t track, const struct packets_slice *slice)
{
	write_slice(packets, track, slice, PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN);
}

void packets_instant(struct packets *packets, uint64_t track, const struct packets_slice *slice)
{
	write_slice(packets, track, slice, PERFETTO__TRACK_EVENT__TYPE__TYPE_INSTANT);
}

void packets_slice_end(struct packets *packets, uint64_t track, uint64_t time)
{
	Perfetto__TrackEvent event;

	perfetto__track_event__init(&event);
	event.type = PERFETTO__TRACK_EVENT__TYPE__TYPE_SLICE_END;
	write_event(packets, track, time, &event);
}

void packets_count(struct packets *packets, uint64_t track, uint64_t time, int64_t value)
{
	Perfetto__TrackEvent event;

	perfetto__track_event__init(&event);
	event.type = PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER;
	event.counter_value_field_case = PERFETTO__TRACK_EVENT__COUNTER_VALUE_FIELD_COUNTER_VALUE;
	event.counter_value = value;
	write_event(packets, track, time, &event);
}

void packets_mean(struct packets *packets, uint64_t track, uint64_t time, double value)
{
	Perfetto__TrackEvent event;

	perfetto__track_event__init(&event);
	event.type = PERFETTO__TRACK_EVENT__TYPE__TYPE_COUNTER;
	event.counter_value_field_case =
		PERFETTO__TRACK_EVENT__COUNTER_VALUE_FIELD_DOUBLE_COUNTER_VALUE;
	event.double_counter_value = value;
	write_event(packets, track, time, &event);
}
