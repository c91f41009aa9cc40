/* SPDX-License-Identifier: MIT */
/*
 * A hundred functions, level_00 to level_99, each of which calls the next one down to a depth, where a leaf is
 * called. Their frames are as unlike as compilers make them.
 */
#ifndef POLLSCOPE_E2E_CHAINS_H
#define POLLSCOPE_E2E_CHAINS_H

#include <alloca.h>
#include <string.h>

#define CHAIN_LEVELS 100

struct chain {
	unsigned int depth;
	int (*leaf)(struct chain *chain);
	void *context; /* the leaf's */
};

typedef int chain_level(struct chain *chain, unsigned int level);
static chain_level *const chain_levels[CHAIN_LEVELS];

static inline int chain_down(struct chain *chain, unsigned int level)
{
	return level < chain->depth ? chain_levels[level](chain, level) : chain->leaf(chain);
}

/* What keeps the call from being the last thing that its function does. */
#define CHAIN_STAY() __asm__ volatile("" ::: "memory")

/* A frame that holds nothing. */
#define CHAIN_SMALL(name)                                                                          \
	static __attribute__((noinline)) int name(struct chain *chain, unsigned int level)         \
	{                                                                                          \
		int result = chain_down(chain, level + 1);                                         \
		CHAIN_STAY();                                                                      \
		return result + 1;                                                                 \
	}

/* A large one. */
#define CHAIN_LARGE(name)                                                                          \
	static __attribute__((noinline)) int name(struct chain *chain, unsigned int level)         \
	{                                                                                          \
		volatile char room[900];                                                           \
		room[level] = 1;                                                                   \
		int result = chain_down(chain, level + 1);                                         \
		return result + room[level];                                                       \
	}

/* One whose size is known only when it runs: rbp is its frame's. */
#define CHAIN_VARIABLE(name)                                                                       \
	static __attribute__((noinline)) int name(struct chain *chain, unsigned int level)         \
	{                                                                                          \
		volatile char *room = alloca(level * 8 + 1);                                       \
		room[level] = 1;                                                                   \
		int result = chain_down(chain, level + 1);                                         \
		return result + room[level];                                                       \
	}

/* One that is aligned by itself: where its caller's is stands in memory. */
#define CHAIN_ALIGNED(name)                                                                        \
	static __attribute__((noinline)) int name(struct chain *chain, unsigned int level)         \
	{                                                                                          \
		volatile char room[256] __attribute__((aligned(64)));                              \
		room[level] = 1;                                                                   \
		int result = chain_down(chain, level + 1);                                         \
		return result + room[level];                                                       \
	}

/* One that has rbp for something else, as all callee-saved registers. */
#ifdef __x86_64__
#define CHAIN_SCRATCH_REGISTERS() __asm__ volatile("mov $1, %%ebp" ::: "rbp", "rbx", "r12", "r13")
#else
#define CHAIN_SCRATCH_REGISTERS() CHAIN_STAY()
#endif
#define CHAIN_REGISTERS(name)                                                                      \
	static __attribute__((noinline)) int name(struct chain *chain, unsigned int level)         \
	{                                                                                          \
		CHAIN_SCRATCH_REGISTERS();                                                         \
		int result = chain_down(chain, level + 1);                                         \
		CHAIN_SCRATCH_REGISTERS();                                                         \
		return result + 1;                                                                 \
	}

#define CHAIN_TEN(tens)                                                                            \
	CHAIN_SMALL(level_##tens##0)                                                               \
	CHAIN_LARGE(level_##tens##1)                                                               \
	CHAIN_REGISTERS(level_##tens##2)                                                           \
	CHAIN_VARIABLE(level_##tens##3)                                                            \
	CHAIN_REGISTERS(level_##tens##4)                                                           \
	CHAIN_ALIGNED(level_##tens##5)                                                             \
	CHAIN_REGISTERS(level_##tens##6)                                                           \
	CHAIN_SMALL(level_##tens##7)                                                               \
	CHAIN_LARGE(level_##tens##8)                                                               \
	CHAIN_VARIABLE(level_##tens##9)

#define CHAIN_NAMES(tens)                                                                          \
	level_##tens##0, level_##tens##1, level_##tens##2, level_##tens##3, level_##tens##4,       \
		level_##tens##5, level_##tens##6, level_##tens##7, level_##tens##8,                \
		level_##tens##9

CHAIN_TEN(0)
CHAIN_TEN(1)
CHAIN_TEN(2)
CHAIN_TEN(3)
CHAIN_TEN(4)
CHAIN_TEN(5)
CHAIN_TEN(6)
CHAIN_TEN(7)
CHAIN_TEN(8)
CHAIN_TEN(9)

static chain_level *const chain_levels[CHAIN_LEVELS] = {
	CHAIN_NAMES(0), CHAIN_NAMES(1), CHAIN_NAMES(2), CHAIN_NAMES(3), CHAIN_NAMES(4),
	CHAIN_NAMES(5), CHAIN_NAMES(6), CHAIN_NAMES(7), CHAIN_NAMES(8), CHAIN_NAMES(9),
};

#endif
