/* SPDX-License-Identifier: MIT */
/*
 * What the sources that come after this call, as points of interleave.h: atomics, mutexes, futexes and
 * sched_yield(). What was included before keeps the real ones.
 */
#ifndef TESTS_RUNTIME_INTERLEAVE_POINTS_H
#define TESTS_RUNTIME_INTERLEAVE_POINTS_H

#include "interleave.h"

#define INTERLEAVE_READ(p) (interleave_point((p), false, "load " #p, __LINE__), *(p))
#define INTERLEAVE_UPDATE(p, what, next)                                                           \
	({                                                                                         \
		interleave_point((p), true, what " " #p, __LINE__);                                \
		__typeof__((void)0, *(p)) old_ = *(p);                                             \
		*(p) = (next);                                                                     \
		old_;                                                                              \
	})
#define INTERLEAVE_COMPARE(p, expected, desired)                                                   \
	({                                                                                         \
		interleave_point((p), true, "compare_exchange " #p, __LINE__);                     \
		__typeof__((void)0, *(p)) old_ = *(p);                                             \
		bool same_ = old_ == *(expected);                                                  \
		if (same_)                                                                         \
			*(p) = (desired);                                                          \
		else                                                                               \
			*(expected) = old_;                                                        \
		same_;                                                                             \
	})

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence
#define atomic_load(p) INTERLEAVE_READ(p)
#define atomic_load_explicit(p, order) INTERLEAVE_READ(p)
#define atomic_store(p, v) ((void)INTERLEAVE_UPDATE(p, "store", v))
#define atomic_store_explicit(p, v, order) atomic_store(p, v)
#define atomic_exchange(p, v) INTERLEAVE_UPDATE(p, "exchange", v)
#define atomic_exchange_explicit(p, v, order) atomic_exchange(p, v)
#define atomic_fetch_add(p, v) INTERLEAVE_UPDATE(p, "add", old_ + (v))
#define atomic_fetch_add_explicit(p, v, order) atomic_fetch_add(p, v)
#define atomic_fetch_sub(p, v) INTERLEAVE_UPDATE(p, "sub", old_ - (v))
#define atomic_fetch_sub_explicit(p, v, order) atomic_fetch_sub(p, v)
#define atomic_fetch_or(p, v) INTERLEAVE_UPDATE(p, "or", old_ | (v))
#define atomic_fetch_or_explicit(p, v, order) atomic_fetch_or(p, v)
#define atomic_fetch_and(p, v) INTERLEAVE_UPDATE(p, "and", old_ &(v))
#define atomic_fetch_and_explicit(p, v, order) atomic_fetch_and(p, v)
#define atomic_fetch_xor(p, v) INTERLEAVE_UPDATE(p, "xor", old_ ^ (v))
#define atomic_fetch_xor_explicit(p, v, order) atomic_fetch_xor(p, v)
#define atomic_compare_exchange_strong(p, e, d) INTERLEAVE_COMPARE(p, e, d)
#define atomic_compare_exchange_strong_explicit(p, e, d, order, other) INTERLEAVE_COMPARE(p, e, d)
#define atomic_compare_exchange_weak(p, e, d) INTERLEAVE_COMPARE(p, e, d)
#define atomic_compare_exchange_weak_explicit(p, e, d, order, other) INTERLEAVE_COMPARE(p, e, d)
#define atomic_thread_fence(order) ((void)0)

#define pthread_mutex_lock(mutex) interleave_lock(mutex, __LINE__)
#define pthread_mutex_unlock(mutex) interleave_unlock(mutex)
#define sched_yield() interleave_spin(__LINE__)

/* The header of that name is not read. */
#define POLLRT_FUTEX_H
#define futex_wait(word, value) interleave_futex_wait(word, value, __LINE__)
#define futex_wake(word) interleave_futex_wake(word, __LINE__)

#endif
