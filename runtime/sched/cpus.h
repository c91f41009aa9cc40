/* SPDX-License-Identifier: MIT */
/* How many CPUs the process may use at once: what its affinity and its CPU quota allow. */
#ifndef POLLRT_CPUS_H
#define POLLRT_CPUS_H

#include <stdint.h>

/** The lesser of the CPUs in the affinity mask and the quota, at least 1. */
uint32_t cpus_available(void);

/**
 * The least CPU quota among the process's cgroups, as a number of CPUs; 0 if there is none. Of both
 * versions of cgroups, and of all levels that can be seen (cgroups(7), the kernel's
 * admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst). Files are looked for below @root, "" but
 * in tests.
 *
 * It is rounded up: of 1.5 CPUs one worker could use but one. (Rust's available_parallelism()
 * rounds down; Go and the JVM round up.)
 */
uint32_t cpus_quota(const char *root);

#endif
