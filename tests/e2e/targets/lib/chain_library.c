// SPDX-License-Identifier: MIT
/* A library that is loaded while it is traced, to see whether stacks lead through it. */
#include <time.h>

static __attribute__((noinline)) int library_sleep(const struct timespec *pause)
{
	return nanosleep(pause, NULL) + 1;
}

int chain_library_sleep(void);
int chain_library_sleep(void)
{
	struct timespec pause = {.tv_nsec = 1000000};

	return library_sleep(&pause) + 1;
}
