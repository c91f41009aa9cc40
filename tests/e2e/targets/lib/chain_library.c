// SPDX-License-Identifier: MIT
/* A library that is loaded while it is traced, to see whether stacks lead through it. */
#include <time.h>

static __attribute__((noinline)) int library_sleep(const struct timespec *pause)
{
	return nanosleep(pause, NULL) + 1;
}

static const struct timespec pause = {.tv_nsec = 1000000};

int chain_library_sleep(void);
int chain_library_sleep(void)
{
	return library_sleep(&pause) + 1;
}

/* Bound when it is first called, by a loader that asks for the one to take. */
int chosen_late(void);

static int only_choice(void)
{
	return 0;
}

static __attribute__((used)) int (*choose(void))(void)
{
	library_sleep(&pause);
	return only_choice;
}

int chosen_late(void) __attribute__((ifunc("choose")));

int chain_library_lazy(void);
int chain_library_lazy(void)
{
	return chosen_late() + 1;
}
