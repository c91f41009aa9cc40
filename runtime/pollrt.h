/* SPDX-License-Identifier: MIT */
/*
 * pollrt: a small work-stealing async runtime.
 *
 * An async function NAME is a state struct and a poll function of the same name. The struct starts
 * with `struct pollrt_async async`; locals that must outlive an await, and the states of the
 * functions that it awaits, are its fields:
 *
 *	struct nap {
 *		struct pollrt_async async;
 *		uint64_t ns;
 *		struct pollrt_sleep sleep;
 *	};
 *
 *	static POLLRT_ASYNC(nap)
 *	{
 *		POLLRT_BEGIN();
 *		POLLRT_SLEEP(self->sleep, self->ns);
 *		POLLRT_END();
 *	}
 *
 *	struct hello {
 *		struct pollrt_async async;
 *		int i;
 *		struct nap nap;
 *	};
 *
 *	static POLLRT_ASYNC(hello)
 *	{
 *		POLLRT_BEGIN();
 *		for (self->i = 0; self->i < 3; self->i++)
 *			POLLRT_CALL(self->nap, nap, .ns = POLLRT_MS(10));
 *		puts("hello");
 *		POLLRT_END();
 *	}
 *
 *	struct main_task { struct pollrt_async async; struct pollrt_join join; };
 *
 *	static POLLRT_ASYNC(main_task)
 *	{
 *		POLLRT_BEGIN();
 *		pollrt_spawn(NULL, &self->join, hello);
 *		POLLRT_AWAIT(pollrt_join(&self->join, cx));
 *		POLLRT_END();
 *	}
 *
 *	int main(void)
 *	{
 *		struct main_task state = { 0 };
 *		struct pollrt_runtime *rt;
 *
 *		if (pollrt_runtime_create(&rt, NULL))
 *			return 1;
 *		pollrt_block_on(rt, main_task, &state);
 *		pollrt_runtime_destroy(rt);
 *		return 0;
 *	}
 *
 * A nested await is a nested C call, so the native stack inside a poll is the chain of awaits.
 * Plain variables of a poll function do not survive an await; fields do. Inside a poll function
 * `self` is its state and `cx` the context of this poll.
 *
 * A task's state is copied when it is spawned, so what it is initialised with cannot point into it;
 * from its first poll on it stays at one address. A function written by hand can be used as an async
 * function is, if it is `enum pollrt_poll NAME(struct NAME *, struct pollrt_cx *)`. A local variable
 * called NAME would hide it from the macros.
 *
 * Errors: functions return 0 or a negative errno, and errno itself means nothing; operations leave
 * theirs in a field or argument called `status`, or in place of a count. Want of memory is -ENOMEM
 * of what says so, and never ends the process.
 *
 * Threads: what takes `cx` is for a poll of that task, on the thread that polls it. The rest may be
 * called on any thread, of the runtime or not; one object by one thread at a time, unless it says
 * more. A task is polled by one thread at a time, but not always by the same: what it wrote in one
 * poll it finds in the next, but thread-local variables are others', and a pthread mutex must not
 * be held across an await. Its drop function and cleanups run on the thread that ends it: mostly a
 * worker, else the caller of pollrt_block_on() or pollrt_runtime_shutdown(). In a child process made
 * by fork() a runtime has no threads and must not be used.
 *
 * Channels and locks are in pollrt_sync.h, select, join sets and cancellation in pollrt_select.h,
 * I/O is in pollrt_io.h.
 */
#ifndef POLLRT_H
#define POLLRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* A linked program carries it in the ELF note ".note.pollrt", where a tracer finds it. */
#define POLLRT_VERSION "0.1.0"

struct pollrt_runtime;
struct pollrt_task;

/** What a poll function returns: not yet (it has arranged to be woken), or done. */
enum pollrt_poll {
	POLLRT_PENDING = 0,
	POLLRT_READY = 1,
};

/** What is run, and where it was spawned. Static: tracers read it at its address at any time. */
struct pollrt_kind {
	const char *type;
	const char *file;
	uint32_t line;
};

/** A release function that runs when the scope it is registered in ends: see pollrt_defer(). */
struct pollrt_cleanup {
	LIST_ENTRY(pollrt_cleanup) link;
	void (*run)(struct pollrt_cleanup *cleanup);
};
LIST_HEAD(pollrt_scope, pollrt_cleanup);

/** The @type that has its field @member at @pointer: a cleanup's function finds its state so. */
#define POLLRT_CONTAINER_OF(pointer, type, member)                                                 \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** The context of one poll: which task is polled, and where its cleanups go. */
struct pollrt_cx {
	struct pollrt_task *task;
	struct pollrt_scope *scope;
};

typedef enum pollrt_poll (*pollrt_poll_fn)(void *state, struct pollrt_cx *cx);
typedef void (*pollrt_drop_fn)(void *state);
typedef void (*pollrt_job_fn)(void *state);

#define POLLRT_US(n) ((uint64_t)(n)*1000u)
#define POLLRT_MS(n) ((uint64_t)(n)*1000000u)
#define POLLRT_SEC(n) ((uint64_t)(n)*1000000000u)

/* ---- runtimes ------------------------------------------------------------------------------- */

enum pollrt_flavour {
	POLLRT_MULTI_THREAD,   /**< worker threads of its own, which steal from each other */
	POLLRT_CURRENT_THREAD, /**< tasks run only inside pollrt_block_on(), on its caller */
};

/** Zero means the default, for each field. */
struct pollrt_config {
	enum pollrt_flavour flavour;
	/**
	 * Threads that run tasks: 1 to 1024; of current_thread, 1. Default: as many as the process
	 * may use CPUs, its affinity and the quotas of its cgroups (rounded up) considered.
	 */
	unsigned int workers;
	unsigned int blocking_limit;    /**< threads of the blocking pool: up to 65536, or 512 */
	uint64_t blocking_keepalive_ns; /**< when its idle threads retire: up to 365 d, or 10 s */
	/**
	 * Prefix of threads' names: 1 to 9 bytes, "pollrt" by default. Copied. Threads are called
	 * NAME-worker-0 and NAME-block-0, or NAME-w0 and NAME-b0 where that is too long.
	 */
	const char *thread_name;
};

/**
 * Starts a runtime. @config may be NULL.
 * Returns 0, -EINVAL for a value that is not allowed, or the negative errno of what could not be
 * made.
 */
int pollrt_runtime_create(struct pollrt_runtime **rt, const struct pollrt_config *config);

/**
 * Stops the workers after their current polls, cancels every task that is left, lets blocking jobs
 * and pollrt_block_in_place() calls that run finish and drops jobs that wait. What remains is to
 * read metrics and to destroy it.
 * Must not be called from the runtime's own threads, nor while another thread is in block_on, be it
 * in such a job or call: what that waits for may never come.
 */
void pollrt_runtime_shutdown(struct pollrt_runtime *rt);

/** Shuts down if need be, and frees. Wakers, handles and pollrt_io may outlive it. NULL is fine. */
void pollrt_runtime_destroy(struct pollrt_runtime *rt);

/** Identifies the runtime within the process; starts at 1. */
uint64_t pollrt_runtime_id(const struct pollrt_runtime *rt);

/** The number of workers; 1 for current_thread. */
unsigned int pollrt_runtime_workers(const struct pollrt_runtime *rt);

/** The runtime that the calling code runs in, or NULL. */
struct pollrt_runtime *pollrt_runtime_current(void);

/**
 * Exact counts since the runtime was created, and what is now. Once nothing runs and nothing wakes:
 * spawns + wakes == polls + discards + (tasks now queued). Always: spawns == completions +
 * cancellations + live_tasks, injections == remote_schedules + overflows. What is said in two
 * places, here and in struct pollrt_worker_metrics, adds up.
 */
struct pollrt_metrics {
	uint64_t spawns;           /**< task_spawn probes */
	uint64_t polls;            /**< task_poll_start probes of tasks */
	uint64_t wakes;            /**< task_wake probes of tasks: effective wakes */
	uint64_t discards;         /**< spawns and wakes that led to no poll, but to an end */
	uint64_t completions;      /**< task_terminate probes with reason 0 */
	uint64_t cancellations;    /**< task_terminate probes with reason 1 */
	uint64_t parks;            /**< worker_park probes */
	uint64_t steals;           /**< steal operations that found tasks */
	uint64_t stolen;           /**< tasks that they moved */
	uint64_t injections;       /**< tasks pushed to the injection queue */
	uint64_t remote_schedules; /**< of those, by threads that run no worker of this runtime */
	uint64_t overflows;        /**< of those, from a local queue that was full */
	uint64_t lifo_hits;        /**< polls of tasks taken from a LIFO slot */
	uint64_t block_ons;        /**< block_on_enter probes */
	uint64_t block_on_polls;   /**< task_poll_start probes of block_on futures */
	uint64_t block_on_wakes;   /**< task_wake probes of block_on futures */
	uint64_t blocking_jobs;    /**< blocking_queue probes */
	uint64_t blocking_runs;    /**< blocking_start probes */
	uint64_t handovers;        /**< pollrt_block_in_place() calls that gave a worker away */
	uint64_t live_tasks;       /**< now: spawned, and neither completed nor cancelled */
	uint64_t injection_depth;  /**< now: tasks in the injection queue */
	uint64_t blocking_threads; /**< now: of the blocking pool, workers not counted */
	uint64_t blocking_idle;    /**< now: of those, without a job, and not about to take one */
	uint64_t blocking_depth;   /**< now: jobs that wait for a thread */
};

/** Sums the counters of all threads. Cheap; callable from anywhere at any time. */
void pollrt_metrics(const struct pollrt_runtime *rt, struct pollrt_metrics *metrics);

/** The same of one worker. */
struct pollrt_worker_metrics {
	uint64_t polls;       /**< of tasks, not of block_on futures */
	uint64_t parks;       /**< times that it went to sleep for want of work */
	uint64_t steals;      /**< its steal operations that found tasks */
	uint64_t stolen;      /**< tasks that it took by them */
	uint64_t overflows;   /**< tasks from its full queue to the injection queue */
	uint64_t lifo_hits;   /**< polls of tasks taken from its LIFO slot */
	uint64_t busy_ns;     /**< time between worker_start and worker_stop and not parked */
	uint32_t local_depth; /**< now: tasks in its queue, where others can steal them */
};

/** @index below pollrt_runtime_workers(), else returns -EINVAL. Otherwise as pollrt_metrics(). */
int pollrt_worker_metrics(const struct pollrt_runtime *rt, unsigned int index,
			  struct pollrt_worker_metrics *metrics);

/**
 * pollrt_block_on(rt, NAME, state): runs future NAME with the state at `struct NAME *state` until
 * it is ready, on the calling thread. Of a current_thread runtime it runs the tasks too, and may be
 * nested in a task. Returns 0, or without having polled it -EDEADLK on a worker thread of a
 * multi_thread @rt, -ESHUTDOWN, -ENOMEM, -EINVAL without an @rt.
 */
#define pollrt_block_on(rt, name, ...)                                                             \
	({                                                                                         \
		static const struct pollrt_kind kind_ = {#name, __FILE__, __LINE__};               \
		enum pollrt_poll (*poll_)(struct name *, struct pollrt_cx *) = name;               \
		struct name *state_ = (__VA_ARGS__);                                               \
		pollrt_block_on_kind((rt), &kind_, (pollrt_poll_fn)poll_, state_);                 \
	})

int pollrt_block_on_kind(struct pollrt_runtime *rt, const struct pollrt_kind *kind,
			 pollrt_poll_fn poll, void *state);

/* ---- tasks ---------------------------------------------------------------------------------- */

/**
 * A handle on a spawned task or blocking job, owned by one holder, who releases it with
 * pollrt_join_detach(), or has that done by a struct pollrt_guard. It must stay where it is while it
 * is awaited. One of what could not be spawned is empty: awaited, it is ready at once, and `status`
 * says why.
 */
struct pollrt_join {
	struct pollrt_task *task;
	int status; /**< once awaited: 0, or -ECANCELED; or why spawning failed */
	struct pollrt_cleanup cleanup; /**< private */
};

/** What a task is made of; use pollrt_spawn() and its sisters. */
struct pollrt_spec {
	const struct pollrt_kind *kind;
	pollrt_poll_fn poll; /**< of a task */
	pollrt_job_fn job;   /**< of a blocking job */
	pollrt_drop_fn drop; /**< or NULL; called once when the task ends, however it does */
	const void *state;
	size_t size;
	struct join_member *member; /**< private, of a join set */
};

/* Where states are copied to is aligned as malloc() aligns. */
#define POLLRT_CHECK_STATE(type)                                                                   \
	_Static_assert(_Alignof(type) <= _Alignof(max_align_t), #type " is aligned too much")

/* Does @call, which finds in `spec_` the future NAME with the state that follows. */
#define POLLRT_WITH_SPEC(call, name, drop_fn, ...)                                                 \
	({                                                                                         \
		static const struct pollrt_kind kind_ = {#name, __FILE__, __LINE__};               \
		enum pollrt_poll (*poll_)(struct name *, struct pollrt_cx *) = name;               \
		void (*drop_)(struct name *) = drop_fn;                                            \
		POLLRT_CHECK_STATE(struct name);                                                   \
		struct name state_ = {__VA_ARGS__};                                                \
		const struct pollrt_spec spec_ = {.kind = &kind_,                                  \
						  .poll = (pollrt_poll_fn)poll_,                   \
						  .drop = (pollrt_drop_fn)drop_,                   \
						  .state = &state_,                                \
						  .size = sizeof(state_)};                         \
		call;                                                                              \
	})

/* The same for a blocking job. */
#define POLLRT_WITH_JOB(call, name, ...)                                                           \
	({                                                                                         \
		static const struct pollrt_kind kind_ = {#name, __FILE__, __LINE__};               \
		void (*job_)(struct name *) = name;                                                \
		POLLRT_CHECK_STATE(struct name);                                                   \
		struct name state_ = {__VA_ARGS__};                                                \
		const struct pollrt_spec spec_ = {.kind = &kind_,                                  \
						  .job = (pollrt_job_fn)job_,                      \
						  .state = &state_,                                \
						  .size = sizeof(state_)};                         \
		call;                                                                              \
	})

/**
 * Spawns future NAME on @rt (NULL: the current runtime), its state initialised by the designated
 * initialisers that follow. @join receives the handle (empty on errors); NULL detaches the task.
 * Returns 0, -ENOMEM, -ESHUTDOWN after pollrt_runtime_shutdown(), -EINVAL without a runtime.
 */
#define pollrt_spawn(rt, join, name, ...) pollrt_spawn_drop(rt, join, name, NULL, ##__VA_ARGS__)

/**
 * The same with a destructor, `void drop(struct name *)`: called once when the task has completed
 * or was cancelled (also if it was never polled), before its joiner is woken. Not called if
 * spawning fails.
 */
#define pollrt_spawn_drop(rt, join, name, drop_fn, ...)                                            \
	POLLRT_WITH_SPEC(pollrt_spawn_spec((rt), (join), &spec_), name, drop_fn, ##__VA_ARGS__)

int pollrt_spawn_spec(struct pollrt_runtime *rt, struct pollrt_join *join,
		      const struct pollrt_spec *spec);

/**
 * Runs `void NAME(struct NAME *)` on a thread that may block. Returns as pollrt_spawn().
 * Aborting it has effect only while it still waits for a thread.
 */
#define pollrt_spawn_blocking(rt, join, name, ...)                                                 \
	POLLRT_WITH_JOB(pollrt_spawn_blocking_spec((rt), (join), &spec_), name, ##__VA_ARGS__)

int pollrt_spawn_blocking_spec(struct pollrt_runtime *rt, struct pollrt_join *join,
			       const struct pollrt_spec *spec);

/**
 * pollrt_block_in_place(function, state): calls function(state), which returns nothing and may
 * block, on the calling thread; `state` is a pointer of the type it takes. On a worker of a
 * multi_thread runtime a thread of the blocking pool takes over the worker and its queue meanwhile,
 * so that other tasks go on; the poll it is called in ends on this thread, which then is one of
 * the pool. If the pool is at its limit, or can make no thread, only the tasks in the queue can go
 * on, on other workers; without any of those neither tasks go on nor timers and I/O, until a call
 * returns. The calling task itself stands still: what it awaits besides, in a select for example,
 * is not polled.
 *
 * Nested, or where no worker is run (a blocking job, a future of block_on), it is a plain call. In
 * it pollrt_block_on() may be used. Returns 0; or -EINVAL, without calling it, in a task or future
 * of a current_thread runtime, where nobody could take over.
 */
#define pollrt_block_in_place(function, ...)                                                       \
	({                                                                                         \
		__auto_type state_ = (__VA_ARGS__);                                                \
		void (*job_)(__typeof__(state_)) = function;                                       \
		pollrt_block_in_place_job((pollrt_job_fn)job_, (void *)state_);                    \
	})

int pollrt_block_in_place_job(pollrt_job_fn job, void *state);

/**
 * Ready when the task has ended; then join->status says how. The handle must still be released.
 * Dropped, it can be awaited again: by whoever owns the handle then, one task at a time.
 */
enum pollrt_poll pollrt_join(struct pollrt_join *join, struct pollrt_cx *cx);

/**
 * The task's state: its results, once pollrt_join() was ready. Valid as long as the handle, which
 * must not be empty; without what its drop function has released.
 */
void *pollrt_join_state(const struct pollrt_join *join);

/** The task's id; unique in the process, never reused, the first is 1. 0 of an empty handle. */
uint64_t pollrt_join_id(const struct pollrt_join *join);

/**
 * Asks for cancellation: the task ends at the end of its current poll, or without another one.
 * From any thread; without effect once it has ended, or if the handle is empty.
 */
void pollrt_join_abort(const struct pollrt_join *join);

/** Releases the handle; the task goes on. Needed once for every handle. NULL task is legal. */
void pollrt_join_detach(struct pollrt_join *join);

/** The id of the task being polled. */
uint64_t pollrt_task_id(const struct pollrt_cx *cx);

/** Wakes one task; owned by one holder, usable on any thread. A NULL task is a waker of nothing. */
struct pollrt_waker {
	struct pollrt_task *task;
};

/** A waker of the task being polled. */
struct pollrt_waker pollrt_waker(const struct pollrt_cx *cx);
struct pollrt_waker pollrt_waker_clone(const struct pollrt_waker *waker);

/** Wakes and drops. */
void pollrt_waker_wake(struct pollrt_waker *waker);
void pollrt_waker_wake_by_ref(const struct pollrt_waker *waker);
void pollrt_waker_drop(struct pollrt_waker *waker);

/** Whether waking it would wake the task being polled. */
bool pollrt_waker_will_wake(const struct pollrt_waker *waker, const struct pollrt_cx *cx);

/** Wakes the task being polled: it is polled again after others had their turn. */
void pollrt_wake_self(struct pollrt_cx *cx);

/**
 * For leaf futures: takes one operation from the task's budget (128 a poll). When that is used up
 * it wakes the task and returns false; the leaf then returns POLLRT_PENDING.
 */
bool pollrt_coop_proceed(struct pollrt_cx *cx);

/**
 * Registers @cleanup, a field of the task's state, to run @run when the task or the surrounding
 * POLLRT_AWAIT_TIMEOUT() or POLLRT_SELECT() ends, latest first, unless pollrt_undefer() comes
 * before. @run is given @cleanup, see POLLRT_CONTAINER_OF(). Both only in a poll of the task.
 *
 * So operations are dropped. What was polled and is given up without the end of such a scope, as
 * only a function written by hand can do, goes on waiting, and its state must stay until the task
 * ends.
 */
void pollrt_defer(struct pollrt_cx *cx, struct pollrt_cleanup *cleanup,
		  void (*run)(struct pollrt_cleanup *cleanup));
void pollrt_undefer(struct pollrt_cleanup *cleanup);

/** A scope inside of another; private, of what bounds a part of a task. */
struct pollrt_nested {
	struct pollrt_scope scope;
	struct pollrt_scope *outer;
	struct pollrt_cleanup cleanup;
};

/* ---- async functions ------------------------------------------------------------------------ */

/** Where to go on; the first member of an async function's state. */
struct pollrt_async {
	void *resume;
};

/* A label's address must mean one place: the function may be neither inlined nor cloned. */
#ifdef __clang__
#define POLLRT_ONE_COPY __attribute__((noinline))
#else
#define POLLRT_ONE_COPY __attribute__((noinline, noclone))
#endif

/** The head of async function NAME, to be followed by its body. May be preceded by `static`. */
#define POLLRT_ASYNC(name)                                                                         \
	POLLRT_ONE_COPY enum pollrt_poll name(struct name *self, struct pollrt_cx *cx)

/** The first statement of the body. */
#define POLLRT_BEGIN()                                                                             \
	do {                                                                                       \
		__label__ start_;                                                                  \
		(void)cx;                                                                          \
		if (!self->async.resume)                                                           \
			self->async.resume = &&start_;                                             \
		goto * self->async.resume;                                                         \
	start_:;                                                                                   \
	} while (0)

/** The last statement of the body. */
#define POLLRT_END() POLLRT_RETURN()

/** Completes the future. Results go to fields of `self` before. */
#define POLLRT_RETURN()                                                                            \
	do {                                                                                       \
		self->async.resume = NULL;                                                         \
		return POLLRT_READY;                                                               \
	} while (0)

/**
 * Polls @expr, now and on each later poll, until it is POLLRT_READY. So are the arguments that are
 * called `place` evaluated on each poll: fields of `self`.
 */
#define POLLRT_AWAIT(expr)                                                                         \
	do {                                                                                       \
		__label__ resume_;                                                                 \
		self->async.resume = &&resume_;                                                    \
	resume_:                                                                                   \
		if ((expr) == POLLRT_PENDING)                                                      \
			return POLLRT_PENDING;                                                     \
	} while (0)

/** Awaits async function NAME with its state in @place, initialised by what follows. */
#define POLLRT_CALL(place, name, ...)                                                              \
	do {                                                                                       \
		(place) = (struct name){__VA_ARGS__};                                              \
		POLLRT_AWAIT(name(&(place), cx));                                                  \
	} while (0)

/** Lets other tasks run. */
#define POLLRT_YIELD()                                                                             \
	do {                                                                                       \
		__label__ resume_;                                                                 \
		self->async.resume = &&resume_;                                                    \
		pollrt_wake_self(cx);                                                              \
		return POLLRT_PENDING;                                                             \
	resume_:;                                                                                  \
	} while (0)

/* ---- time ----------------------------------------------------------------------------------- */

/** CLOCK_MONOTONIC in ns. */
uint64_t pollrt_now_ns(void);

/** An entry of the timer wheel; private. */
struct pollrt_timer {
	uint64_t tick;
	LIST_ENTRY(pollrt_timer) link;
	struct pollrt_task *task;
	unsigned int state;
};

/**
 * Ready @ns after its first poll, or at @until_ns, of pollrt_now_ns(), if set; up to 1 ms late, more
 * if no worker is free, never early. To sleep again it is initialised anew.
 */
struct pollrt_sleep {
	uint64_t ns;
	uint64_t until_ns;
	struct pollrt_timer timer;
	struct pollrt_cleanup cleanup;
};
enum pollrt_poll pollrt_sleep(struct pollrt_sleep *self, struct pollrt_cx *cx);

#define POLLRT_SLEEP(place, duration_ns) POLLRT_CALL(place, pollrt_sleep, .ns = (duration_ns))

/**
 * Ready every @period_ns, the first time at once. Ticks that were missed come in a burst. A tick
 * that was dropped is not lost: it can be awaited again with the same state.
 */
struct pollrt_interval {
	uint64_t period_ns;
	uint64_t next_ns;
	struct pollrt_sleep sleep;
};
enum pollrt_poll pollrt_interval_tick(struct pollrt_interval *self, struct pollrt_cx *cx);

/** Bounds the time of an awaited expression; see POLLRT_AWAIT_TIMEOUT(). */
struct pollrt_timeout {
	uint64_t ns;
	int status; /**< afterwards: 0, or -ETIMEDOUT */
	bool over;  /**< it was when this poll began; private */
	struct pollrt_sleep sleep;
	struct pollrt_nested nested;
};
void pollrt_timeout_enter(struct pollrt_timeout *self, struct pollrt_cx *cx);
enum pollrt_poll pollrt_timeout_leave(struct pollrt_timeout *self, struct pollrt_cx *cx,
				      enum pollrt_poll inner);

/**
 * Awaits @expr for at most @duration_ns; (place).status is 0 or -ETIMEDOUT afterwards. It is polled
 * once at least. When time is up what @expr deferred is cleaned up, and it is not polled again.
 */
#define POLLRT_AWAIT_TIMEOUT(place, duration_ns, expr)                                             \
	do {                                                                                       \
		(place) = (struct pollrt_timeout){.ns = (duration_ns)};                            \
		POLLRT_AWAIT((pollrt_timeout_enter(&(place), cx),                                  \
			      pollrt_timeout_leave(&(place), cx, (expr))));                        \
	} while (0)

#endif
