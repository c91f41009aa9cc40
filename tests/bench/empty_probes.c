// SPDX-License-Identifier: MIT
// links: attach tokio events unwind symbolize core util -lbpf -lZydis -ldw -lelf -liberty -lzstd
/*
 * empty_probes COMMAND [ARG...]: runs COMMAND with programs that do nothing on its polls' probes:
 * what any tracer of these probes costs at least. They are pollscope's own programs, attached as it
 * attaches them, but each is a `return 0` when it is loaded.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/plans.h"
#include "attach/probe_links.h"
#include "attach/programs.h"
#include "pollscope.skel.h"
#include "symbolize/elf_file.h"

#define PROBES "uprobe.multi.s" /* the section of programs on probes */

/* Called by libbpf for each program before it is loaded: that is when its instructions can change. */
static int program_empty(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	static struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	(void)cookie;
	opts->prog_flags |= BPF_F_SLEEPABLE;
	opts->func_info_cnt = 0;
	opts->line_info_cnt = 0;
	return bpf_program__set_insns(program, nothing, sizeof(nothing) / sizeof(nothing[0]));
}

static int programs_load(struct pollscope_bpf **out, bool multi)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = program_empty);
	int err = libbpf_register_prog_handler(PROBES, BPF_PROG_TYPE_KPROBE, 0, &opts);
	struct bpf_program *program;
	struct pollscope_bpf *skel;

	if (err < 0)
		return err;
	skel = pollscope_bpf__open();
	if (!skel)
		return -errno;
	bpf_object__for_each_program(program, skel->obj) bpf_program__set_autoload(
		program, !strcmp(bpf_program__section_name(program), PROBES));
	programs_choose(skel, multi, multi && probe_links_session());
	bpf_map__set_max_entries(skel->maps.rings, libbpf_num_possible_cpus());
	*out = skel;
	return pollscope_bpf__load(skel);
}

static int plan_attach(pid_t pid, const char *path, const struct probe_plan *plan, bool multi)
{
	struct probe_links links = {.multi = multi}; /* they live as long as this process */
	struct probe_use uses[PROGRAM_USES];
	struct pollscope_bpf *skel = NULL;
	int err = programs_load(&skel, multi);
	uint32_t *cookies = calloc(plan->npoints, sizeof(*cookies)); /* nobody reads them */
	size_t n;

	if (!err && !cookies)
		err = -ENOMEM;
	n = err ? 0 : programs_uses(skel, uses);
	for (size_t i = 0; !err && i < n; i++)
		err = probe_links_add(&links, &uses[i], pid, path, plan, 0, cookies);
	free(cookies);
	return err;
}

static int probes_attach(pid_t pid, const char *path)
{
	const struct adapter_choice any = {0};
	struct plans *plans = plans_new(adapters, &any);
	const struct file_plans *found;
	struct elf_file *file;
	int err = plans ? elf_file_open_path(path, &file) : -ENOMEM;

	if (err)
		goto out;
	err = plans_find(plans, file, &found);
	if (err >= 0)
		err = found->n && probe_plan_complete(&found->list[0]) ? 0 : -ENOENT;
	if (!err)
		err = plan_attach(pid, path, &found->list[0], true);
	/* Before 6.6 there are no multi-uprobes. */
	if (err == -EINVAL)
		err = plan_attach(pid, path, &found->list[0], false);
	plans_free(plans);
	plans = NULL;
	elf_file_close(file);
out:
	plans_free(plans);
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
