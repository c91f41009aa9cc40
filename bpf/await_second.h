/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of which polls the stacks are taken: of each kind in a second of so many at most, each with the same chance as far
 * as can be known. The next one after some time would more often than not be what follows a long wait. The same code
 * runs in BPF programs and natively, so that it is tested without a kernel.
 *
 * Who includes this defines __u32, __u64 and bool before, and a random number:
 *
 *	static __u32 await_random(void);
 */
#ifndef POLLSCOPE_BPF_AWAIT_SECOND_H
#define POLLSCOPE_BPF_AWAIT_SECOND_H

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define AWAIT_SECOND_NS 1000000000ULL

/* Polls that were seen and taken of a kind in a second; of several writers one may win, which costs one. */
struct await_second {
	__u64 number;
	__u32 seen;
	__u32 taken;
	__u32 expected; /* seen in the second before that had any; 0: this is the first */
	__u32 pad;
	__u64 began; /* the first one: then, at its first poll */
};

/*
 * Polls of this second: those so far, and for the rest of it as many as there were in the one before. In the first one:
 * as many as there were since it began, and half as many again; else all would be taken of what tasks do first of all,
 * and none of what some of them then wait for, for good. The first few are all taken: there may be no more.
 */
static __always_inline __u64 await_second_likely(const struct await_second *second, __u64 now)
{
	__u64 left = AWAIT_SECOND_NS - now % AWAIT_SECOND_NS;
	__u64 gone = now - second->began + AWAIT_SECOND_NS / 10;

	if (!second->expected)
		return (second->seen + second->seen * left / gone) * 3 / 2;
	return second->seen + second->expected * left / AWAIT_SECOND_NS;
}

/* Counts a poll, and says whether its stacks are taken; of a second not more than `most`. */
static __always_inline bool await_second_takes(struct await_second *second, __u64 now, __u32 most)
{
	__u64 likely;

	if (second->number != now / AWAIT_SECOND_NS) {
		second->number = now / AWAIT_SECOND_NS;
		second->expected = second->seen;
		second->began = now;
		second->seen = 0;
		second->taken = 0;
	}
	__sync_fetch_and_add(&second->seen, 1);
	if (second->taken >= most)
		return false;
	likely = await_second_likely(second, now);
	if (likely > most && await_random() % likely >= most)
		return false;
	__sync_fetch_and_add(&second->taken, 1);
	return true;
}

#endif
