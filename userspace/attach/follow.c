// SPDX-License-Identifier: MIT
/*
 * How an image gets from exec to its entry point.
 *
 * A tracee runs freely (PHASE_RUNNING) until it executes something. Then a breakpoint goes to the
 * entry point that the kernel names in the auxiliary vector, and the tracee goes on from system
 * call to system call (PHASE_STARTING): the dynamic loader maps the libraries, and at the exit of
 * each mmap that made a file executable on_image looks at the process, before one instruction of
 * that file has run; constructors run after that. At the breakpoint the original instruction is put
 * back. A static program is there at once.
 *
 * EXITKILL is on only while a tracee is starting: it would die of the breakpoint anyway if we were
 * gone. A child forked by a constructor has a copy of the breakpoint, and so takes over its
 * parent's phase; a vforked one shares its parent's memory, and does not.
 *
 * A tracee can be killed at any moment: ptrace then fails with ESRCH, which is ignored throughout,
 * for the death itself is what waitpid reports next.
 */
#include "attach/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "attach/entry_stop.h"
#include "attach/procfs.h"
#include "util/native.h"

#define FOLLOW_OPTIONS                                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |   \
	 PTRACE_O_TRACECLONE)
#define SYSCALL_STOP (SIGTRAP | 0x80)
/* All are let go at the first claim; only those that were starting then add to it. */
#define MAX_CLAIMS 64

enum phase {
	PHASE_NEW,     /* attached by the kernel as a child of a tracee; first stop still to come */
	PHASE_RUNNING, /* runs freely */
	PHASE_STARTING, /* runs from system call to system call to its entry point */
	PHASE_HELD,     /* first image, stopped at its entry point */
	PHASE_GONE,     /* a thread that another thread's exec ended; freed by the next sweep */
};

struct tracee {
	pid_t tid;
	pid_t tgid;
	enum phase phase;
	enum phase inherited; /* what a PHASE_NEW becomes */
	bool maps_code;       /* is inside an mmap that makes a file executable */
	bool claimed;
	struct entry_stop stop;
	UT_hash_handle hh;
};

struct follow {
	int (*on_image)(pid_t pid, void *ctx);
	void *ctx;
	struct tracee *tracees;
	pid_t first;
	int first_status;
	bool hold; /* the first image is to stop at its entry point */
	bool letting_go;
	int error; /* on_image's, to be returned by follow_sweep */
	struct follow_claim claims[MAX_CLAIMS];
	size_t claim_count;
};

static struct tracee *tracee_add(struct follow *follow, pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (!tracee)
		return NULL;
	tracee->tid = tid;
	tracee->tgid = tid;
	HASH_ADD(hh, follow->tracees, tid, sizeof(tracee->tid), tracee);
	return tracee;
}

static void tracee_remove(struct follow *follow, struct tracee *tracee)
{
	HASH_DEL(follow->tracees, tracee);
	free(tracee);
}

/* One that is gone is its own: it is let go like any other. */
static pid_t thread_group(pid_t tid)
{
	pid_t tgid = procfs_thread_group(tid);

	return tgid < 0 ? tid : tgid;
}

/* Lets a stopped tracee go on, signal (0: none) delivered; untraced if all are being let go. */
static void tracee_resume(struct follow *follow, struct tracee *tracee, int signal)
{
	if (follow->letting_go) {
		entry_stop_remove(&tracee->stop, tracee->tid);
		tracee->phase = PHASE_RUNNING;
		/* One that was killed is kept, for its death is reported to us first. */
		if (!ptrace(PTRACE_DETACH, tracee->tid, 0, (long)signal))
			tracee_remove(follow, tracee);
		return;
	}
	ptrace(tracee->phase == PHASE_STARTING ? PTRACE_SYSCALL : PTRACE_CONT, tracee->tid, 0,
	       (long)signal);
}

static void show_image(struct follow *follow, struct tracee *tracee)
{
	int result;

	if (follow->letting_go)
		return;
	result = follow->on_image(tracee->tgid, follow->ctx);
	if (result > 0 && !tracee->claimed && follow->claim_count < MAX_CLAIMS) {
		struct follow_claim *claim = &follow->claims[follow->claim_count++];

		tracee->claimed = true;
		claim->pid = tracee->tgid;
		claim->pidfd = pidfd_open(tracee->tgid, 0);
	} else if (result < 0) {
		follow->error = result;
	}
}

/* The tracee's image is complete, and not one of its instructions has run. */
static void image_ready(struct follow *follow, struct tracee *tracee)
{
	tracee->phase = PHASE_RUNNING;
	show_image(follow, tracee);
	if (follow->hold && tracee->tid == follow->first && !follow->letting_go && !follow->error) {
		follow->hold = false;
		tracee->phase = PHASE_HELD;
		return;
	}
	ptrace(PTRACE_SETOPTIONS, tracee->tid, 0, FOLLOW_OPTIONS);
	if (tracee->claimed)
		follow_let_go(follow);
	tracee_resume(follow, tracee, 0);
}

static void image_begin(struct follow *follow, struct tracee *tracee)
{
	struct tracee *other, *next;

	/* The threads of before are gone, and so is what was known of the image of before. */
	HASH_ITER (hh, follow->tracees, other, next) {
		if (other != tracee && other->tgid == tracee->tgid)
			other->phase = PHASE_GONE;
	}
	tracee->stop = (struct entry_stop){0};
	tracee->claimed = false;
	tracee->maps_code = false;
	if (follow->letting_go) {
		tracee_resume(follow, tracee, 0);
		return;
	}
	/*
	 * A program of another width has no runtime that we know, and one that we may not read
	 * shows no entry point: those run on after this one look.
	 */
	if (entry_stop_plant(&tracee->stop, tracee->tid)) {
		image_ready(follow, tracee);
		return;
	}
	tracee->phase = PHASE_STARTING;
	ptrace(PTRACE_SETOPTIONS, tracee->tid, 0, FOLLOW_OPTIONS | PTRACE_O_EXITKILL);
	show_image(follow, tracee);
	tracee_resume(follow, tracee, 0);
}

static void syscall_stop(struct follow *follow, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof(info), &info) <= 0)
		info.op = PTRACE_SYSCALL_INFO_NONE;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		tracee->maps_code = info.arch == NATIVE_AUDIT && info.entry.nr == SYS_mmap &&
				    (info.entry.args[2] & PROT_EXEC) &&
				    !(info.entry.args[3] & MAP_ANONYMOUS);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (tracee->maps_code && !info.exit.is_error)
			show_image(follow, tracee);
		tracee->maps_code = false;
	}
	tracee_resume(follow, tracee, 0);
}

/* The tracee has made another, which the kernel has attached to us. */
static void child_event(struct follow *follow, struct tracee *tracee, int event)
{
	unsigned long tid = 0;
	struct tracee *child;

	if (!ptrace(PTRACE_GETEVENTMSG, tracee->tid, 0, &tid) && tid) {
		child = tracee_add(follow, (pid_t)tid);
		if (child) {
			child->tgid = thread_group(child->tid);
			child->phase = PHASE_NEW;
			child->inherited = PHASE_RUNNING;
			if (event != PTRACE_EVENT_VFORK && child->tgid != tracee->tgid) {
				child->inherited = tracee->phase;
				child->stop = tracee->stop;
			}
		} else {
			/* Not followed, for want of memory: let it go as soon as it is there. */
			waitpid((pid_t)tid, NULL, __WALL);
			ptrace(PTRACE_DETACH, (pid_t)tid, 0, 0);
		}
	}
	tracee_resume(follow, tracee, 0);
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void handle_stop(struct follow *follow, struct tracee *tracee, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (tracee->phase == PHASE_NEW) {
		tracee->phase = tracee->inherited;
		if (tracee->phase == PHASE_RUNNING)
			ptrace(PTRACE_SETOPTIONS, tracee->tid, 0, FOLLOW_OPTIONS);
	}
	switch (event) {
	case PTRACE_EVENT_EXEC:
		image_begin(follow, tracee);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		child_event(follow, tracee, event);
		return;
	case PTRACE_EVENT_STOP:
		/* Job control stopped it: it stays so, and we hear of it again when it goes on. */
		if (is_stop_signal(signal) && !follow->letting_go)
			ptrace(PTRACE_LISTEN, tracee->tid, 0, 0);
		else
			tracee_resume(follow, tracee, 0);
		return;
	}
	if (signal == SYSCALL_STOP) {
		syscall_stop(follow, tracee);
	} else if (signal == SIGTRAP && entry_stop_reached(&tracee->stop, tracee->tid)) {
		image_ready(follow, tracee);
	} else {
		tracee_resume(follow, tracee, signal);
	}
}

struct follow *follow_new(int (*on_image)(pid_t pid, void *ctx), void *ctx)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return NULL;
	follow->on_image = on_image;
	follow->ctx = ctx;
	follow->first_status = -1;
	follow->hold = true;
	return follow;
}

int follow_begin(struct follow *follow, pid_t pid)
{
	struct tracee *tracee = tracee_add(follow, pid);

	if (!tracee)
		return -ENOMEM;
	follow->first = pid;
	tracee->phase = PHASE_RUNNING;
	if (ptrace(PTRACE_SEIZE, pid, 0, FOLLOW_OPTIONS | PTRACE_O_EXITKILL)) {
		int err = -errno;

		tracee_remove(follow, tracee);
		return err;
	}
	return 0;
}

int follow_sweep(struct follow *follow)
{
	struct tracee *tracee, *next;
	int events = 0, status, err;
	pid_t got;

	HASH_ITER (hh, follow->tracees, tracee, next) {
		if (tracee->phase == PHASE_GONE)
			tracee_remove(follow, tracee);
	}
	HASH_ITER (hh, follow->tracees, tracee, next) {
		if (tracee->phase == PHASE_GONE)
			continue;
		got = waitpid(tracee->tid, &status, WNOHANG | __WALL);
		if (!got || (got < 0 && errno == EINTR))
			continue;
		events++;
		if (got > 0 && WIFSTOPPED(status)) {
			handle_stop(follow, tracee, status);
			continue;
		}
		if (got > 0 && tracee->tid == follow->first)
			follow->first_status = status;
		tracee_remove(follow, tracee);
	}
	err = follow->error;
	if (!err)
		return events;
	follow->error = 0;
	follow_let_go(follow);
	return err;
}

void follow_release(struct follow *follow)
{
	struct tracee *tracee, *next;

	HASH_ITER (hh, follow->tracees, tracee, next) {
		if (tracee->phase != PHASE_HELD)
			continue;
		if (tracee->claimed) {
			follow_let_go(follow);
		} else {
			tracee->phase = PHASE_RUNNING;
			ptrace(PTRACE_SETOPTIONS, tracee->tid, 0, FOLLOW_OPTIONS);
			tracee_resume(follow, tracee, 0);
		}
		return;
	}
}

void follow_let_go(struct follow *follow)
{
	struct tracee *tracee, *next;

	if (follow->letting_go)
		return;
	follow->letting_go = true;
	HASH_ITER (hh, follow->tracees, tracee, next) {
		if (tracee->phase == PHASE_HELD)
			tracee_resume(follow, tracee, 0);
		else
			ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	}
}

bool follow_empty(const struct follow *follow)
{
	return !follow->tracees;
}

static bool any_in(const struct follow *follow, enum phase phase)
{
	const struct tracee *tracee;

	for (tracee = follow->tracees; tracee; tracee = tracee->hh.next)
		if (tracee->phase == phase)
			return true;
	return false;
}

bool follow_held(const struct follow *follow)
{
	return any_in(follow, PHASE_HELD);
}

bool follow_starting(const struct follow *follow)
{
	return any_in(follow, PHASE_STARTING);
}

int follow_status(const struct follow *follow)
{
	return follow->first_status;
}

const struct follow_claim *follow_claims(const struct follow *follow, size_t *count)
{
	*count = follow->claim_count;
	return follow->claims;
}

void follow_free(struct follow *follow)
{
	struct tracee *tracee, *next;

	if (!follow)
		return;
	HASH_ITER (hh, follow->tracees, tracee, next) {
		tracee_remove(follow, tracee);
	}
	for (size_t i = 0; i < follow->claim_count; i++)
		if (follow->claims[i].pidfd >= 0)
			close(follow->claims[i].pidfd);
	free(follow);
}
