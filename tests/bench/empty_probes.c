// SPDX-License-Identifier: MIT
// links: attach symbolize core util -lbpf -ldw -lelf -liberty -lzstd
/*
 * empty_probes COMMAND [ARG...]: runs COMMAND with programs that do nothing on its polls' probes:
 * what any tracer of these probes costs at least. Attached as pollscope does it: sleepable and
 * filtered by process, as multi-uprobes, or where the kernel has none (before 6.6) as a perf event
 * for each point.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "symbolize/elf_file.h"

/* A program `return 0`. Returns its descriptor or a negative errno. */
static int program_load(enum bpf_attach_type type)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type,
		    .prog_flags = BPF_F_SLEEPABLE);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "empty", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
}

/* The points of a poll's start or end. */
struct points {
	unsigned long *offsets;
	size_t n;
};

static int points_collect(struct points *points, const struct probe_plan *plan,
			  enum probe_program kind)
{
	points->n = 0;
	points->offsets = calloc(plan->npoints, sizeof(*points->offsets));
	if (!points->offsets)
		return -ENOMEM;
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].program == kind)
			points->offsets[points->n++] = plan->points[i].offset;
	return 0;
}

/* Links live as long as this process. */
static int multi_attach(pid_t pid, const char *path, const struct points *points)
{
	LIBBPF_OPTS(
		bpf_link_create_opts, opts,
		.uprobe_multi = {
			.path = path, .offsets = points->offsets, .cnt = points->n, .pid = pid});
	int program = program_load(BPF_TRACE_UPROBE_MULTI), link;

	if (program < 0)
		return program;
	link = bpf_link_create(program, 0, BPF_TRACE_UPROBE_MULTI, &opts);
	return link < 0 ? link : 0;
}

static int uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	int type;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &type) != 1)
		type = -EIO;
	fclose(file);
	return type;
}

static int perf_attach(pid_t pid, const char *path, const struct points *points)
{
	int program = program_load(0), type = uprobe_type();

	if (program < 0 || type < 0)
		return program < 0 ? program : type;
	for (size_t i = 0; i < points->n; i++) {
		struct perf_event_attr attr = {
			.type = (uint32_t)type,
			.size = sizeof(attr),
			.uprobe_path = (uintptr_t)path,
			.probe_offset = points->offsets[i],
		};
		int event =
			(int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
		int link =
			event < 0 ? -errno : bpf_link_create(program, event, BPF_PERF_EVENT, NULL);

		if (link < 0)
			return link;
	}
	return 0;
}

static int points_attach(pid_t pid, const char *path, const struct probe_plan *plan,
			 enum probe_program kind)
{
	struct points points;
	int err = points_collect(&points, plan, kind);

	if (err)
		return err;
	err = multi_attach(pid, path, &points);
	if (err)
		err = perf_attach(pid, path, &points);
	free(points.offsets);
	return err;
}

static int probes_attach(pid_t pid, const char *path)
{
	struct probe_plan plan = {0};
	struct elf_file *file;
	int err = elf_file_open_path(path, &file);

	if (err)
		return err;
	err = adapter_pollrt.scan(file, &plan);
	if (!err && !probe_plan_complete(&plan))
		err = -ENOENT;
	if (!err)
		err = points_attach(pid, path, &plan, PROBE_POLL_END);
	if (!err)
		err = points_attach(pid, path, &plan, PROBE_POLL_START);
	probe_plan_release(&plan);
	elf_file_close(file);
	return err;
}

int main(int argc, char **argv)
{
	int gate[2], err, status;
	char byte = 0;
	pid_t child;

	if (argc < 2) {
		fputs("usage: empty_probes COMMAND [ARG...]\n", stderr);
		return 2;
	}
	child = pipe(gate) ? -1 : fork();
	if (child < 0) {
		perror("empty_probes");
		return 1;
	}
	if (!child) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 1) /* else the parent failed */
			execv(argv[1], argv + 1);
		_exit(127);
	}
	close(gate[0]);
	err = probes_attach(child, argv[1]);
	if (err)
		fprintf(stderr, "empty_probes: %s: %s\n", argv[1], strerror(-err));
	else if (write(gate[1], &byte, 1) != 1)
		err = -EIO;
	close(gate[1]);
	waitpid(child, &status, 0);
	return err || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
