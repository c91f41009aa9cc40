// SPDX-License-Identifier: MIT
#include "attach/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "pollscope.skel.h"

static void attached_as(struct bpf_program *program, enum program_type type)
{
	bpf_program__set_expected_attach_type(program, (enum bpf_attach_type)type);
}

/* libbpf before 1.6 knows no session: the section of tokio_poll says multi too. */
void programs_choose(struct pollscope_bpf *skel, bool multi, bool session)
{
	struct bpf_program *const probes[] = {
		skel->progs.poll_start,
		skel->progs.poll_end,
		skel->progs.signal,
		skel->progs.tokio_poll_entry,
		skel->progs.tokio_poll_return,
		skel->progs.tokio_job_entry,
		skel->progs.tokio_job_return,
		skel->progs.tokio_wake,
		skel->progs.tokio_shutdown,
		skel->progs.await,
	};

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		attached_as(probes[i], multi ? PROGRAM_MULTI : PROGRAM_PERF);
	attached_as(skel->progs.tokio_poll, PROGRAM_SESSION);
	bpf_program__set_autoload(skel->progs.tokio_poll, session);
	bpf_program__set_autoload(skel->progs.tokio_poll_entry, !session);
	bpf_program__set_autoload(skel->progs.tokio_poll_return, !session);
}

size_t programs_uses(const struct pollscope_bpf *skel, struct probe_use uses[PROGRAM_USES])
{
	const struct probe_use all[PROGRAM_USES] = {
		{skel->progs.signal, PROBE_SIGNAL, PROBE_ENTRY},
		{skel->progs.signal, PROBE_WAKE, PROBE_ENTRY},
		{skel->progs.tokio_wake, PROBE_TOKIO_WAKE, PROBE_ENTRY},
		{skel->progs.tokio_shutdown, PROBE_TOKIO_SHUTDOWN, PROBE_ENTRY},
		{skel->progs.tokio_job_return, PROBE_TOKIO_JOB, PROBE_RETURN},
		{skel->progs.tokio_job_entry, PROBE_TOKIO_JOB, PROBE_ENTRY},
		{skel->progs.poll_end, PROBE_POLL_END, PROBE_ENTRY},
		{skel->progs.poll_start, PROBE_POLL_START, PROBE_ENTRY},
		{skel->progs.tokio_poll_return, PROBE_TOKIO_POLL, PROBE_RETURN},
		{skel->progs.tokio_poll_entry, PROBE_TOKIO_POLL, PROBE_ENTRY},
	};
	size_t n = PROGRAM_USES;

	memcpy(uses, all, sizeof(all));
	if (bpf_program__autoload(skel->progs.tokio_poll)) {
		n--;
		uses[n - 1] =
			(struct probe_use){skel->progs.tokio_poll, PROBE_TOKIO_POLL, PROBE_SESSION};
	}
	return n;
}

static uint64_t misses(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (!bpf_program__autoload(program) ||
	    bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

/* A waking is part of an interval off the CPU. */
void programs_missed(const struct pollscope_bpf *skel, uint64_t missed[WIRE_TYPES])
{
	memset(missed, 0, WIRE_TYPES * sizeof(*missed));
	missed[WIRE_POLL] = misses(skel->progs.poll_start) + misses(skel->progs.poll_end) +
			    misses(skel->progs.tokio_poll) + misses(skel->progs.tokio_poll_entry) +
			    misses(skel->progs.tokio_poll_return);
	missed[WIRE_OFFCPU] = misses(skel->progs.sched_switch) + misses(skel->progs.sched_waking);
	missed[WIRE_SAMPLE] = misses(skel->progs.sample);
	missed[WIRE_AWAIT] = misses(skel->progs.await);
	missed[WIRE_THREAD_TOTALS] = misses(skel->progs.process_exit);
	missed[WIRE_EXEC] = misses(skel->progs.process_exec);
	missed[WIRE_WAKE] = misses(skel->progs.tokio_wake);
	missed[WIRE_TERMINATE] = misses(skel->progs.tokio_shutdown);
	missed[WIRE_BLOCKING_START] = misses(skel->progs.tokio_job_entry);
	missed[WIRE_BLOCKING_END] = misses(skel->progs.tokio_job_return);
	missed[0] = misses(skel->progs.signal);
}
