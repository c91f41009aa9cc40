// SPDX-License-Identifier: MIT
// links: attach tokio events unwind symbolize core util -lbpf -lZydis -ldw -lelf -liberty -lzstd
/*
 * attach_time PID: what it takes to attach to a process, once the BPF programs are loaded: to look
 * through its files for runtimes, and to put the probes there. Prints how many points its executable
 * has, and the microseconds.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/adapter.h"
#include "attach/calibrate.h"
#include "attach/plans.h"
#include "attach/targets.h"
#include "attach/tracer.h"
#include "attach/tracer_prepare.h"
#include "symbolize/elf_file.h"
#include "symbolize/kallsyms.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

static void notice(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "attach_time: %s\n", line);
}

/* Points in the process's executable. 0: it has none, or cannot be read. */
static size_t points_count(pid_t pid)
{
	const struct adapter_choice any = {0};
	struct plans *plans = plans_new(adapters, &any);
	const struct file_plans *found;
	struct elf_file *file;
	char path[32];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (plans && !elf_file_open_path(path, &file)) {
		if (plans_find(plans, file, &found) >= 0 && found->n)
			n = found->list[0].npoints;
		plans_free(plans);
		plans = NULL;
		elf_file_close(file);
	}
	plans_free(plans);
	return n;
}

/* Returns the number of runtimes, or a negative errno. */
static int attach(pid_t pid, uint64_t *took_ns)
{
	struct kallsyms *kallsyms = kallsyms_new(NULL);
	struct symbolizer *symbolizer = kallsyms ? symbolizer_new(kallsyms) : NULL;
	struct tracer_options options = {.ring_bytes = 1 << 16, .kallsyms = kallsyms};
	struct targets_options targets_options = {.symbolizer = symbolizer, .notice = notice};
	struct targets *targets = NULL;
	struct tracer *tracer = NULL;
	struct calibration cost;
	char why[256] = "";
	int err = symbolizer ? 0 : -ENOMEM;

	if (!err)
		err = tracer_prepare(&tracer, &options, &cost, why, sizeof(why));
	if (why[0])
		notice(NULL, why);
	if (err)
		goto out;
	targets_options.tracer = tracer;
	targets_options.cost = &cost;
	targets = targets_new(&targets_options);
	*took_ns = clock_monotonic_ns();
	err = targets ? targets_add(targets, pid, false) : -ENOMEM;
	*took_ns = clock_monotonic_ns() - *took_ns;
out:
	symbolizer_free(symbolizer);
	tracer_free(tracer);
	targets_free(targets);
	kallsyms_free(kallsyms);
	return err;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
	uint64_t took_ns;
	int n;

	if (pid <= 0) {
		fputs("usage: attach_time PID\n", stderr);
		return 2;
	}
	n = attach(pid, &took_ns);
	if (n <= 0) {
		fprintf(stderr, "attach_time: pid %d: %s\n", pid,
			n ? strerror(-n) : "no runtime found");
		return 1;
	}
	printf("%zu %.0f\n", points_count(pid), took_ns / 1e3);
	return 0;
}
