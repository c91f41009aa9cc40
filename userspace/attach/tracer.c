// SPDX-License-Identifier: MIT
#include "attach/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attach/await_links.h"
#include "attach/cpus.h"
#include "attach/probe_links.h"
#include "attach/programs.h"
#include "attach/sched_table.h"
#include "attach/sites.h"
#include "attach/skipped.h"
#include "attach/unwind_maps.h"
#include "pollscope.skel.h"
#include "symbolize/elf_file.h"
#include "symbolize/kallsyms.h"
#include "util/clock.h"

struct tracer {
	struct pollscope_bpf *skel;
	int *rings;
	size_t nrings;
	struct probe_links links;
	struct await_links awaits;
	struct bpf_link **clocks; /* sampling */
	size_t nclocks;
	struct sites sites;
	struct unwind_maps *unwind; /* NULL: frame pointers */
	bool sampling;
	uint64_t rehearsed[WIRE_TYPES]; /* runs that were left out while rehearsing */
};

static int say(char *why, size_t why_len, int err, const char *what)
{
	snprintf(why, why_len, "%s: %s", what, strerror(-err));
	return err;
}

/* libbpf's own account of a failure is for developers: it stays silent but with POLLSCOPE_DEBUG set. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!getenv("POLLSCOPE_DEBUG") || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, args);
}

static int rings_create(struct tracer *t, size_t bytes)
{
	struct cpus online;
	int err = cpus_online(&online);

	if (err)
		return err;
	t->rings = calloc(online.n, sizeof(*t->rings));
	if (!t->rings) {
		cpus_release(&online);
		return -ENOMEM;
	}
	for (size_t i = 0; i < online.n; i++) {
		__u32 cpu = online.cpu[i];
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, bytes, NULL);

		if (fd < 0) {
			err = fd;
			break;
		}
		t->rings[t->nrings++] = fd;
		err = bpf_map_update_elem(bpf_map__fd(t->skel->maps.rings), &cpu, &fd, BPF_ANY);
		if (err)
			break;
	}
	cpus_release(&online);
	return err;
}

static int clock_attach(struct tracer *t, uint32_t hz)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = hz,
	};
	struct cpus online;
	int err = cpus_online(&online);

	if (err)
		return err;
	t->clocks = calloc(online.n, sizeof(*t->clocks));
	err = t->clocks ? 0 : -ENOMEM;
	for (size_t i = 0; !err && i < online.n; i++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, online.cpu[i], -1,
				 PERF_FLAG_FD_CLOEXEC);

		if (fd < 0) {
			err = -errno;
			break;
		}
		t->clocks[i] = bpf_program__attach_perf_event(t->skel->progs.sample, fd);
		if (t->clocks[i]) {
			t->nclocks++;
		} else {
			err = -errno;
			close(fd);
		}
	}
	cpus_release(&online);
	return err;
}

static void clock_detach(struct tracer *t)
{
	while (t->nclocks)
		bpf_link__destroy(t->clocks[--t->nclocks]);
	free(t->clocks);
	t->clocks = NULL;
}

static void settings_fill(struct tracer *t, struct kallsyms *kallsyms)
{
	struct kallsyms_range range;

	sched_table_descriptors(t->skel->bss->fd_syscalls);
	sched_table_wakers(t->skel->bss->waking_syscalls);
	if (!kallsyms_range(kallsyms, "__irqentry_text_start", &range))
		t->skel->bss->irqentry_start = range.start;
	if (!kallsyms_range(kallsyms, "__irqentry_text_end", &range))
		t->skel->bss->irqentry_end = range.start;
}

static int unwind_prepare(struct tracer *t)
{
	struct unwind_maps_options options = {
		.chunks = bpf_map__fd(t->skel->maps.unwind_chunks),
		.processes = bpf_map__fd(t->skel->maps.unwind_processes),
		.rules = bpf_map__fd(t->skel->maps.unwind_rules),
	};

	return t->skel->rodata->unwind_by_fp ? 0 : unwind_maps_new(&t->unwind, &options);
}

static void awaits_prepare(struct tracer *t, bool multi)
{
	t->awaits = (struct await_links){
		.use = {t->skel->progs.await, PROBE_AWAIT, PROBE_ENTRY},
		.sites = bpf_map__fd(t->skel->maps.sites),
		.on = true,
		.links.multi = multi,
	};
}

static size_t ring_size(size_t bytes)
{
	size_t size = getpagesize();

	while (size < bytes)
		size <<= 1;
	return size;
}

int tracer_open(struct tracer **out, const struct tracer_options *options, char *why,
		size_t why_len)
{
	struct tracer *t = calloc(1, sizeof(*t));
	size_t bytes = ring_size(options->ring_bytes);
	const char *what = "cannot open the BPF programs";
	int err = -ENOMEM;

	*out = NULL;
	if (!t)
		return say(why, why_len, err, what);
	libbpf_set_print(print_libbpf);
	t->links.multi = options->multi;
	t->skel = pollscope_bpf__open();
	if (!t->skel) {
		err = -errno;
		goto fail;
	}
	programs_choose(t->skel, options->multi, options->session);
	bpf_program__set_autoload(t->skel->progs.await, options->await_stacks);
	t->skel->rodata->await_stacks = options->await_stacks;
	t->skel->rodata->unwind_by_fp = options->frame_pointers;
	bpf_map__set_max_entries(t->skel->maps.rings, libbpf_num_possible_cpus());
	what = "cannot load the BPF programs";
	err = pollscope_bpf__load(t->skel);
	if (err)
		goto fail;
	settings_fill(t, options->kallsyms);
	if (options->await_stacks)
		awaits_prepare(t, options->multi);
	err = unwind_prepare(t);
	if (err)
		goto fail;
	what = "cannot create the ring buffers (try a smaller --buffer)";
	err = rings_create(t, bytes);
	if (err)
		goto fail;
	what = "cannot attach to the scheduler's tracepoints";
	err = pollscope_bpf__attach(t->skel);
	if (err)
		goto fail;
	what = "cannot take CPU samples (use -F 0 to do without)";
	err = options->sample_hz ? clock_attach(t, options->sample_hz) : 0;
	if (err)
		goto fail;
	*out = t;
	return 0;
fail:
	tracer_free(t);
	return say(why, why_len, err, what);
}

void tracer_free(struct tracer *t)
{
	if (!t)
		return;
	probe_links_release(&t->links);
	await_links_release(&t->awaits);
	clock_detach(t);
	unwind_maps_free(t->unwind);
	pollscope_bpf__destroy(t->skel);
	for (size_t i = 0; i < t->nrings; i++)
		close(t->rings[i]);
	free(t->rings);
	free(t);
}

const int *tracer_rings(const struct tracer *t, size_t *n)
{
	*n = t->nrings;
	return t->rings;
}

/* Runs a thread iterator over one process. */
static int walk_by(const struct bpf_program *program, pid_t pid)
{
	union bpf_iter_link_info info = {.task.pid = pid};
	DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
			    .link_info_len = sizeof(info));
	struct bpf_link *link;
	char byte;
	int fd, err = 0;

	link = bpf_program__attach_iter(program, &opts);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = fd;
	else if (read(fd, &byte, 1) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

static int walk(struct tracer *t, pid_t pid, uint16_t process, enum iter_mode mode)
{
	t->skel->bss->iter_mode = mode;
	t->skel->bss->iter_process = process;
	return walk_by(t->skel->progs.walk_threads, pid);
}

int tracer_register(struct tracer *t, pid_t pid, uint16_t process)
{
	return walk(t, pid, process, ITER_REGISTER);
}

int tracer_name_threads(struct tracer *t, pid_t pid, uint16_t process)
{
	return walk(t, pid, process, ITER_START);
}

/* Enters the plan's sites into the table; which row each point has. 0 or a negative errno. */
static int sites_enter(struct tracer *t, const struct probe_plan *plan, uint16_t source,
		       uint32_t *row)
{
	int map = bpf_map__fd(t->skel->maps.sites), err = 0;
	size_t n = sites_number(plan->points, plan->npoints, row), entered = 0;
	int first = sites_take(&t->sites, source, n);

	if (first < 0)
		return first;
	for (size_t i = 0; !err && i < plan->npoints; i++) {
		struct probe_site site = plan->points[i].site;

		/* Rows are numbered in the order in which the points first have them. */
		if (row[i] == entered) {
			__u32 index = first + entered++;

			site.source = source;
			err = bpf_map_update_elem(map, &index, &site, BPF_ANY);
		}
		row[i] += first;
	}
	return err;
}

/* Those that are not worth their cost where most polls are left out. */
static bool is_wake(enum probe_program which)
{
	return which == PROBE_WAKE || which == PROBE_TOKIO_WAKE;
}

int tracer_attach(struct tracer *t, pid_t pid, const struct elf_file *file,
		  const struct probe_plan *plan, uint16_t source, int *refused)
{
	struct probe_use uses[PROGRAM_USES];
	size_t links = t->links.n, nuses = programs_uses(t->skel, uses);
	uint32_t *row = calloc(plan->npoints, sizeof(*row));
	int err = row ? sites_enter(t, plan, source, row) : -ENOMEM;

	for (size_t i = 0; !err && i < nuses; i++) {
		if (t->sampling && is_wake(uses[i].which))
			continue;
		err = probe_links_add(&t->links, &uses[i], pid, file->fd_path, plan, source, row);
	}
	*refused = 0;
	if (!err && !t->sampling)
		*refused = await_links_add(&t->awaits, pid, file->fd_path, plan, source, row);
	free(row);
	if (*refused)
		await_links_remove(&t->awaits, source);
	if (*refused == -ENOMEM)
		err = *refused;
	if (err) {
		probe_links_cut(&t->links, links);
		await_links_remove(&t->awaits, source);
		sites_give_back(&t->sites, source);
	}
	return err;
}

void tracer_detach(struct tracer *t, uint16_t source)
{
	probe_links_remove(&t->links, source);
	await_links_remove(&t->awaits, source);
	sites_give_back(&t->sites, source);
}

int tracer_unwind(struct tracer *t, pid_t pid, uint16_t process, const struct map_entry *entries,
		  const struct elf_file *const *files, size_t n)
{
	int err, walked;

	if (!t->unwind)
		return 0;
	err = unwind_maps_put(t->unwind, process, entries, files, n);
	walked = walk_by(t->skel->progs.walk_asleep, pid);
	return err ? err : walked;
}

void tracer_unwind_forget(struct tracer *t, uint16_t process)
{
	if (t->unwind)
		unwind_maps_forget(t->unwind, process);
}

uint64_t tracer_unwound_nowhere(const struct tracer *t)
{
	return __atomic_load_n(&t->skel->bss->unwound_nowhere, __ATOMIC_RELAXED);
}

static void phase_set(struct tracer *t, enum trace_phase phase)
{
	__atomic_store_n(&t->skel->bss->phase, phase, __ATOMIC_RELEASE);
}

uint64_t tracer_start(struct tracer *t)
{
	uint64_t now = clock_monotonic_ns();

	t->skel->bss->capture_start = now;
	phase_set(t, PHASE_RECORDING);
	return now;
}

uint64_t tracer_stop(struct tracer *t, const pid_t *pids, const uint16_t *processes, size_t n)
{
	uint64_t now = clock_monotonic_ns();

	t->skel->bss->capture_end = now;
	phase_set(t, PHASE_ENDED);
	await_links_switch(&t->awaits, false);
	probe_links_cut(&t->links, 0);
	clock_detach(t);
	/* A thread that exits before it is walked is reported by the program on exits: that stays on. */
	for (size_t i = 0; i < n; i++)
		walk(t, pids[i], processes[i], ITER_END);
	pollscope_bpf__detach(t->skel);
	return now;
}

uint64_t tracer_sample(struct tracer *t, uint32_t one_in)
{
	uint64_t now;

	t->sampling = true;
	__atomic_store_n(&t->skel->bss->sample_one_in, one_in, __ATOMIC_RELAXED);
	/* Polls are left out from here on; taking the probes off is what takes time. */
	now = clock_monotonic_ns();
	await_links_switch(&t->awaits, false);
	probe_links_stop(&t->links, PROBE_WAKE);
	probe_links_stop(&t->links, PROBE_TOKIO_WAKE);
	return now;
}

struct await_links *tracer_awaits(struct tracer *t)
{
	return &t->awaits;
}

int tracer_skipped(const struct tracer *t,
		   int (*each)(void *ctx, uint16_t source, uint64_t kind, uint64_t polls),
		   void *ctx)
{
	return skipped_each(bpf_map__fd(t->skel->maps.skipped), each, ctx);
}

void tracer_rehearse(struct tracer *t, uint32_t one_in)
{
	phase_set(t, one_in ? PHASE_RECORDING : PHASE_ATTACHING);
	t->skel->bss->sample_one_in = one_in;
	if (one_in)
		return;
	t->sites = (struct sites){0};
	await_links_forget(&t->awaits);
	skipped_forget(bpf_map__fd(t->skel->maps.skipped));
	memset(t->skel->bss->lost, 0, sizeof(t->skel->bss->lost));
	programs_missed(t->skel, t->rehearsed);
}

void tracer_lost(const struct tracer *t, uint64_t lost[WIRE_TYPES])
{
	programs_missed(t->skel, lost);
	for (size_t i = 0; i < WIRE_TYPES; i++) {
		lost[i] -= t->rehearsed[i];
		lost[i] += __atomic_load_n(&t->skel->bss->lost[i], __ATOMIC_RELAXED);
	}
}
