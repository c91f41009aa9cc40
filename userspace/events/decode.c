// SPDX-License-Identifier: MIT
#include "events/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bpf/unwind.h"
#include "core/stack_end.h"
#include "util/utf8.h"

static const uint8_t event_types[WIRE_TYPES] = {
	[WIRE_POLL] = EVENT_POLL,
	[WIRE_OFFCPU] = EVENT_OFFCPU,
	[WIRE_SAMPLE] = EVENT_SAMPLE,
	[WIRE_KIND] = EVENT_KIND,
	[WIRE_THREAD] = EVENT_THREAD,
	[WIRE_THREAD_TOTALS] = EVENT_THREAD_TOTALS,
	[WIRE_POLL_SHORT] = EVENT_POLL,
	[WIRE_AWAIT] = EVENT_AWAIT,
	[WIRE_SPAWN] = EVENT_SPAWN,
	[WIRE_WAKE] = EVENT_WAKE,
	[WIRE_ABORT] = EVENT_ABORT,
	[WIRE_TERMINATE] = EVENT_TERMINATE,
	[WIRE_WORKER_START] = EVENT_WORKER_START,
	[WIRE_WORKER_STOP] = EVENT_WORKER_STOP,
	[WIRE_PARK] = EVENT_PARK,
	[WIRE_UNPARK] = EVENT_UNPARK,
	[WIRE_BLOCKING_QUEUE] = EVENT_BLOCKING_QUEUE,
	[WIRE_BLOCKING_START] = EVENT_BLOCKING_START,
	[WIRE_BLOCKING_END] = EVENT_BLOCKING_END,
	[WIRE_BLOCK_ON_ENTER] = EVENT_BLOCK_ON_ENTER,
	[WIRE_BLOCK_ON_EXIT] = EVENT_BLOCK_ON_EXIT,
};

uint8_t decode_event_type(uint8_t wire_type)
{
	return wire_type < WIRE_TYPES ? event_types[wire_type] : 0;
}

static int decode_poll(const struct wire_poll *wire, struct event *event)
{
	struct event_poll *poll = &event->poll;
	uint64_t length = wire->h.time - wire->start;

	if (wire->start > wire->h.time)
		return -EBADMSG;
	event->flags = (wire->h.flags & WIRE_POLL_READY ? EVENT_READY : 0) |
		       (wire->h.flags & WIRE_POLL_CLIPPED ? EVENT_CLIPPED : 0) |
		       (wire->h.flags & WIRE_POLL_IN_PROGRESS ? EVENT_IN_PROGRESS : 0) |
		       (wire->h.flags & WIRE_POLL_SWITCH_LOST ? EVENT_UNCERTAIN : 0);
	poll->task = wire->task;
	poll->kind = wire->kind;
	poll->start = wire->start;
	poll->blocked_ns = wire->blocked_ns;
	poll->runqueue_ns = wire->runqueue_ns;
	/* The identity of a poll's times holds even where a switch was accounted twice. */
	if (poll->blocked_ns > length) {
		poll->blocked_ns = length;
		event->flags |= EVENT_UNCERTAIN;
	}
	if (poll->runqueue_ns > length - poll->blocked_ns) {
		poll->runqueue_ns = length - poll->blocked_ns;
		event->flags |= EVENT_UNCERTAIN;
	}
	poll->local_depth = wire->local_depth;
	poll->inject_depth = wire->inject_depth;
	poll->depth = wire->h.flags >> WIRE_POLL_DEPTH_SHIFT;
	return 0;
}

static uint32_t short_depth(uint16_t depth)
{
	return depth == WIRE_SHORT_NO_DEPTH ? EVENT_NO_DEPTH : depth;
}

static int decode_poll_short(const struct wire_poll_short *wire, struct event *event)
{
	const struct wire_poll poll = {
		.h = wire->h,
		.task = wire->task,
		.kind = wire->kind,
		.start = wire->h.time - wire->length_ns,
		.local_depth = short_depth(wire->local_depth),
		.inject_depth = short_depth(wire->inject_depth),
	};

	return decode_poll(&poll, event);
}

_Static_assert((int)STACK_WHOLE == UNWIND_END_OUTERMOST && (int)STACK_FULL == UNWIND_END_FULL &&
		       (int)STACK_UNKNOWN_CODE == UNWIND_END_NO_MODULE &&
		       (int)STACK_NO_RULE == UNWIND_END_NO_RULE &&
		       (int)STACK_RULE_BEYOND == UNWIND_END_RULE &&
		       (int)STACK_UNREADABLE == UNWIND_END_READ &&
		       (int)STACK_BACKWARDS == UNWIND_END_BACKWARDS &&
		       (int)STACK_NO_TABLE == UNWIND_END_NO_TABLE &&
		       (int)STACK_ENDS == UNWIND_ENDS && STACK_MARK == WIRE_MARK(0),
	       "ends of stacks");

/* The frames that end a record of which `fixed` bytes come before them. */
static int decode_stack(const void *frames, uint8_t nkernel, uint8_t nuser, size_t fixed,
			size_t size, struct event_stack *stack)
{
	if (nkernel > WIRE_KERNEL_FRAMES || nuser > WIRE_USER_FRAMES ||
	    (size - fixed) / sizeof(uint64_t) < (size_t)nkernel + nuser)
		return -EBADMSG;
	stack->frames = frames;
	stack->nkernel = nkernel;
	stack->nuser = nuser;
	return 0;
}

static bool shows_fault(const struct event_stack *stack, const struct decode_context *context)
{
	for (uint16_t i = 0; i < stack->nkernel; i++) {
		for (size_t k = 0; k < context->nfault; k++) {
			if (stack->frames[i] >= context->fault[k].start &&
			    stack->frames[i] < context->fault[k].end)
				return true;
		}
	}
	return false;
}

static uint8_t offcpu_cause(const struct wire_offcpu *wire, const struct event_stack *stack,
			    const struct decode_context *context)
{
	switch (wire->reason) {
	case WIRE_OFF_PREEMPTED:
		return EVENT_CAUSE_RUNQUEUE;
	case WIRE_OFF_STOPPED:
		return EVENT_CAUSE_STOPPED;
	case WIRE_OFF_SYSCALL:
		return shows_fault(stack, context) ? EVENT_CAUSE_PAGE_FAULT : EVENT_CAUSE_SYSCALL;
	case WIRE_OFF_KERNEL:
		if (wire->h.flags & WIRE_OFFCPU_IOWAIT)
			return EVENT_CAUSE_PAGE_FAULT;
		return shows_fault(stack, context) ? EVENT_CAUSE_MEMORY : EVENT_CAUSE_OTHER;
	default:
		return 0;
	}
}

/* When it became runnable: within the interval, its end where that was not seen. */
static uint64_t offcpu_wake(const struct wire_offcpu *wire)
{
	if (wire->reason == WIRE_OFF_PREEMPTED)
		return wire->out;
	if (!wire->wake || wire->wake > wire->h.time)
		return wire->h.time;
	return wire->wake < wire->out ? wire->out : wire->wake;
}

static int decode_offcpu(const struct wire_offcpu *wire, size_t size,
			 const struct decode_context *context, struct decoded *out)
{
	struct event *event = &out->event;
	struct event_offcpu *off = &event->offcpu;

	if (decode_stack(wire->frames, wire->nkernel, wire->nuser,
			 offsetof(struct wire_offcpu, frames), size, &off->stack))
		return -EBADMSG;
	off->cause = offcpu_cause(wire, &off->stack, context);
	if (!off->cause || wire->waker > WIRE_WAKER_KERNEL || wire->out > wire->h.time)
		return -EBADMSG;
	event->flags = (wire->h.flags & WIRE_OFFCPU_UNSETTLED ? EVENT_UNSETTLED : 0) |
		       (wire->h.flags & WIRE_OFFCPU_IN_PROGRESS ? EVENT_IN_PROGRESS : 0) |
		       (wire->h.flags & WIRE_UNWOUND ? EVENT_UNWOUND : 0);
	off->task = wire->task;
	off->kind = wire->kind;
	off->out = wire->out;
	off->wake = offcpu_wake(wire);
	off->waker = wire->waker;
	off->waker_source = wire->waker_source;
	off->waker_tid = wire->waker_tid;
	off->waker_task = wire->waker_task;
	off->syscall = wire->syscall;
	off->file_dev = wire->file_dev;
	off->file_ino = wire->file_ino;
	off->file_mode = wire->file_mode;
	utf8_copy(out->text, wire->file_name, sizeof(wire->file_name));
	off->file_name = out->text;
	return 0;
}

static int decode_sample(const struct wire_sample *wire, size_t size, struct event *event)
{
	event->flags = wire->h.flags & WIRE_UNWOUND ? EVENT_UNWOUND : 0;
	event->sample.task = wire->task;
	event->sample.kind = wire->kind;
	return decode_stack(wire->frames, wire->nkernel, wire->nuser,
			    offsetof(struct wire_sample, frames), size, &event->sample.stack);
}

/* What a kind without a name is called: main.rs:42. The file's name is clean already. */
static void name_by_place(char *name, const char *file, uint32_t line)
{
	const char *slash = strrchr(file, '/');
	char place[WIRE_KIND_TYPE + 1];

	if (!*file)
		return;
	snprintf(place, sizeof(place), "%.80s:%u", slash ? slash + 1 : file, line);
	utf8_copy(name, place, WIRE_KIND_TYPE);
}

static int decode_kind(const struct wire_kind *wire, struct decoded *out)
{
	struct event_kind *kind = &out->event.kind;

	utf8_copy(out->text, wire->type, sizeof(wire->type));
	utf8_copy(out->more_text, wire->file, sizeof(wire->file));
	if (!out->text[0] && !wire->unreadable)
		name_by_place(out->text, out->more_text, wire->line);
	kind->kind = wire->kind;
	kind->line = wire->line;
	kind->unreadable = wire->unreadable;
	kind->type = out->text;
	kind->file = out->more_text;
	kind->full = "";
	return 0;
}

static int decode_thread(const struct wire_thread *wire, struct decoded *out)
{
	struct event_thread *thread = &out->event.thread;

	if (wire->process >= EVENT_NO_PROCESS)
		return -EBADMSG;
	utf8_copy(out->text, wire->comm, sizeof(wire->comm));
	thread->process = (uint16_t)wire->process;
	thread->pid = wire->pid;
	thread->comm = out->text;
	return 0;
}

static int decode_thread_totals(const struct wire_thread_totals *wire, struct event *event)
{
	struct event_thread_totals *totals = &event->thread_totals;

	if (wire->process >= EVENT_NO_PROCESS || wire->since > wire->h.time)
		return -EBADMSG;
	totals->process = (uint16_t)wire->process;
	totals->exited = wire->exited;
	totals->since = wire->since;
	totals->blocked_ns = wire->blocked_ns;
	totals->runqueue_ns = wire->runqueue_ns;
	return 0;
}

static int decode_exec(const struct wire_exec *wire, struct decode_exec *exec)
{
	if (wire->process >= EVENT_NO_PROCESS)
		return -EBADMSG;
	exec->time = wire->h.time;
	exec->tid = wire->h.tid;
	exec->pid = wire->pid;
	exec->process = (uint16_t)wire->process;
	return DECODED_EXEC;
}

/* What stands in 32 bits of the event: larger is not what the probe's contract says. */
static uint32_t narrow(uint64_t arg)
{
	return arg > UINT32_MAX ? UINT32_MAX : (uint32_t)arg;
}

/* Where 0 stands for what is not known. */
static uint64_t known(uint64_t arg)
{
	return arg == EVENT_UNKNOWN ? 0 : arg;
}

/*
 * Arguments that could not be read are ~0 already: EVENT_UNKNOWN, and cut to 32 bits
 * EVENT_NO_DEPTH.
 */
static int decode_signal(const struct wire_signal *wire, struct event *event)
{
	const __u64 *arg = wire->arg;

	switch (wire->h.type) {
	case WIRE_SPAWN:
		if (arg[3]) {
			event->spawn = (struct event_spawn){arg[0], arg[1], arg[2]};
		} else {
			/* Of a future that the thread drives itself */
			event->type = EVENT_BLOCK_ON_ENTER;
			event->block_on = (struct event_block_on){arg[0], arg[1]};
		}
		break;
	case WIRE_WAKE:
		event->wake = (struct event_wake){arg[0], wire->current_task};
		break;
	case WIRE_ABORT:
		event->abort = (struct event_abort){arg[0]};
		break;
	case WIRE_TERMINATE:
		event->terminate = (struct event_terminate){arg[0], arg[1] == 1, known(arg[2])};
		break;
	case WIRE_BLOCKING_QUEUE:
	case WIRE_BLOCKING_START:
	case WIRE_BLOCKING_END:
		event->blocking = (struct event_blocking){arg[0], arg[1], narrow(arg[2]),
							  narrow(arg[3]), narrow(arg[4])};
		break;
	case WIRE_BLOCK_ON_ENTER:
	case WIRE_BLOCK_ON_EXIT:
		event->block_on = (struct event_block_on){arg[0], arg[1]};
		break;
	default:
		event->flags = wire->current_task ? EVENT_INSIDE : 0;
		event->worker = (struct event_worker){
			.index = narrow(arg[0]), .runtime = arg[1], .workers = narrow(arg[2])};
	}
	return 0;
}

/* The least size of a record; 0: no such type. */
static size_t least_size(uint8_t type)
{
	static const size_t sizes[WIRE_SPAWN] = {
		[WIRE_POLL] = sizeof(struct wire_poll),
		[WIRE_OFFCPU] = offsetof(struct wire_offcpu, frames),
		[WIRE_SAMPLE] = offsetof(struct wire_sample, frames),
		[WIRE_KIND] = sizeof(struct wire_kind),
		[WIRE_THREAD] = sizeof(struct wire_thread),
		[WIRE_THREAD_TOTALS] = sizeof(struct wire_thread_totals),
		[WIRE_EXEC] = sizeof(struct wire_exec),
		[WIRE_POLL_SHORT] = sizeof(struct wire_poll_short),
		[WIRE_AWAIT] = offsetof(struct wire_sample, frames),
	};

	if (type == WIRE_WAKE || type == WIRE_ABORT)
		return offsetof(struct wire_signal, arg[1]);
	if (type >= WIRE_SPAWN)
		return type < WIRE_TYPES ? sizeof(struct wire_signal) : 0;
	return sizes[type];
}

int decode_record(const void *bytes, size_t size, const struct decode_context *context,
		  struct decoded *out)
{
	const struct wire_header *wire = bytes;
	struct event *event = &out->event;
	size_t least;

	if (size < sizeof(*wire) || (uintptr_t)bytes % _Alignof(struct wire_offcpu))
		return -EBADMSG;
	least = least_size(wire->type);
	if (!least || size < least)
		return -EBADMSG;
	event->time = wire->time;
	event->tid = wire->tid;
	event->source = wire->source;
	event->type = event_types[wire->type];
	event->flags = 0;
	switch (wire->type) {
	case WIRE_POLL:
		return decode_poll(bytes, event);
	case WIRE_POLL_SHORT:
		return decode_poll_short(bytes, event);
	case WIRE_OFFCPU:
		return decode_offcpu(bytes, size, context, out);
	case WIRE_SAMPLE:
	case WIRE_AWAIT:
		return decode_sample(bytes, size, event);
	case WIRE_KIND:
		return decode_kind(bytes, out);
	case WIRE_THREAD:
		return decode_thread(bytes, out);
	case WIRE_THREAD_TOTALS:
		return decode_thread_totals(bytes, event);
	case WIRE_EXEC:
		return decode_exec(bytes, &out->exec);
	default:
		return decode_signal(bytes, event);
	}
}
