// SPDX-License-Identifier: MIT
#include "attach/intake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/addresses.h"
#include "attach/kind_set.h"
#include "attach/paths.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "events/decode.h"
#include "events/order.h"
#include "events/restart.h"
#include "events/ring.h"
#include "symbolize/kallsyms.h"
#include "util/clock.h"

/* How long a program may lie between taking the time and writing its record without coming late. */
#define SLACK_NS (5 * NSEC_PER_MSEC)

/* Frames of the tracer's own that may lie above __schedule in a stack taken at a switch. */
#define OWN_FRAMES 16

struct intake {
	struct intake_options options;
	struct rings *rings;
	struct rings_reader reader;
	size_t own_ring; /* of events that userspace makes */
	struct order *order;
	struct restart restart; /* between the order and the capture's sink */
	struct addresses *addresses;
	struct kind_set *kinds;
	struct paths *paths;
	struct event_sink sink; /* for events that userspace makes */
	struct decode_context decode;
	struct address_range fault[KALLSYMS_FAULT_RANGES_MAX];
	struct kallsyms_range schedule;
	uint64_t start, end;
	uint64_t lost_checked; /* clock when losses were looked at last */
	uint64_t lost[WIRE_TYPES];
	uint64_t unusable; /* records that make no sense, or come from an image that is gone */
	bool crowded;      /* there are more addresses than are kept, and this was said */
	struct intake_counts counts;
};

/* Cuts what the tracer itself put on top of a stack taken at a switch. */
static void stack_trim(const struct intake *in, struct event_stack *stack)
{
	for (uint16_t i = 0; i < stack->nkernel && i < OWN_FRAMES; i++) {
		if (stack->frames[i] < in->schedule.start || stack->frames[i] >= in->schedule.end)
			continue;
		stack->frames += i;
		stack->nkernel -= i;
		return;
	}
}

/* The path of the file that the thread waited for, if it is new. */
static int path_learn(struct intake *in, uint16_t process, const struct wire_offcpu *wire,
		      const struct event *event)
{
	pid_t pid = targets_pid(in->options.targets, process);
	char path[4096];
	struct event learnt = {
		.time = event->time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_PATH,
		.path = {.dev = wire->file_dev, .ino = wire->file_ino, .path = path},
	};

	if (!wire->file_ino || !pid ||
	    !paths_learn(in->paths, pid, wire->file_fd, wire->file_dev, wire->file_ino, path,
			 sizeof(path)))
		return 0;
	return in->sink.take(&in->sink, &learnt);
}

static int offcpu_take(struct intake *in, const struct wire_offcpu *wire, struct event *event)
{
	uint16_t process = wire->h.source;
	int err;

	if (!(event->flags & EVENT_UNSETTLED))
		process = targets_process_of(in->options.targets, event->source);
	stack_trim(in, &event->offcpu.stack);
	err = path_learn(in, process, wire, event);
	return err ? err : addresses_add(in->addresses, process, &event->offcpu.stack);
}

static int sample_take(struct intake *in, struct event *event)
{
	if (event->type == EVENT_AWAIT &&
	    targets_at_timer(in->options.targets, event->source, &event->sample.stack))
		event->flags |= EVENT_AT_TIMER;
	return addresses_add(in->addresses, targets_process_of(in->options.targets, event->source),
			     &event->sample.stack);
}

/* What is at the very edges: programs read the clock a little after they looked at the phase. */
static void time_fit(const struct intake *in, struct event *event)
{
	if (event->time < in->start)
		event->time = in->start;
	if (event->time <= in->end)
		return;
	event->time = in->end;
	if (event->type == EVENT_POLL) {
		struct event_poll *poll = &event->poll;
		uint64_t over = poll->start > in->end ? poll->start - in->end : 0;
		uint64_t length;

		poll->start -= over;
		length = in->end - poll->start;
		if (poll->blocked_ns > length)
			poll->blocked_ns = length;
		if (poll->runqueue_ns > length - poll->blocked_ns)
			poll->runqueue_ns = length - poll->blocked_ns;
	} else if (event->type == EVENT_OFFCPU) {
		struct event_offcpu *off = &event->offcpu;

		if (off->out > in->end)
			off->out = in->end;
		if (off->wake > in->end)
			off->wake = in->end;
	}
}

/* Tells of a thread as such, whatever runtime it runs. */
static bool is_of_thread(const struct event *event)
{
	return event->type == EVENT_THREAD || event->type == EVENT_THREAD_TOTALS ||
	       (event->type == EVENT_OFFCPU && event->flags & EVENT_UNSETTLED);
}

/* The kind that an event mentions; 0: none. */
static uint64_t kind_of(const struct event *event)
{
	switch (event->type) {
	case EVENT_POLL:
		return event->poll.kind;
	case EVENT_OFFCPU:
		return event->offcpu.kind;
	case EVENT_SAMPLE:
	case EVENT_AWAIT:
		return event->sample.kind;
	case EVENT_TERMINATE:
		return event->terminate.kind;
	case EVENT_BLOCKING_START:
	case EVENT_BLOCKING_END:
		return event->blocking.kind;
	default:
		return 0;
	}
}

/* Counts what the event's probe cost. */
static void cost_count(struct intake_counts *counts, const struct event *event,
		       const struct event_overhead *cost)
{
	if (event->type == EVENT_POLL) {
		counts->polls++;
		counts->polls_ns += cost->poll_ns;
		counts->skips_ns += cost->skip_ns;
	} else if (event->type == EVENT_WAKE) {
		counts->wakes_ns += cost->signal_ns;
	} else if (event_is_signal(event)) {
		counts->others_ns += cost->signal_ns;
	}
}

/* Counts an event, and collects what has to be named. */
static int event_note(struct intake *in, const void *bytes, struct event *event)
{
	int err = 0;

	in->counts.events++;
	cost_count(&in->counts, event, targets_source_cost(in->options.targets, event->source));
	if (targets_names_kinds(in->options.targets, event->source))
		err = kind_set_add(in->kinds, event->source, kind_of(event));
	if (!err && event->type == EVENT_OFFCPU)
		err = offcpu_take(in, bytes, event);
	else if (!err && (event->type == EVENT_SAMPLE || event->type == EVENT_AWAIT))
		err = sample_take(in, event);
	return err;
}

static int event_take(struct intake *in, size_t ring, const void *bytes, struct event *event)
{
	int err;

	if (is_of_thread(event))
		event->source = EVENT_NO_SOURCE;
	/* The image is gone: its probes fire only until they are taken off. */
	if (event->source != EVENT_NO_SOURCE &&
	    event->time > targets_source_end(in->options.targets, event->source)) {
		in->unusable++;
		return 0;
	}
	time_fit(in, event);
	err = event_note(in, bytes, event);
	return err ? err : order_add(in->order, ring, event);
}

static int exec_take(struct intake *in, const struct decode_exec *exec)
{
	int err = targets_exec(in->options.targets, exec->process, exec->time);

	return err ? err : targets_tell(in->options.targets, &in->sink, exec->time);
}

static struct intake *intake_of(struct rings_reader *reader)
{
	return (struct intake *)((char *)reader - offsetof(struct intake, reader));
}

static int record_take(struct rings_reader *reader, size_t ring, const void *bytes, size_t size)
{
	struct intake *in = intake_of(reader);
	struct decoded decoded;
	int kind = decode_record(bytes, size, &in->decode, &decoded);

	if (kind == DECODED_EXEC)
		return exec_take(in, &decoded.exec);
	if (kind < 0) {
		in->unusable++;
		return 0;
	}
	return event_take(in, ring, bytes, &decoded.event);
}

static void ring_drained(struct rings_reader *reader, size_t ring, uint64_t clock_before)
{
	order_drained(intake_of(reader)->order, ring, clock_before);
}

static int own_take(struct event_sink *sink, const struct event *event)
{
	struct intake *in = (struct intake *)((char *)sink - offsetof(struct intake, sink));

	return order_add(in->order, in->own_ring, event);
}

static void kernel_learn(struct intake *in)
{
	struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX];
	int n = kallsyms_fault_ranges(in->options.kallsyms, ranges);

	for (int i = 0; i < n; i++)
		in->fault[i] = (struct address_range){ranges[i].start, ranges[i].end};
	in->decode.fault = in->fault;
	in->decode.nfault = n > 0 ? n : 0;
	if (kallsyms_range(in->options.kallsyms, "__schedule", &in->schedule))
		memset(&in->schedule, 0, sizeof(in->schedule));
}

int intake_new(struct intake **out, const struct intake_options *options)
{
	struct intake *in = calloc(1, sizeof(*in));
	const int *fds;
	int err = -ENOMEM;

	*out = NULL;
	if (!in)
		return -ENOMEM;
	in->options = *options;
	in->reader = (struct rings_reader){.record = record_take, .drained = ring_drained};
	in->sink.take = own_take;
	restart_init(&in->restart, options->sink);
	in->end = UINT64_MAX;
	fds = tracer_rings(options->tracer, &in->own_ring);
	in->order = order_new(in->own_ring + 1);
	in->addresses = addresses_new();
	in->kinds = kind_set_new();
	in->paths = paths_new();
	if (in->order && in->addresses && in->kinds && in->paths)
		err = rings_new(fds, in->own_ring, &in->reader, &in->rings);
	if (err) {
		intake_free(in);
		return err;
	}
	kernel_learn(in);
	*out = in;
	return 0;
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	rings_free(in->rings);
	order_free(in->order);
	addresses_free(in->addresses);
	kind_set_free(in->kinds);
	paths_free(in->paths);
	free(in);
}

void intake_start(struct intake *in, uint64_t time)
{
	in->start = time;
	in->lost_checked = time;
}

void intake_end(struct intake *in, uint64_t time)
{
	in->end = time;
}

/* Makes events of what was lost since the last look. */
static int losses_take(struct intake *in)
{
	uint64_t lost[WIRE_TYPES], now = clock_monotonic_ns();

	tracer_lost(in->options.tracer, lost);
	lost[0] += in->unusable;
	if (now > in->end)
		now = in->end;
	for (size_t i = 0; i < WIRE_TYPES; i++) {
		struct event event = {
			.time = now,
			.source = EVENT_NO_SOURCE,
			.type = EVENT_LOST,
			.lost =
				{
					.type = decode_event_type(i),
					.count = lost[i] - in->lost[i],
					.since = in->lost_checked,
				},
		};
		int err;

		if (lost[i] <= in->lost[i])
			continue;
		in->counts.lost += lost[i] - in->lost[i];
		in->lost[i] = lost[i];
		err = own_take(&in->sink, &event);
		if (err)
			return err;
	}
	in->lost_checked = now;
	if (addresses_left_out(in->addresses) && !in->crowded) {
		in->crowded = true;
		targets_notice(in->options.targets, "the stacks have more than a million different "
						    "addresses: the others will have no name");
	}
	return 0;
}

int64_t intake_run(struct intake *in)
{
	uint64_t before = clock_monotonic_ns();
	int64_t records = rings_drain(in->rings);
	int err;

	if (records < 0)
		return records;
	err = losses_take(in);
	if (err)
		return err;
	order_drained(in->order, in->own_ring, before);
	err = order_flush(in->order, &in->restart.sink, SLACK_NS);
	return err ? err : records;
}

int intake_finish(struct intake *in)
{
	int64_t records = rings_drain(in->rings);
	int err;

	if (records < 0)
		return records;
	err = losses_take(in);
	return err ? err : order_finish(in->order, &in->restart.sink);
}

struct event_sink *intake_sink(struct intake *in)
{
	return &in->sink;
}

void intake_counts(const struct intake *in, struct intake_counts *counts)
{
	*counts = in->counts;
}

const struct addresses *intake_addresses(const struct intake *in)
{
	return in->addresses;
}

struct kind_set *intake_kinds(struct intake *in)
{
	return in->kinds;
}
