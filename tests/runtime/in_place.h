/* SPDX-License-Identifier: MIT */
/* A task that calls a function in place, and what waits for it. */
#ifndef TESTS_RUNTIME_IN_PLACE_H
#define TESTS_RUNTIME_IN_PLACE_H

#include <sys/syscall.h>

#include "helper.h"

static inline struct pollrt_metrics metrics_of(const struct pollrt_runtime *rt)
{
	struct pollrt_metrics m;

	pollrt_metrics(rt, &m);
	return m;
}

static inline pid_t thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline void await_flag(const _Atomic bool *flag)
{
	uint64_t end = pollrt_now_ns() + POLLRT_SEC(60);

	while (!*flag && pollrt_now_ns() < end)
		usleep(100);
	assert_true(*flag);
}

static inline void thread_name(char name[16])
{
	assert_int_equal(pthread_getname_np(pthread_self(), name, 16), 0);
}

/* What is called in place: says that it is there, and waits. */
struct call {
	_Atomic bool *in;
	const _Atomic bool *go;
	unsigned int calls;
	pid_t tid;
	char name[16];
};

static inline void call(struct call *self)
{
	self->calls++;
	self->tid = thread_id();
	thread_name(self->name);
	if (self->in)
		*self->in = true;
	if (self->go)
		await_flag(self->go);
}

/* A task that does. */
struct caller {
	struct pollrt_async async;
	struct call call;
	pid_t before, after, later;
	char name_after[16];
	int status;
	bool yields;
};

static POLLRT_ASYNC(caller)
{
	POLLRT_BEGIN();
	self->before = thread_id();
	self->status = pollrt_block_in_place(call, &self->call);
	self->after = thread_id();
	thread_name(self->name_after);
	if (self->yields)
		POLLRT_YIELD();
	self->later = thread_id();
	POLLRT_END();
}

struct setter {
	struct pollrt_async async;
	_Atomic bool *flag;
};

static POLLRT_ASYNC(setter)
{
	POLLRT_BEGIN();
	*self->flag = true;
	POLLRT_END();
}

/* Awaits a task, and takes over its state. */
struct joined {
	struct pollrt_async async;
	struct pollrt_join *join;
};

static POLLRT_ASYNC(joined)
{
	POLLRT_BEGIN();
	POLLRT_AWAIT(pollrt_join(self->join, cx));
	POLLRT_END();
}

static inline int await_join(struct pollrt_runtime *rt, struct pollrt_join *handle)
{
	return pollrt_block_on(rt, joined, &(struct joined){.join = handle});
}

static inline struct caller ended(struct pollrt_runtime *rt, struct pollrt_join *handle)
{
	struct caller state;

	assert_int_equal(await_join(rt, handle), 0);
	assert_int_equal(handle->status, 0);
	state = *(struct caller *)pollrt_join_state(handle);
	pollrt_join_detach(handle);
	return state;
}

/* Spawns before it blocks: its own queue and LIFO slot are handed over. */
struct family {
	struct pollrt_async async;
	_Atomic bool flags[3];
};

static inline void await_flags(struct family *family)
{
	for (unsigned int i = 0; i < 3; i++)
		await_flag(&family->flags[i]);
}

static POLLRT_ASYNC(family)
{
	POLLRT_BEGIN();
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pollrt_spawn(NULL, NULL, setter, .flag = &self->flags[i]), 0);
	assert_int_equal(pollrt_block_in_place(await_flags, self), 0);
	POLLRT_END();
}

#endif
