// SPDX-License-Identifier: MIT
// links: attach symbolize core util -lbpf -ldw -lelf -liberty -lzstd
/*
 * empty_probes COMMAND [ARG...]: runs COMMAND with programs that do nothing on its polls' probes: what any
 * tracer of these probes costs at least. Attached as pollscope does it where the kernel can: sleepable
 * multi-uprobes, filtered by process.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "symbolize/elf_file.h"

/* A program `return 0`. Returns its descriptor or a negative errno. */
static int program_load(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_UPROBE_MULTI,
		    .prog_flags = BPF_F_SLEEPABLE);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "empty", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
}

/* Puts the program on the points of one kind; the link lives as long as this process. */
static int points_attach(int program, pid_t pid, const char *path, const struct probe_plan *plan,
			 enum probe_program kind)
{
	unsigned long *offsets = calloc(plan->npoints, sizeof(*offsets));
	LIBBPF_OPTS(bpf_link_create_opts, opts, .uprobe_multi = { .path = path,
		    .offsets = offsets, .pid = pid });
	int link;

	if (!offsets)
		return -ENOMEM;
	for (size_t i = 0; i < plan->npoints; i++)
		if (plan->points[i].program == kind)
			offsets[opts.uprobe_multi.cnt++] = plan->points[i].offset;
	link = bpf_link_create(program, 0, BPF_TRACE_UPROBE_MULTI, &opts);
	free(offsets);
	return link < 0 ? link : 0;
}

static int probes_attach(pid_t pid, const char *path)
{
	struct probe_plan plan = { 0 };
	struct elf_file *file;
	int err = elf_file_open_path(path, &file), program;

	if (err)
		return err;
	err = adapter_pollrt.scan(file, &plan);
	if (!err && !probe_plan_complete(&plan))
		err = -ENOENT;
	program = err ? err : program_load();
	err = program < 0 ? program
			  : points_attach(program, pid, path, &plan, PROBE_POLL_END);
	if (!err)
		err = points_attach(program, pid, path, &plan, PROBE_POLL_START);
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
