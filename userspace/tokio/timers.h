/* SPDX-License-Identifier: MIT */
/*
 * Functions of Tokio's timers (runtime/time/entry.rs; time/driver/entry.rs before 1.23), told by the places
 * that they panic at. A timer that is polled keeps a waker before it looks whether its time has come.
 */
#ifndef POLLSCOPE_TOKIO_TIMERS_H
#define POLLSCOPE_TOKIO_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct code;
struct elf_file;
struct image;

/* Of one function: link-time addresses. */
struct timer {
	uint64_t start, end;
};

struct timers {
	struct timer *list; /* some perhaps twice */
	size_t n;
};

/*
 * timers_find() - those in the image of a file: of the wheel that timers are in, too, and what calls small ones.
 * 0 or -ENOMEM.
 */
int timers_find(const struct elf_file *file, const struct image *image, struct code *code,
		struct timers *timers);

/* timers_release() - it is empty afterwards. */
void timers_release(struct timers *timers);

#endif
