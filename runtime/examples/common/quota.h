/* SPDX-License-Identifier: MIT */
/* A cgroup with a quota of CPU time, as containers have, around this process. */
#ifndef EXAMPLES_QUOTA_H
#define EXAMPLES_QUOTA_H

#include <stdint.h>

#define QUOTA_PERIOD_US 100000u

struct quota {
	const char *hierarchy; /**< where it is mounted; static */
	char path[128];        /**< of the cgroup */
};

/**
 * Makes a cgroup whose processes may use @cpus CPUs, and puts this process into it. Returns 0, or a
 * negative errno: mostly -EACCES for who is not root, or -ENODEV where no controller is in the
 * usual places. Removes what processes have left behind that were killed in theirs.
 */
int quota_enter(struct quota *quota, unsigned int cpus);

/** For how long the kernel has stopped CPUs for the quota's sake, in ns summed over them. */
uint64_t quota_throttled_ns(const struct quota *quota);

/** Leaves it for the hierarchy's root, and removes it. */
void quota_leave(struct quota *quota);

#endif
