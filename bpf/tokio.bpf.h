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
#define TASK_REFERENCES 6 /* shift */
/* More than that are none, but an address: each stream or timer that a task awaits can hold a reference. */
#define TASK_REFERENCES_MAX (1 << 20)
/* The same where addresses are of 32 bits: in a program at a fixed low address the heap is right behind. */
#define TASK_REFERENCES_MAX_LOW (1 << 15)

/* Bytes read at once: no task is smaller than that, and nearly all have their id in there. */
#define TASK_BYTES 64

struct task {
	u64 words[TASK_BYTES / 8]; /* its first; the very first is its state */
	u64 header;
	u64 vtable;
	u64 id;    /* from here on: by task_identify() */
	u16 id_at; /* where it was read, as task_header.id; HEADER_NONE: there is none */
};

/* The thread is using the task: that it is paged out is rare. */
static __always_inline long user_read(void *to, u32 size, u64 address)
{
	if (!bpf_probe_read_user(to, size, (void *)address))
		return 0;
	return bpf_copy_from_user(to, size, (void *)address);
}

/* The word at an offset in the task. */
static __always_inline long task_word(const struct task *task, u16 at, u64 *value)
{
	if (at <= TASK_BYTES - 8 && !(at % 8)) {
		*value = task->words[at / 8 % (TASK_BYTES / 8)];
		return 0;
	}
	return user_read(value, sizeof(*value), task->header + at);
}

/* Reads what all tasks have at one place. Not 0: it cannot be read. */
static __always_inline long task_read(struct task *task, u64 header, u16 vtable_at)
{
	task->header = header;
	if (user_read(task->words, sizeof(task->words), header))
		return -1;
	return task_word(task, vtable_at, &task->vtable);
}

static __always_inline bool task_is(const struct task *task, u64 flags)
{
	return task->words[0] & flags;
}

/* Where the vtable says that the id is. */
static __always_inline long task_id_at(struct task *task, u16 vtable_id)
{
	u64 at;

	if (user_read(&at, sizeof(at), task->vtable + vtable_id) || at >= HEADER_NONE)
		return -1;
	task->id_at = at;
	return 0;
}

/* Finds the id, by where->id or else by the vtable. Tasks without one are known by their address. */
static __always_inline long task_identify(struct task *task, const struct task_header *where)
{
	task->id_at = where->id;
	if (where->id == HEADER_NONE && where->vtable_id != HEADER_NONE &&
	    task_id_at(task, where->vtable_id))
		return -1;
	task->id = task->header;
	return task->id_at == HEADER_NONE ? 0 : task_word(task, task->id_at, &task->id);
}

enum task_end {
	TASK_LIVES,
	TASK_COMPLETED,
	TASK_WAS_CANCELLED,
};

/*
 * An allocator writes the address of another over the first word of what is freed; glibc mixes it with the
 * freed one's page, and without another there is only that (safe-linking, PROTECT_PTR).
 */
static __always_inline bool task_is_freed(const struct task *task)
{
	u64 references = task->words[0] >> TASK_REFERENCES;
	u64 max = task->header >> 32 ? TASK_REFERENCES_MAX : TASK_REFERENCES_MAX_LOW;

	return !references || references > max || task->words[0] == task->header >> 12;
}

/* Whether a task that has just been polled is over; as completed where its memory is no longer its own. */
static __always_inline enum task_end task_ended(const struct open_poll *poll)
{
	const struct task_header where = {.id = poll->id, .vtable_id = HEADER_NONE};
	struct task task;

	if (task_read(&task, poll->header, poll->vtable) || task_identify(&task, &where))
		return TASK_COMPLETED;
	if (task_is_freed(&task) || task.vtable != poll->kind || task.id != poll->task)
		return TASK_COMPLETED;
	if (!task_is(&task, TASK_COMPLETE))
		return TASK_LIVES;
	return task_is(&task, TASK_CANCELLED) ? TASK_WAS_CANCELLED : TASK_COMPLETED;
}

#endif
