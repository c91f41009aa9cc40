// SPDX-License-Identifier: MIT
#include "attach/cpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CPUS_MAX 8192 /* NR_CPUS of the largest kernels */

/* Adds first..last; false if that is no range or memory is out. */
static bool range_add(struct cpus *cpus, int first, int last)
{
	int *grown;

	if (first < 0 || last < first || last >= CPUS_MAX)
		return false;
	grown = realloc(cpus->cpu, (cpus->n + last - first + 1) * sizeof(*grown));
	if (!grown)
		return false;
	cpus->cpu = grown;
	for (int cpu = first; cpu <= last; cpu++)
		cpus->cpu[cpus->n++] = cpu;
	return true;
}

int cpus_online(struct cpus *cpus)
{
	FILE *in = fopen("/sys/devices/system/cpu/online", "re");
	int first, last, err = 0;
	char separator = ',';

	cpus->cpu = NULL;
	cpus->n = 0;
	if (!in)
		return -errno;
	while (separator == ',' && fscanf(in, "%d", &first) == 1) {
		last = first;
		if (fscanf(in, "-%d", &last) < 0 && ferror(in))
			err = -EIO;
		if (!range_add(cpus, first, last))
			err = -EINVAL;
		if (err || fscanf(in, "%c", &separator) != 1)
			break;
	}
	fclose(in);
	if (!err && !cpus->n)
		err = -EINVAL;
	if (err)
		cpus_release(cpus);
	return err;
}

void cpus_release(struct cpus *cpus)
{
	free(cpus->cpu);
	cpus->cpu = NULL;
	cpus->n = 0;
}
