/* SPDX-License-Identifier: MIT */
/*
 * The limits of CPU time that hold for a process: a cgroup's quota stops all that runs in it for the rest of a period
 * once they have used it up, which from inside looks as if CPUs were busy. Of both versions of cgroups (cgroups(7), the
 * kernel's admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst).
 */
#ifndef POLLSCOPE_ATTACH_CGROUP_QUOTA_H
#define POLLSCOPE_ATTACH_CGROUP_QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_QUOTAS 8 /* of a process, that are kept; a cgroup, and those around it */
#define CGROUP_PATH 256 /* longer ones are not looked at */
#define CGROUP_MOUNTS 4

/* Where hierarchies that may limit CPU time are mounted. */
struct cgroup_mounts {
	struct {
		char path[CGROUP_PATH];
		bool v2;
	} list[CGROUP_MOUNTS];
	unsigned int n;
};

/* What one cgroup's quota did since it was first seen to hold for the process. */
struct cgroup_quota {
	char cgroup[CGROUP_PATH]; /* in its hierarchy; as the kernel tells it */
	uint64_t quota_ns, period_ns;
	uint64_t periods, throttled, throttled_ns;
	uint64_t first_periods, first_throttled, first_throttled_ns; /* what it had done before */
};

/* All zero: none is known. */
struct cgroup_quotas {
	struct cgroup_quota list[CGROUP_QUOTAS];
	unsigned int n;
};

/* Files are looked for below `root`, "" but in tests: in what is found, too. */
void cgroup_mounts_find(struct cgroup_mounts *mounts, const char *root);

/*
 * Looks at those of the process's cgroup and of the ones around it, as far as they are mounted here. Those that it was
 * seen in before keep what they did.
 */
void cgroup_quotas_look(struct cgroup_quotas *quotas, const struct cgroup_mounts *mounts,
			const char *root, pid_t pid);

/* The one that has stopped the process's CPUs for the longest; of several that did not, the innermost. NULL: none. */
const struct cgroup_quota *cgroup_quotas_worst(const struct cgroup_quotas *quotas);

#endif
