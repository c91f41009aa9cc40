// SPDX-License-Identifier: MIT
#include "clock.h"

#include <errno.h>
#include <time.h>

#define ROUNDS 2000

uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* FNV-1a over the bytes of a counter. */
static __attribute__((noinline)) uint64_t hash_rounds(uint64_t hash)
{
	for (unsigned int i = 0; i < ROUNDS; i++)
		hash = (hash ^ (i & 255)) * 1099511628211u;
	return hash;
}

uint64_t compute(uint64_t ns, uint64_t *digest)
{
	uint64_t start = thread_cpu_ns(), took;

	do {
		*digest = hash_rounds(*digest);
		took = thread_cpu_ns() - start;
	} while (took < ns);
	return took;
}

void thread_sleep(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}
