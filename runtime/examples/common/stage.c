// SPDX-License-Identifier: MIT
#include "stage.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* The first of those that it may use. Where there are fewer, or too many to ask for, as it is. */
static void use_cpus(unsigned int count)
{
	cpu_set_t allowed, chosen;

	CPU_ZERO(&chosen);
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&chosen) < (int)count; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			CPU_SET(cpu, &chosen);
	}
	sched_setaffinity(0, sizeof(chosen), &chosen);
}

int stage_error(const struct stage *stage, const char *what, int err)
{
	if (err)
		fprintf(stderr, "%s: %s: %s\n", stage->options.example->name, what, strerror(-err));
	return err;
}

int stage_start(struct stage *stage)
{
	int err;

	use_cpus(STAGE_CPUS);
	err = pollrt_runtime_create(&stage->rt, &stage->config);
	if (err)
		return stage_error(stage, "cannot start the runtime", err);
	stage->workers = pollrt_runtime_workers(stage->rt);
	return stage_error(stage, "cannot listen", server_start(&stage->server, stage->rt));
}

int stage_load(struct stage *stage)
{
	stage->load.streams = stage->streams;
	stage->load.duration_ns = stage->options.duration_ns;
	return stage_error(stage, "the load failed",
			   load_run(&stage->load, server_port(&stage->server)));
}

void stage_stop(struct stage *stage)
{
	if (!stage->rt)
		return;
	pollrt_runtime_shutdown(stage->rt);
	pollrt_metrics(stage->rt, &stage->metrics);
	server_close(&stage->server);
	pollrt_runtime_destroy(stage->rt);
	stage->rt = NULL;
}

void stage_begin_truth(const struct stage *stage)
{
	truth_begin(&stage->options, &stage->load, &stage->metrics);
}
