// SPDX-License-Identifier: MIT
/* Setting a capture up, and taking it down. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/launch.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "attach/tracer_prepare.h"
#include "symbolize/kallsyms.h"
#include "symbolize/symbolizer.h"

/* A perf-event uprobe takes a descriptor for each point, a large target has many files. */
static void descriptors_raise(struct rlimit *before)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, before))
		return;
	limit = *before;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int capture_prepare(struct capture *c)
{
	struct targets_options targets;
	struct intake_options intake;
	struct tracer_options tracer = {
		.ring_bytes = c->options->ring_bytes,
		.sample_hz = c->options->sample_hz,
		.await_stacks = c->options->await_stacks,
		.frame_pointers = c->options->frame_pointers,
	};
	char why[256];
	int err;

	descriptors_raise(&c->descriptors);
	c->kallsyms = kallsyms_new(NULL);
	if (!c->kallsyms)
		return capture_fail_errno(c, -ENOMEM, "cannot capture");
	c->symbolizer = symbolizer_new(c->kallsyms);
	if (!c->symbolizer)
		return capture_fail_errno(c, -ENOMEM, "cannot capture");
	tracer.kallsyms = c->kallsyms;
	err = tracer_prepare(&c->tracer, &tracer, &c->cost, c->why, c->why_len);
	if (err == -EPERM && geteuid())
		return capture_fail(c, err,
				    "tracing needs root: run it by sudo, or with CAP_BPF and "
				    "CAP_PERFMON (pollscope doctor says more)");
	if (err) {
		snprintf(why, sizeof(why), "%s", c->why);
		return capture_fail(c, err, "%s (pollscope doctor says more)", why);
	}
	if (kallsyms_load(c->kallsyms))
		capture_notice(c,
			       "kernel symbols cannot be read (CAP_SYSLOG, kernel.kptr_restrict): "
			       "kernel frames have no names, page faults in system calls are not "
			       "told apart");
	targets = (struct targets_options){
		.tracer = c->tracer,
		.symbolizer = c->symbolizer,
		.cost = &c->cost,
		.choice = c->options->choice,
		.notice = capture_notice,
		.ctx = c,
	};
	c->targets = targets_new(&targets);
	if (!c->targets)
		return capture_fail_errno(c, -ENOMEM, "cannot capture");
	intake = (struct intake_options){
		.tracer = c->tracer,
		.targets = c->targets,
		.kallsyms = c->kallsyms,
		.sink = &c->passing,
	};
	err = intake_new(&c->intake, &intake);
	return err ? capture_fail_errno(c, err, "cannot read the ring buffers") : 0;
}

void capture_release(struct capture *c)
{
	launch_free(c->launch);
	intake_free(c->intake);
	symbolizer_free(c->symbolizer);
	tracer_free(c->tracer);
	capture_kinds_release(&c->kinds);
	capture_quotas_release(c);
	targets_free(c->targets); /* owns the files that were symbolized, and unwound by */
	kallsyms_free(c->kallsyms);
}
