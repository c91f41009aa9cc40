/* SPDX-License-Identifier: MIT */
/* The CPUs that are online. */
#ifndef POLLSCOPE_ATTACH_CPUS_H
#define POLLSCOPE_ATTACH_CPUS_H

#include <stdbool.h>
#include <stddef.h>

struct cpus {
	int *cpu; /* ascending */
	size_t n;
};

/* Reads them from sysfs; release with cpus_release(). 0 or a negative errno. */
int cpus_online(struct cpus *cpus);
void cpus_release(struct cpus *cpus);

#endif
