/* SPDX-License-Identifier: MIT */
/*
 * Several futures at once: the first of a few that is ready, sets of tasks, and cancellation.
 *
 * A server that accepts until it is told to stop, then lets each connection end:
 *
 *	struct serve {
 *		struct pollrt_async async;
 *		struct pollrt_io *listener;
 *		struct pollrt_token *stop;
 *		struct pollrt_join_set *conns;
 *		struct pollrt_io *conn;
 *		int status;
 *		struct pollrt_select select;
 *		struct pollrt_cancelled cancelled;
 *		struct pollrt_join_next next;
 *	};
 *
 *	static POLLRT_ASYNC(serve)
 *	{
 *		POLLRT_BEGIN();
 *		if (pollrt_join_set_open(&self->conns, cx))
 *			POLLRT_RETURN();
 *		for (;;) {
 *			self->cancelled = (struct pollrt_cancelled){.token = self->stop};
 *			self->next = (struct pollrt_join_next){.set = self->conns};
 *			POLLRT_SELECT(self->select,
 *				      pollrt_cancelled(&self->cancelled, cx),
 *				      pollrt_tcp_accept(self->listener, &self->conn,
 *							&self->status, cx),
 *				      pollrt_join_set_count(self->conns)
 *					      ? pollrt_join_next(&self->next, cx)
 *					      : POLLRT_PENDING);
 *			if (self->select.winner == 0)
 *				break;
 *			if (self->select.winner == 1 && !self->status)
 *				pollrt_join_set_spawn(NULL, self->conns, handle, .io = self->conn);
 *			if (self->select.winner == 2)
 *				pollrt_join_detach(&self->next.join);
 *		}
 *		while (pollrt_join_set_count(self->conns)) {
 *			POLLRT_CALL(self->next, pollrt_join_next, .set = self->conns);
 *			pollrt_join_detach(&self->next.join);
 *		}
 *		POLLRT_END();
 *	}
 *
 * If serve itself is aborted, so is every connection: the set is dropped with the task.
 */
#ifndef POLLRT_SELECT_H
#define POLLRT_SELECT_H

#include "pollrt_sync.h"

/* ---- select --------------------------------------------------------------------------------- */

/** The state of a POLLRT_SELECT(). */
struct pollrt_select {
	unsigned int winner; /**< afterwards: which expression was ready, from 0 */
	struct pollrt_nested nested;
};

/* Of the macros. */
unsigned int pollrt_select_start(unsigned int count);
void pollrt_select_enter(struct pollrt_select *self, struct pollrt_cx *cx);
enum pollrt_poll pollrt_select_leave(struct pollrt_select *self, struct pollrt_cx *cx,
				     enum pollrt_poll inner);

/**
 * Polls up to eight expressions until one is ready; (place).winner says which. The others are
 * dropped at once: what they deferred is cleaned up before the statement after this one. The states
 * that expressions use are to be initialised before, and anew for each select: a state that lost
 * cannot be polled again, but for an interval's. What is to go on across selects is spawned, and
 * its pollrt_join(), which loses nothing, takes part.
 *
 * Each poll begins with an expression chosen at random, so that one that is always ready cannot
 * starve the others. An expression POLLRT_PENDING never wins: `cond ? f(...) : POLLRT_PENDING`
 * takes part only if cond holds.
 *
 * Every operation of pollrt may lose: a read that lost has read nothing, a receive has taken
 * nothing. Only those that do a thing in parts, as pollrt_write_all(), may have done some of it.
 */
#define POLLRT_SELECT(place, ...)                                                                  \
	POLLRT_SELECT_AT(place, pollrt_select_start(POLLRT_COUNT(__VA_ARGS__)), __VA_ARGS__)

/** The same, but polls in the order given: of several that are ready, the first one wins. */
#define POLLRT_SELECT_BIASED(place, ...) POLLRT_SELECT_AT(place, 0u, __VA_ARGS__)

#define POLLRT_SELECT_AT(place, start, ...)                                                        \
	do {                                                                                       \
		(place) = (struct pollrt_select){0};                                               \
		POLLRT_AWAIT(({                                                                    \
			const unsigned int start_ = (start);                                       \
			enum pollrt_poll poll_ = POLLRT_PENDING;                                   \
                                                                                                   \
			pollrt_select_enter(&(place), cx);                                         \
			for (unsigned int i_ = 0;                                                  \
			     i_ < POLLRT_COUNT(__VA_ARGS__) && poll_ == POLLRT_PENDING; i_++) {    \
				(place).winner = (start_ + i_) % POLLRT_COUNT(__VA_ARGS__);        \
				switch ((place).winner) {                                          \
					POLLRT_CASES(POLLRT_COUNT(__VA_ARGS__), __VA_ARGS__)       \
				}                                                                  \
			}                                                                          \
			pollrt_select_leave(&(place), cx, poll_);                                  \
		}));                                                                               \
	} while (0)

#define POLLRT_NTH(a, b, c, d, e, f, g, h, n, ...) n
#define POLLRT_COUNT(...) POLLRT_NTH(__VA_ARGS__, 8u, 7u, 6u, 5u, 4u, 3u, 2u, 1u, 0u)
#define POLLRT_CASES(count, ...)                                                                   \
	POLLRT_NTH(__VA_ARGS__, POLLRT_CASE8, POLLRT_CASE7, POLLRT_CASE6, POLLRT_CASE5,            \
		   POLLRT_CASE4, POLLRT_CASE3, POLLRT_CASE2, POLLRT_CASE1, )                       \
	(count, __VA_ARGS__)
#define POLLRT_CASE(index, expr)                                                                   \
	case index:                                                                                \
		poll_ = (expr);                                                                    \
		break;
#define POLLRT_CASE1(n, expr) POLLRT_CASE((n)-1u, expr)
#define POLLRT_CASE2(n, expr, ...) POLLRT_CASE((n)-2u, expr) POLLRT_CASE1(n, __VA_ARGS__)
#define POLLRT_CASE3(n, expr, ...) POLLRT_CASE((n)-3u, expr) POLLRT_CASE2(n, __VA_ARGS__)
#define POLLRT_CASE4(n, expr, ...) POLLRT_CASE((n)-4u, expr) POLLRT_CASE3(n, __VA_ARGS__)
#define POLLRT_CASE5(n, expr, ...) POLLRT_CASE((n)-5u, expr) POLLRT_CASE4(n, __VA_ARGS__)
#define POLLRT_CASE6(n, expr, ...) POLLRT_CASE((n)-6u, expr) POLLRT_CASE5(n, __VA_ARGS__)
#define POLLRT_CASE7(n, expr, ...) POLLRT_CASE((n)-7u, expr) POLLRT_CASE6(n, __VA_ARGS__)
#define POLLRT_CASE8(n, expr, ...) POLLRT_CASE((n)-8u, expr) POLLRT_CASE7(n, __VA_ARGS__)

/* ---- join sets ------------------------------------------------------------------------------ */
/* A set has one owner; its functions are not to be called by several threads at once. */

struct pollrt_join_set;

/**
 * An empty set in *@set. It is dropped when the scope of @cx ends, see pollrt_defer(); if @cx is
 * NULL only by pollrt_join_set_drop(). Returns 0 or -ENOMEM.
 */
int pollrt_join_set_open(struct pollrt_join_set **set, struct pollrt_cx *cx);

/** Aborts what is in the set, which nobody awaits, and frees it. NULL is legal. */
void pollrt_join_set_drop(struct pollrt_join_set *set);

/** As pollrt_spawn(), into @set. */
#define pollrt_join_set_spawn(rt, set, name, ...)                                                  \
	pollrt_join_set_spawn_drop(rt, set, name, NULL, ##__VA_ARGS__)

/** As pollrt_spawn_drop(), into @set. */
#define pollrt_join_set_spawn_drop(rt, set, name, drop_fn, ...)                                    \
	POLLRT_WITH_SPEC(pollrt_join_set_spawn_spec((rt), (set), &spec_), name, drop_fn,           \
			 ##__VA_ARGS__)

/** As pollrt_spawn_blocking(), into @set. */
#define pollrt_join_set_spawn_blocking(rt, set, name, ...)                                         \
	POLLRT_WITH_JOB(pollrt_join_set_spawn_spec((rt), (set), &spec_), name, ##__VA_ARGS__)

int pollrt_join_set_spawn_spec(struct pollrt_runtime *rt, struct pollrt_join_set *set,
			       const struct pollrt_spec *spec);

/** Tasks and jobs whose handle pollrt_join_next() has not given out, ended or not. */
size_t pollrt_join_set_count(const struct pollrt_join_set *set);

/** Aborts everything in the set, which remains there for pollrt_join_next() to give out. */
void pollrt_join_set_abort_all(struct pollrt_join_set *set);

/**
 * Takes the next task that has ended out of @set, in the order in which they end: a handle on it,
 * with its status, is the caller's to detach. Dropped, it has taken none.
 */
struct pollrt_join_next {
	struct pollrt_join_set *set;
	int status; /**< 0, or -ENOENT: the set is empty */
	struct pollrt_join join;
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_join_next(struct pollrt_join_next *self, struct pollrt_cx *cx);

/* ---- cancellation --------------------------------------------------------------------------- */

/** A task that does not outlive the scope that started it. */
struct pollrt_guard {
	struct pollrt_join join;
	struct pollrt_cleanup cleanup;
};

/**
 * When the scope of @cx ends, aborts the task of @guard->join, unless it has ended, and detaches
 * the handle, which remains usable until then:
 *
 *	pollrt_spawn(NULL, &self->child.join, work);
 *	pollrt_guard(&self->child, cx);
 *	POLLRT_AWAIT(pollrt_join(&self->child.join, cx));
 */
void pollrt_guard(struct pollrt_guard *guard, struct pollrt_cx *cx);

/** Does so now. */
void pollrt_guard_end(struct pollrt_guard *guard);

/** Says once, to any number of tasks, that they should come to an end; refcounted. */
struct pollrt_token;

/** One reference in *@token. Returns 0 or -ENOMEM. */
int pollrt_token_create(struct pollrt_token **token);

/** One more reference; returns @token. */
struct pollrt_token *pollrt_token_clone(struct pollrt_token *token);

/** Drops a reference, which cancels nothing. NULL is legal. */
void pollrt_token_release(struct pollrt_token *token);

/** Says it: from any thread, with a reference. Everything before it is seen by who awaited it. */
void pollrt_token_cancel(struct pollrt_token *token);
bool pollrt_token_is_cancelled(const struct pollrt_token *token);

/** Ready once @token is cancelled. The awaiting task has a reference. */
struct pollrt_cancelled {
	struct pollrt_token *token;
	struct pollrt_waiter waiter;
};
enum pollrt_poll pollrt_cancelled(struct pollrt_cancelled *self, struct pollrt_cx *cx);

#endif
