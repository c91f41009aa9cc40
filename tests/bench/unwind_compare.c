// SPDX-License-Identifier: MIT
// links: attach tokio events unwind symbolize core util -lbpf -lZydis -ldw -lelf -liberty -lzstd
/*
 * unwind_compare PID ROUNDS: stops a process that many times, and compares the stacks that the programs take
 * as its threads stop inside of polls with what elfutils makes of the stopped threads, frame by frame. Prints
 * how many there were, and how many are equal; those that are not, on stderr. Ends with 1 where less than
 * 99.5 % are.
 *
 * elfutils does not know return probes: where its stack ends in the kernel's code for them, equal means as far
 * as that.
 */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attach/capture.h"
#include "core/stack_end.h"
#include "util/clock.h"

#define FRAMES 128
#define STACKS_MAX 100000
#define SHOWN 20
#define ROUND_MS 200 /* a process that does not stop by then is left alone */

struct taken {
	uint32_t tid;
	uint64_t from, to; /* it was taken in between */
	uint32_t n;
	uint64_t frames[FRAMES];
	bool exact
		[FRAMES]; /* the address is where it runs, or was interrupted: not behind a call */
};

/* Ours, and elfutils'. */
struct stacks {
	struct taken *list;
	size_t n;
};

struct comparison {
	struct event_sink sink;
	pid_t pid;
	volatile sig_atomic_t ended;
	volatile bool started;
	uint64_t probes_start, probes_end; /* the kernel's code for return probes */
	struct stacks ours, theirs;
	struct taken *taking;
};

static struct taken *stacks_add(struct stacks *stacks)
{
	struct taken *taken;

	if (stacks->n == STACKS_MAX)
		return NULL;
	taken = &stacks->list[stacks->n++];
	taken->n = 0;
	return taken;
}

/* ---- ours ---- */

static int event_take(struct event_sink *sink, const struct event *event)
{
	struct comparison *c = (struct comparison *)sink;
	const struct event_stack *stack = &event->offcpu.stack;
	struct taken *taken;

	if (event->type != EVENT_OFFCPU || event->offcpu.cause != EVENT_CAUSE_STOPPED ||
	    !stack->nuser)
		return 0;
	taken = stacks_add(&c->ours);
	if (!taken)
		return 0;
	taken->tid = event->tid;
	taken->from = taken->to = event->offcpu.out;
	taken->n = stack->nuser;
	memcpy(taken->frames, stack->frames + stack->nkernel, stack->nuser * sizeof(uint64_t));
	return 0;
}

static void progress(void *ctx, const struct capture_progress *progress)
{
	struct comparison *c = ctx;

	c->started = progress->started;
}

static void notice(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "unwind_compare: %s\n", line);
}

static void *capture(void *argument)
{
	struct comparison *c = argument;
	struct capture_options options = {
		.pids = &c->pid,
		.npids = 1,
		.ring_bytes = 8 << 20,
		.one_in = 1,
		.tool_version = "",
		.command_line = "",
		.interrupted = &c->ended,
		.progress = progress,
		.notice = notice,
		.ctx = c,
	};
	char why[512];

	if (capture_run(&options, &c->sink, why, sizeof(why)))
		notice(NULL, why);
	c->ended = 1;
	return NULL;
}

/* ---- elfutils' ---- */

static int frame_take(Dwfl_Frame *frame, void *argument)
{
	struct comparison *c = argument;
	struct taken *taken = c->taking;
	Dwarf_Addr pc;
	bool exact;

	if (taken->n == FRAMES - 1 || !dwfl_frame_pc(frame, &pc, &exact))
		return DWARF_CB_ABORT;
	taken->exact[taken->n] = exact;
	taken->frames[taken->n++] = pc;
	return DWARF_CB_OK;
}

static int thread_take(Dwfl_Thread *thread, void *argument)
{
	struct comparison *c = argument;

	c->taking = stacks_add(&c->theirs);
	if (!c->taking)
		return DWARF_CB_ABORT;
	c->taking->tid = dwfl_thread_tid(thread);
	dwfl_thread_getframes(thread, frame_take, c);
	return DWARF_CB_OK;
}

static char *debug_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.debuginfo_path = &debug_path,
};

static void threads_take(struct comparison *c)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (dwfl && !dwfl_linux_proc_report(dwfl, c->pid) && !dwfl_report_end(dwfl, NULL, NULL) &&
	    !dwfl_linux_proc_attach(dwfl, c->pid, false))
		dwfl_getthreads(dwfl, thread_take, c);
	dwfl_end(dwfl);
}

/* Whether the process is stopped, all of it: its first thread stops last, or close to it. */
static bool is_stopped(pid_t pid)
{
	char path[64], line[512] = "";
	const char *state;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	state = fgets(line, sizeof(line), in) ? strrchr(line, ')') : NULL;
	fclose(in);
	return state && state[1] == ' ' && state[2] == 'T';
}

static void pause_us(unsigned int us)
{
	struct timespec t = {.tv_nsec = us * 1000L};

	nanosleep(&t, NULL);
}

/* The kernel maps them where the first probe is hit; a process that has ended shows nothing any more. */
static void probes_find(struct comparison *c)
{
	char path[64], line[512];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/maps", c->pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in))
		if (strstr(line, "[uprobes]"))
			sscanf(line, "%" SCNx64 "-%" SCNx64, &c->probes_start, &c->probes_end);
	if (in)
		fclose(in);
}

static void round_run(struct comparison *c)
{
	uint64_t from = clock_monotonic_ns(), to;
	size_t first = c->theirs.n;

	kill(c->pid, SIGSTOP);
	for (int i = 0; i < ROUND_MS && !is_stopped(c->pid); i++)
		pause_us(1000);
	pause_us(1000);
	to = clock_monotonic_ns();
	threads_take(c);
	if (!c->probes_end)
		probes_find(c);
	kill(c->pid, SIGCONT);
	for (size_t i = first; i < c->theirs.n; i++) {
		c->theirs.list[i].from = from;
		c->theirs.list[i].to = to;
	}
	pause_us(1000 + rand() % 5000);
}

/* ---- what they say ---- */

static const struct taken *ours_of(const struct comparison *c, const struct taken *theirs,
				   size_t *from)
{
	/* Both are by time. */
	while (*from < c->ours.n && c->ours.list[*from].from < theirs->from)
		++*from;
	for (size_t i = *from; i < c->ours.n && c->ours.list[i].from <= theirs->to; i++)
		if (c->ours.list[i].tid == theirs->tid)
			return &c->ours.list[i];
	return NULL;
}

static bool is_probe(const struct comparison *c, uint64_t address)
{
	return address >= c->probes_start && address < c->probes_end;
}

/* Ours of signal frames, and of what they interrupted, are one more (bpf/unwind.bpf.h). */
static bool same_address(const struct taken *theirs, uint32_t i, uint64_t ours)
{
	bool exact = theirs->exact[i] || (i + 1 < theirs->n && theirs->exact[i + 1]);

	return ours == theirs->frames[i] || (i && exact && ours == theirs->frames[i] + 1);
}

/* Where ours ends early, theirs has nothing more, or nonsense. */
static bool same(const struct comparison *c, const struct taken *theirs, const struct taken *ours)
{
	uint32_t i;

	for (i = 0; i < theirs->n; i++) {
		if (is_probe(c, theirs->frames[i]))
			return true;
		if (i < ours->n && ours->frames[i] >= STACK_MARK)
			return i + 1 == theirs->n;
		if (i == ours->n || !same_address(theirs, i, ours->frames[i]))
			return false;
	}
	return i == ours->n || ours->frames[i] >= STACK_MARK;
}

static void show(const char *whose, const struct taken *taken)
{
	fprintf(stderr, "%s:", whose);
	for (uint32_t i = 0; i < taken->n; i++)
		fprintf(stderr, " %" PRIx64, taken->frames[i]);
	fputc('\n', stderr);
}

static int compare(const struct comparison *c)
{
	size_t from = 0, compared = 0, equal = 0, shown = 0, frames = 0;

	for (size_t i = 0; i < c->theirs.n; i++) {
		const struct taken *theirs = &c->theirs.list[i], *ours = ours_of(c, theirs, &from);

		if (!ours || !theirs->n)
			continue;
		compared++;
		frames += theirs->n;
		if (same(c, theirs, ours)) {
			equal++;
		} else if (shown++ < SHOWN) {
			show("elfutils ", theirs);
			show("pollscope", ours);
		}
	}
	printf("%zu stacks compared, %zu equal (%.2f%%), %zu frames\n", compared, equal,
	       compared ? 100.0 * (double)equal / (double)compared : 0.0, frames);
	return compared && equal * 1000 >= compared * 995 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct comparison c = {.sink.take = event_take};
	pthread_t thread;
	size_t rounds = 0;

	if (argc == 3) {
		c.pid = atoi(argv[1]);
		rounds = strtoul(argv[2], NULL, 10);
	}
	if (c.pid <= 0 || !rounds) {
		fputs("usage: unwind_compare PID ROUNDS\n", stderr);
		return 2;
	}
	c.ours.list = calloc(STACKS_MAX, sizeof(*c.ours.list));
	c.theirs.list = calloc(STACKS_MAX, sizeof(*c.theirs.list));
	if (!c.ours.list || !c.theirs.list || pthread_create(&thread, NULL, capture, &c))
		return 1;
	while (!c.started && !c.ended)
		pause_us(1000);
	for (size_t i = 0; i < rounds && !c.ended; i++)
		round_run(&c);
	c.ended = 1;
	pthread_join(thread, NULL);
	return compare(&c);
}
