/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tasks of an unmodified Tokio, as their memory shows them.
 *
 * All functions that are probed take the task's header as their first argument. It holds the task's state
 * (a word of flags and a reference count), the address of the vtable that all tasks of one type share,
 * and, further on, the task's id. Where they are differs between versions: the site says it.
 *
 * A task that has ended is freed at once where nobody holds it: what is read of one after its poll can be
 * anything.
 */
#ifndef POLLSCOPE_TOKIO_BPF_H
#define POLLSCOPE_TOKIO_BPF_H

#include "signal.bpf.h"

/* tokio::runtime::task::state, the same from 1.13 to 1.53 */
#define TASK_RUNNING 0x01
#define TASK_COMPLETE 0x02
#define TASK_NOTIFIED 0x04
#define TASK_CANCELLED 0x20
#define TASK_REFERENCES 6             /* shift */
#define TASK_REFERENCES_MAX (1 << 20) /* more than that are none */

/* Bytes read at once: no task is smaller than that, and nearly all have their id in there. */
#define TASK_BYTES 64

struct task {
	u64 header;
	u64 state;
	u64 vtable;
	u64 id;
	u16 id_at; /* where its id was read, as task_header.id; HEADER_NONE: it has none */
};

/* The thread is using the task: that it is paged out is rare. */
static __always_inline long user_read(void *to, u32 size, u64 address)
{
	if (!bpf_probe_read_user(to, size, (void *)address))
		return 0;
	return bpf_copy_from_user(to, size, (void *)address);
}

/* The word at an offset in the task, of which the first bytes are there already. */
static __always_inline long task_word(const u64 *words, u64 header, u16 at, u64 *value)
{
	if (at <= TASK_BYTES - 8 && !(at % 8)) {
		*value = words[at / 8 % (TASK_BYTES / 8)];
		return 0;
	}
	return user_read(value, sizeof(*value), header + at);
}

/* Where the id is, by the vtable. */
static __always_inline long task_id_at(const struct task_header *where, u64 vtable, u16 *at)
{
	u64 offset;

	*at = where->id;
	if (where->id != HEADER_NONE || where->vtable_id == HEADER_NONE)
		return 0;
	if (user_read(&offset, sizeof(offset), vtable + where->vtable_id) || offset >= HEADER_NONE)
		return -1;
	*at = offset;
	return 0;
}

/* Reads the task whose header is the probed function's first argument. Not 0: it cannot be read. */
static __always_inline long task_read(struct task *task, u64 header,
				      const struct task_header *where)
{
	u64 words[TASK_BYTES / 8];

	if (user_read(words, sizeof(words), header))
		return -1;
	task->header = header;
	task->state = words[0];
	if (task_word(words, header, where->vtable, &task->vtable) ||
	    task_id_at(where, task->vtable, &task->id_at))
		return -1;
	task->id = header;
	if (task->id_at == HEADER_NONE)
		return 0;
	return task_word(words, header, task->id_at, &task->id);
}

enum task_end {
	TASK_LIVES,
	TASK_COMPLETED,
	TASK_WAS_CANCELLED,
};

/* Whether a task that has just been polled is over; as completed where its memory is no longer its own. */
static __always_inline enum task_end task_ended(const struct open_poll *poll)
{
	const struct task_header where = {.vtable = poll->vtable, .id = poll->id};
	struct task task;
	u64 references;

	if (task_read(&task, poll->header, &where))
		return TASK_COMPLETED;
	references = task.state >> TASK_REFERENCES;
	if (!references || references > TASK_REFERENCES_MAX || task.vtable != poll->kind ||
	    task.id != poll->task)
		return TASK_COMPLETED;
	if (!(task.state & TASK_COMPLETE))
		return TASK_LIVES;
	return task.state & TASK_CANCELLED ? TASK_WAS_CANCELLED : TASK_COMPLETED;
}

#endif
