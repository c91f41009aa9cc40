/* SPDX-License-Identifier: MIT */
/*
 * Every interleaving of a few threads, on one: a stateless model checker for the runtime's own code.
 *
 * A test includes interleave_points.h, then the sources it is about: each atomic operation, mutex and
 * futex in them is a point at which any other thread may go on. interleave_explore() runs the threads,
 * which are ucontexts, again and again until each order of dependent operations was seen (two are
 * dependent if they touch one address and one of them writes). Orders that differ in nothing else are run
 * once (sleep sets: Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996),
 * and what follows from one state of the world and of all threads is run once (told by a hash of them, of
 * 64 bits). A case too large for that bounds how often a thread is interrupted that could go on: nearly all
 * that goes wrong does so within two (Musuvathi and Qadeer, Iterative Context Bounding, PLDI 2007).
 *
 * Memory is sequentially consistent here; what weaker order an operation needs is ThreadSanitizer's to
 * judge, on the same code in threads. Built without sanitizers: they do not follow ucontexts.
 */
#ifndef TESTS_RUNTIME_INTERLEAVE_H
#define TESTS_RUNTIME_INTERLEAVE_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#define INTERLEAVE_THREADS 4
#define INTERLEAVE_DEPTH 1024 /**< operations in one run: more is a loop without progress */
#define INTERLEAVE_STACK (64 * 1024)
#define INTERLEAVE_STATES ((size_t)1 << 23) /**< at most, of one test */

/** What a thread is about to do. */
struct interleave_op {
	const void *address; /**< NULL: it waits for any write of another thread */
	bool write;
	const char *what;
	int line;
	bool (*ready)(const struct interleave_op *op); /**< or NULL: always */
	const void *argument;
};

struct interleave_fiber {
	ucontext_t context;
	struct interleave_op op;
	bool ended;
	bool woken;      /**< from a futex */
	bool changed;    /**< another thread wrote since it began to spin */
	void *local;     /**< what the thread-local pointer is while it runs */
	const char *top; /**< of its stack, as far as it is in use */
	const char *end;
};

/** A decision: who went on, of whom. Sets of threads are bit masks. */
struct interleave_node {
	uint32_t enabled;
	uint32_t
		asleep; /**< what they would do was seen elsewhere, and nothing since depends on it */
	uint32_t tried;
	unsigned int choice;
	unsigned int last;        /**< who ran before; with a bound on preemptions */
	unsigned int preemptions; /**< so far */
};

/** What is explored. All threads see @world, which @begin makes anew for each run. */
struct interleave_case {
	void (*begin)(void *world);
	void (*threads[INTERLEAVE_THREADS])(void *world);
	void (*end)(void *world); /**< asserts what holds after each run */
	void *world;
	size_t size; /**< of what it is made of: all that the threads change must be in it */
	unsigned int preemptions; /**< at most; 0: as many as there can be */
	void **local;             /**< a thread-local pointer that the code keeps, or NULL */
};

static struct interleave {
	const struct interleave_case *test;
	struct interleave_fiber fibers[INTERLEAVE_THREADS];
	unsigned int count;
	int running; /**< which one; -1: none */
	ucontext_t scheduler;
	struct interleave_node nodes[INTERLEAVE_DEPTH];
	struct {
		unsigned int thread;
		struct interleave_op op;
	} trace[INTERLEAVE_DEPTH];
	unsigned int depth; /**< of this run */
	unsigned int known; /**< nodes that it starts with */
	uint64_t runs;
	uint64_t *seen; /**< hashes of states, open addressing; 0: a free place */
	size_t states;
	const char *failure;
	/** Mutexes that are held; NULL: a free place. */
	const void *held[8];
	/** Memory that was freed: an operation on it fails the test. */
	const char *freed;
	size_t freed_size;
} interleave = {.running = -1};

/* ---- what the code under test calls ---- */

/* Its own frame is the end of the stack in use. */
static __attribute__((noinline)) void interleave_switch(void)
{
	struct interleave_fiber *fiber = &interleave.fibers[interleave.running];

	fiber->top = __builtin_frame_address(0);
	swapcontext(&fiber->context, &interleave.scheduler);
}

static inline void interleave_fail(const char *what)
{
	if (interleave.running < 0)
		fail_msg("%s does not hold", what);
	interleave.failure = what;
	interleave_switch();
}

/** Ends the run, and the test, unless @condition. */
#define interleave_expect(condition)                                                               \
	do {                                                                                       \
		if (!(condition))                                                                  \
			interleave_fail(#condition);                                               \
	} while (0)

static inline void interleave_wait(struct interleave_op op)
{
	if (interleave.running < 0)
		return;
	interleave.fibers[interleave.running].op = op;
	interleave_switch();
	for (unsigned int i = 0; op.write && i < interleave.count; i++)
		interleave.fibers[i].changed |= (int)i != interleave.running;
}

static inline void interleave_point(const volatile void *address, bool write, const char *what,
				    int line)
{
	interleave_wait((struct interleave_op){
		.address = (const void *)address, .write = write, .what = what, .line = line});
	interleave_expect((size_t)((const char *)address - interleave.freed) >=
			  interleave.freed_size);
}

/** For what the test has in place of free(). */
static inline void interleave_freed(const void *memory, size_t size)
{
	interleave_expect(!interleave.freed);
	interleave.freed = memory;
	interleave.freed_size = size;
}

static inline const void **interleave_held(const void *mutex)
{
	for (size_t i = 0; i < sizeof(interleave.held) / sizeof(interleave.held[0]); i++) {
		if (interleave.held[i] == mutex)
			return &interleave.held[i];
	}
	return NULL;
}

static inline bool interleave_is_free(const struct interleave_op *op)
{
	return !interleave_held(op->address);
}

static inline int interleave_lock(pthread_mutex_t *mutex, int line)
{
	interleave_wait((struct interleave_op){.address = mutex,
					       .write = true,
					       .what = "lock",
					       .line = line,
					       .ready = interleave_is_free});
	if (interleave.running >= 0)
		*interleave_held(NULL) = mutex;
	return 0;
}

/* No point of its own: what it lets go on waits at a point. */
static inline int interleave_unlock(pthread_mutex_t *mutex)
{
	if (interleave.running >= 0)
		*interleave_held(mutex) = NULL;
	return 0;
}

static inline bool interleave_was_woken(const struct interleave_op *op)
{
	return ((const struct interleave_fiber *)op->argument)->woken;
}

static inline void interleave_futex_wait(_Atomic uint32_t *word, uint32_t value, int line)
{
	struct interleave_fiber *fiber = &interleave.fibers[interleave.running];

	interleave_point(word, false, "futex_wait", line);
	if (*word != value)
		return;
	fiber->woken = false;
	interleave_wait((struct interleave_op){.address = word,
					       .what = "futex_wait: woken",
					       .line = line,
					       .ready = interleave_was_woken,
					       .argument = fiber});
}

static inline void interleave_futex_wake(_Atomic uint32_t *word, int line)
{
	interleave_point(word, true, "futex_wake", line);
	for (unsigned int i = 0; i < interleave.count; i++) {
		struct interleave_fiber *fiber = &interleave.fibers[i];

		if (!fiber->ended && fiber->op.ready == interleave_was_woken &&
		    fiber->op.address == word && !fiber->woken) {
			fiber->woken = true;
			return;
		}
	}
}

static inline bool interleave_has_changed(const struct interleave_op *op)
{
	return ((const struct interleave_fiber *)op->argument)->changed;
}

/* Who spins goes on when another thread has written something. */
static inline int interleave_spin(int line)
{
	struct interleave_fiber *fiber = &interleave.fibers[interleave.running];

	fiber->changed = false;
	interleave_wait((struct interleave_op){.what = "sched_yield",
					       .line = line,
					       .ready = interleave_has_changed,
					       .argument = fiber});
	return 0;
}

/* ---- exploring ---- */

static inline bool interleave_dependent(const struct interleave_op *a,
					const struct interleave_op *b)
{
	if (!a->address || !b->address)
		return a->write || b->write || a->address == b->address;
	return a->address == b->address && (a->write || b->write);
}

static inline void interleave_show(void)
{
	for (unsigned int i = 0; i < interleave.depth; i++)
		print_error("  thread %u  %s (line %d)\n", interleave.trace[i].thread,
			    interleave.trace[i].op.what, interleave.trace[i].op.line);
	for (unsigned int i = 0; i < interleave.count; i++) {
		if (!interleave.fibers[i].ended)
			print_error("  thread %u is at %s (line %d)\n", i,
				    interleave.fibers[i].op.what, interleave.fibers[i].op.line);
	}
}

static inline void interleave_main(void)
{
	unsigned int self = (unsigned int)interleave.running;

	interleave.test->threads[self](interleave.test->world);
	interleave.fibers[self].ended = true;
	interleave_switch();
}

/* Runs thread @i to its next point. */
static inline void interleave_step(unsigned int i)
{
	struct interleave_fiber *fiber = &interleave.fibers[i];
	void **local = interleave.test->local;

	interleave.running = (int)i;
	if (local)
		*local = fiber->local;
	swapcontext(&interleave.scheduler, &fiber->context);
	if (local) {
		fiber->local = *local;
		*local = NULL;
	}
	interleave.running = -1;
	if (interleave.failure) {
		interleave_show();
		fail_msg("%s does not hold in run %lu", interleave.failure,
			 (unsigned long)interleave.runs);
	}
}

static inline uint64_t interleave_hash(uint64_t hash, const void *bytes, size_t size)
{
	const char *at = bytes;
	uint64_t word;

	/* FNV-1a over words, each mixed well. */
	for (; size; at += sizeof(word), size -= sizeof(word)) {
		word = 0;
		if (size < sizeof(word)) {
			memcpy(&word, at, size);
			size = sizeof(word);
		} else {
			memcpy(&word, at, sizeof(word));
		}
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

static inline uint64_t interleave_state(const struct interleave_node *node)
{
	uint64_t hash =
		interleave_hash(node->asleep + 1, interleave.test->world, interleave.test->size);

	hash = interleave_hash(hash, &node->last, sizeof(node->last));
	hash = interleave_hash(hash, &node->preemptions, sizeof(node->preemptions));
	hash = interleave_hash(hash, interleave.held, sizeof(interleave.held));
	hash = interleave_hash(hash, &interleave.freed, sizeof(interleave.freed));
	for (unsigned int i = 0; i < interleave.count; i++) {
		const struct interleave_fiber *fiber = &interleave.fibers[i];

		hash = interleave_hash(hash, fiber, sizeof(*fiber));
		hash = interleave_hash(hash, fiber->top, (size_t)(fiber->end - fiber->top));
	}
	return hash ? hash : 1;
}

/* Notes the state that the threads are in. False: it was known. */
static inline bool interleave_is_new(const struct interleave_node *node)
{
	uint64_t state = interleave_state(node);
	size_t at = state % INTERLEAVE_STATES;

	while (interleave.seen[at] && interleave.seen[at] != state)
		at = (at + 1) % INTERLEAVE_STATES;
	if (interleave.seen[at])
		return false;
	interleave.seen[at] = state;
	if (++interleave.states > INTERLEAVE_STATES / 2)
		fail_msg("too many states: take a smaller case");
	return true;
}

static inline void interleave_start(void)
{
	static char stacks[INTERLEAVE_THREADS][INTERLEAVE_STACK] __attribute__((aligned(64)));

	interleave.depth = 0;
	memset(interleave.held, 0, sizeof(interleave.held));
	interleave.freed = NULL;
	interleave.freed_size = 0;
	interleave.test->begin(interleave.test->world);
	for (unsigned int i = 0; i < interleave.count; i++) {
		struct interleave_fiber *fiber = &interleave.fibers[i];

		*fiber = (struct interleave_fiber){.end = stacks[i] + INTERLEAVE_STACK};
		getcontext(&fiber->context);
		fiber->context.uc_stack.ss_sp = stacks[i];
		fiber->context.uc_stack.ss_size = INTERLEAVE_STACK;
		makecontext(&fiber->context, interleave_main, 0);
		interleave_step(i);
	}
}

static inline uint32_t interleave_enabled(uint32_t *alive)
{
	uint32_t enabled = 0;

	*alive = 0;
	for (unsigned int i = 0; i < interleave.count; i++) {
		const struct interleave_fiber *fiber = &interleave.fibers[i];

		if (fiber->ended)
			continue;
		*alive |= 1u << i;
		if (!fiber->op.ready || fiber->op.ready(&fiber->op))
			enabled |= 1u << i;
	}
	return enabled;
}

static inline bool interleave_choose(struct interleave_node *node)
{
	uint32_t left = node->enabled & ~node->asleep & ~node->tried;

	if (left)
		node->choice = (unsigned int)__builtin_ctz(left);
	return left;
}

/*
 * Who still need not be tried once @op was done. With a bound on preemptions nobody sleeps: what they would
 * do may have been cut there.
 */
static inline uint32_t interleave_sleepers(const struct interleave_node *node,
					   const struct interleave_op *op)
{
	uint32_t asleep = 0, before = node->asleep | node->tried;

	if (interleave.test->preemptions)
		return 0;
	for (unsigned int i = 0; i < interleave.count; i++) {
		if (before & 1u << i && !interleave_dependent(&interleave.fibers[i].op, op))
			asleep |= 1u << i;
	}
	return asleep;
}

/* The decision after @before, which is NULL at the start. False: nothing is left to try from here. */
static inline bool interleave_decide(struct interleave_node *node, uint32_t enabled,
				     uint32_t asleep, const struct interleave_node *before)
{
	unsigned int bound = interleave.test->preemptions;

	*node = (struct interleave_node){.enabled = enabled, .asleep = asleep};
	if (before && bound) {
		uint32_t same = 1u << before->choice;

		node->last = before->choice;
		node->preemptions = before->preemptions;
		if (enabled & same && node->preemptions == bound)
			node->enabled = same;
	}
	return interleave_choose(node) && interleave_is_new(node);
}

/* One run, along the nodes that are known and on from there. */
static inline void interleave_run(void)
{
	struct interleave_node *before = NULL;
	uint32_t asleep = 0, enabled, alive;

	interleave_start();
	interleave.runs++;
	while ((enabled = interleave_enabled(&alive))) {
		struct interleave_node *node = &interleave.nodes[interleave.depth];
		struct interleave_op op;

		if (interleave.depth == interleave.known) {
			if (!interleave_decide(node, enabled, asleep, before))
				return;
			interleave.known++;
		}
		if (before)
			node->preemptions = before->preemptions + (before->choice != node->choice &&
								   enabled & 1u << before->choice);
		before = node;
		op = interleave.fibers[node->choice].op;
		asleep = interleave_sleepers(node, &op);
		interleave.trace[interleave.depth].thread = node->choice;
		interleave.trace[interleave.depth].op = op;
		if (++interleave.depth == INTERLEAVE_DEPTH) {
			interleave_show();
			fail_msg("no end of run %lu", (unsigned long)interleave.runs);
		}
		interleave_step(node->choice);
	}
	if (alive) {
		interleave_show();
		fail_msg("all threads wait in run %lu", (unsigned long)interleave.runs);
	}
	interleave.test->end(interleave.test->world);
}

/* On to the next decision that has an alternative. False: there is none left. */
static inline bool interleave_backtrack(void)
{
	while (interleave.known) {
		struct interleave_node *node = &interleave.nodes[interleave.known - 1];

		node->tried |= 1u << node->choice;
		if (interleave_choose(node))
			return true;
		interleave.known--;
	}
	return false;
}

/** Runs @test in every order; fails the test, with the order, where something does not hold. Returns the states seen. */
static inline uint64_t interleave_explore(const struct interleave_case *test)
{
	interleave.test = test;
	interleave.count = 0;
	while (interleave.count < INTERLEAVE_THREADS && test->threads[interleave.count])
		interleave.count++;
	interleave.known = 0;
	interleave.runs = 0;
	interleave.failure = NULL;
	interleave.states = 0;
	interleave.seen = calloc(INTERLEAVE_STATES, sizeof(*interleave.seen));
	assert_non_null(interleave.seen);
	do
		interleave_run();
	while (interleave_backtrack());
	free(interleave.seen);
	print_message("  %zu states in %lu runs\n", interleave.states,
		      (unsigned long)interleave.runs);
	return interleave.states;
}

#endif
