// SPDX-License-Identifier: MIT
#include "events/schema.h"

#include <string.h>

/* clang-format off: a table, one field a line. */
#define FIELD(member, how)                                                                         \
	{                                                                                          \
#member, offsetof(struct event, member), sizeof(((struct event *)0)->member), how  \
	}

#define COMMON                                                                                     \
	FIELD(time, FIELD_TIME), FIELD(tid, FIELD_TID), FIELD(source, FIELD_DELTA),                \
		FIELD(flags, FIELD_DELTA)

#define COUNT_FIELDS(...) (sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field))
#define EVENT(name, ...)                                                                           \
	{                                                                                          \
		name, COUNT_FIELDS(COMMON, __VA_ARGS__),                                           \
		{                                                                                  \
			COMMON, __VA_ARGS__                                                        \
		}                                                                                  \
	}

#define WORKER_FIELDS                                                                              \
	FIELD(worker.index, FIELD_WORKER), FIELD(worker.workers, FIELD_DELTA),                     \
		FIELD(worker.runtime, FIELD_DELTA)
#define BLOCKING_FIELDS                                                                            \
	FIELD(blocking.job, FIELD_DELTA), FIELD(blocking.kind, FIELD_DELTA),                       \
		FIELD(blocking.depth, FIELD_DELTA), FIELD(blocking.threads, FIELD_DELTA),          \
		FIELD(blocking.max_threads, FIELD_DELTA)
#define BLOCK_ON_FIELDS FIELD(block_on.task, FIELD_TASK), FIELD(block_on.kind, FIELD_KIND)

static const struct schema schemas[EVENT_TYPES] = {
	[EVENT_CAPTURE_START] = EVENT("capture_start", FIELD(capture_start.unix_ns, FIELD_DELTA),
				      FIELD(capture_start.sample_period_ns, FIELD_DELTA),
				      FIELD(capture_start.ncpus, FIELD_DELTA),
				      FIELD(capture_start.kernel, FIELD_TEXT),
				      FIELD(capture_start.arch, FIELD_TEXT),
				      FIELD(capture_start.tool_version, FIELD_TEXT),
				      FIELD(capture_start.command_line, FIELD_TEXT)),
	[EVENT_CAPTURE_END] = EVENT("capture_end", FIELD(capture_end.reason, FIELD_DELTA)),
	[EVENT_PROCESS] =
		EVENT("process", FIELD(process.process, FIELD_DELTA),
		      FIELD(process.pid, FIELD_DELTA), FIELD(process.generation, FIELD_DELTA),
		      FIELD(process.launched, FIELD_DELTA), FIELD(process.comm, FIELD_TEXT),
		      FIELD(process.exe, FIELD_TEXT), FIELD(process.command_line, FIELD_TEXT)),
	[EVENT_SOURCE] =
		EVENT("source", FIELD(source_info.source, FIELD_DELTA),
		      FIELD(source_info.process, FIELD_DELTA),
		      FIELD(source_info.capabilities, FIELD_DELTA),
		      FIELD(source_info.runtime, FIELD_TEXT),
		      FIELD(source_info.version, FIELD_TEXT), FIELD(source_info.path, FIELD_TEXT)),
	[EVENT_MODULE] = EVENT("module", FIELD(module.process, FIELD_DELTA),
			       FIELD(module.start, FIELD_DELTA), FIELD(module.end, FIELD_AFTER),
			       FIELD(module.file_offset, FIELD_DELTA),
			       FIELD(module.path, FIELD_TEXT), FIELD(module.build_id, FIELD_TEXT)),
	[EVENT_KIND] = EVENT("kind", FIELD(kind.kind, FIELD_DELTA), FIELD(kind.line, FIELD_DELTA),
			     FIELD(kind.unreadable, FIELD_FLAG), FIELD(kind.type, FIELD_TEXT),
			     FIELD(kind.file, FIELD_TEXT), FIELD(kind.full, FIELD_LATER_TEXT)),
	[EVENT_THREAD] = EVENT("thread", FIELD(thread.process, FIELD_DELTA),
			       FIELD(thread.pid, FIELD_DELTA), FIELD(thread.comm, FIELD_TEXT)),
	[EVENT_THREAD_TOTALS] = EVENT("thread_totals", FIELD(thread_totals.process, FIELD_DELTA),
				      FIELD(thread_totals.exited, FIELD_FLAG),
				      FIELD(thread_totals.since, FIELD_AGE),
				      FIELD(thread_totals.blocked_ns, FIELD_DELTA),
				      FIELD(thread_totals.runqueue_ns, FIELD_DELTA)),
	[EVENT_PROCESS_EXIT] = EVENT("process_exit", FIELD(process_exit.process, FIELD_DELTA),
				     FIELD(process_exit.wait_status, FIELD_DELTA)),
	[EVENT_PATH] = EVENT("path", FIELD(path.dev, FIELD_DELTA), FIELD(path.ino, FIELD_DELTA),
			     FIELD(path.path, FIELD_TEXT)),
	[EVENT_SYMBOL] = EVENT(
		"symbol", FIELD(symbol.process, FIELD_DELTA), FIELD(symbol.address, FIELD_DELTA),
		FIELD(symbol.is_return, FIELD_FLAG), FIELD(symbol.frames, FIELD_SYMBOL)),
	[EVENT_LOST] = EVENT("lost", FIELD(lost.type, FIELD_DELTA), FIELD(lost.count, FIELD_DELTA),
			     FIELD(lost.since, FIELD_AGE)),
	[EVENT_OVERHEAD] =
		EVENT("overhead", FIELD(overhead.poll_ns, FIELD_DELTA),
		      FIELD(overhead.signal_ns, FIELD_DELTA), FIELD(overhead.skip_ns, FIELD_DELTA),
		      FIELD(overhead.await_ns, FIELD_DELTA)),
	[EVENT_POLL] =
		EVENT("poll", FIELD(poll.task, FIELD_CURRENT), FIELD(poll.kind, FIELD_KIND),
		      FIELD(poll.start, FIELD_START), FIELD(poll.blocked_ns, FIELD_BLOCKED),
		      FIELD(poll.runqueue_ns, FIELD_RUNQUEUE), FIELD(poll.local_depth, FIELD_DEPTH),
		      FIELD(poll.inject_depth, FIELD_DELTA), FIELD(poll.depth, FIELD_DELTA)),
	[EVENT_OFFCPU] =
		EVENT("offcpu", FIELD(offcpu.task, FIELD_CURRENT), FIELD(offcpu.kind, FIELD_KIND),
		      FIELD(offcpu.wake, FIELD_AGE), FIELD(offcpu.out, FIELD_AFTER),
		      FIELD(offcpu.stack, FIELD_STACK), FIELD(offcpu.cause, FIELD_DELTA),
		      FIELD(offcpu.waker, FIELD_DELTA), FIELD(offcpu.waker_source, FIELD_DELTA),
		      FIELD(offcpu.waker_tid, FIELD_DELTA), FIELD(offcpu.waker_task, FIELD_TASK),
		      FIELD(offcpu.syscall, FIELD_DELTA), FIELD(offcpu.file_dev, FIELD_DELTA),
		      FIELD(offcpu.file_ino, FIELD_DELTA), FIELD(offcpu.file_mode, FIELD_DELTA),
		      FIELD(offcpu.file_name, FIELD_TEXT)),
	[EVENT_SAMPLE] = EVENT("sample", FIELD(sample.task, FIELD_CURRENT),
			       FIELD(sample.kind, FIELD_KIND), FIELD(sample.stack, FIELD_STACK)),
	[EVENT_SPAWN] = EVENT("spawn", FIELD(spawn.parent, FIELD_CURRENT),
			      FIELD(spawn.task, FIELD_TASK), FIELD(spawn.kind, FIELD_KIND)),
	[EVENT_WAKE] =
		EVENT("wake", FIELD(wake.waker_task, FIELD_CURRENT), FIELD(wake.task, FIELD_TASK)),
	[EVENT_ABORT] = EVENT("abort", FIELD(abort.task, FIELD_TASK)),
	[EVENT_TERMINATE] =
		EVENT("terminate", FIELD(terminate.task, FIELD_CURRENT),
		      FIELD(terminate.cancelled, FIELD_DELTA), FIELD(terminate.kind, FIELD_DELTA)),
	[EVENT_WORKER_START] = EVENT("worker_start", WORKER_FIELDS),
	[EVENT_WORKER_STOP] = EVENT("worker_stop", WORKER_FIELDS),
	[EVENT_PARK] = EVENT("park", WORKER_FIELDS),
	[EVENT_UNPARK] = EVENT("unpark", WORKER_FIELDS),
	[EVENT_BLOCKING_QUEUE] = EVENT("blocking_queue", BLOCKING_FIELDS),
	[EVENT_BLOCKING_START] = EVENT("blocking_start", BLOCKING_FIELDS),
	[EVENT_BLOCKING_END] = EVENT("blocking_end", BLOCKING_FIELDS),
	[EVENT_BLOCK_ON_ENTER] = EVENT("block_on_enter", BLOCK_ON_FIELDS),
	[EVENT_BLOCK_ON_EXIT] = EVENT("block_on_exit", BLOCK_ON_FIELDS),
	[EVENT_SAMPLING] = EVENT("sampling", FIELD(sampling.one_in, FIELD_DELTA)),
	[EVENT_SKIPPED] = EVENT("skipped", FIELD(skipped.kind, FIELD_DELTA),
				FIELD(skipped.polls, FIELD_DELTA)),
	[EVENT_AWAIT] = EVENT("await", FIELD(sample.task, FIELD_DELTA),
			      FIELD(sample.kind, FIELD_DELTA), FIELD(sample.stack, FIELD_STACK)),
	[EVENT_CPU_QUOTA] = EVENT(
		"cpu_quota", FIELD(cpu_quota.process, FIELD_DELTA),
		FIELD(cpu_quota.quota_ns, FIELD_DELTA), FIELD(cpu_quota.period_ns, FIELD_DELTA),
		FIELD(cpu_quota.periods, FIELD_DELTA), FIELD(cpu_quota.throttled, FIELD_DELTA),
		FIELD(cpu_quota.throttled_ns, FIELD_DELTA), FIELD(cpu_quota.cgroup, FIELD_TEXT)),
};
/* clang-format on */

const struct schema *schema_of(uint8_t event_type)
{
	return event_type < EVENT_TYPES && schemas[event_type].name ? &schemas[event_type] : NULL;
}

/* Whether events of a type hold pointers: the frequent ones do not. */
static bool has_pointers(uint8_t type)
{
	return type < EVENT_POLL || type == EVENT_OFFCPU || type == EVENT_SAMPLE ||
	       type == EVENT_AWAIT || type == EVENT_CPU_QUOTA;
}

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static size_t stack_size(const struct event_stack *stack)
{
	return ((size_t)stack->nkernel + stack->nuser) * sizeof(*stack->frames);
}

static size_t symbol_size(const struct event_symbol *symbol)
{
	size_t size = symbol->nframes * sizeof(*symbol->frames);

	for (uint32_t i = 0; i < symbol->nframes; i++)
		size += strlen(symbol->frames[i].function) + strlen(symbol->frames[i].file) + 2;
	return size;
}

static bool is_text(const struct field *field)
{
	return field->coding == FIELD_TEXT || field->coding == FIELD_LATER_TEXT;
}

size_t schema_extra_size(const struct event *event)
{
	const struct schema *schema = schema_of(event->type);
	size_t size = 0;

	if (!schema || !has_pointers(event->type))
		return 0;
	for (unsigned int i = SCHEMA_COMMON_FIELDS; i < schema->nfields; i++) {
		const char *at = (const char *)event + schema->fields[i].offset;

		if (is_text(&schema->fields[i]))
			size += strlen(*(const char *const *)at) + 1;
		else if (schema->fields[i].coding == FIELD_STACK)
			size += stack_size((const struct event_stack *)at);
		else if (schema->fields[i].coding == FIELD_SYMBOL)
			size += symbol_size(&event->symbol);
	}
	return round_up(size);
}

static char *copy_bytes(char *extra, const void *from, size_t size)
{
	if (size)
		memcpy(extra, from, size);
	return extra + size;
}

static char *copy_text(const char **to, char *extra, const char *from)
{
	*to = extra;
	return copy_bytes(extra, from, strlen(from) + 1);
}

static char *copy_symbol(struct event_symbol *to, char *extra, const struct event_symbol *from)
{
	struct event_frame *frames = (struct event_frame *)extra;

	extra = copy_bytes(extra, from->frames, from->nframes * sizeof(*frames));
	for (uint32_t i = 0; i < from->nframes; i++) {
		extra = copy_text(&frames[i].function, extra, from->frames[i].function);
		extra = copy_text(&frames[i].file, extra, from->frames[i].file);
	}
	to->frames = frames;
	return extra;
}

/* What wants alignment goes first: frames before text. */
void schema_copy(struct event *to, void *extra, const struct event *event)
{
	const struct schema *schema = schema_of(event->type);
	char *next = extra;

	*to = *event;
	if (!schema || !has_pointers(event->type))
		return;
	for (unsigned int i = SCHEMA_COMMON_FIELDS; i < schema->nfields; i++) {
		const char *from = (const char *)event + schema->fields[i].offset;
		struct event_stack *stack = (void *)((char *)to + schema->fields[i].offset);

		if (schema->fields[i].coding == FIELD_STACK) {
			stack->frames = (const uint64_t *)next;
			next = copy_bytes(next, ((const struct event_stack *)from)->frames,
					  stack_size(stack));
		} else if (schema->fields[i].coding == FIELD_SYMBOL) {
			next = copy_symbol(&to->symbol, next, &event->symbol);
		}
	}
	for (unsigned int i = SCHEMA_COMMON_FIELDS; i < schema->nfields; i++) {
		size_t offset = schema->fields[i].offset;

		if (is_text(&schema->fields[i]))
			next = copy_text((const char **)((char *)to + offset), next,
					 *(const char *const *)((const char *)event + offset));
	}
}
