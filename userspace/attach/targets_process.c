// SPDX-License-Identifier: MIT
/* The rows of processes, and what is said of them. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/procfs.h"
#include "attach/targets_state.h"

#define PROCESSES_MAX 4096 /* with generations */

void targets_notice(struct targets *t, const char *line)
{
	t->options.notice(t->options.ctx, line);
}

void targets_say(struct targets *t, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	targets_notice(t, line);
}

/* Takes over `with`. */
static int text_replace(char **text, char *with)
{
	if (!with)
		return -ENOMEM;
	free(*text);
	*text = with;
	return 0;
}

int targets_process_describe(struct process *p)
{
	char text[4096];
	int err;

	procfs_comm(p->pid, p->comm, sizeof(p->comm));
	procfs_exe(p->pid, text, sizeof(text));
	err = text_replace(&p->exe, strdup(text));
	procfs_command_line(p->pid, text, sizeof(text));
	return err ? err : text_replace(&p->command_line, strdup(text));
}

static int processes_grow(struct targets *t)
{
	size_t room = t->processes_room ? 2 * t->processes_room : 16;
	struct process *grown;

	if (t->nprocesses < t->processes_room)
		return 0;
	grown = reallocarray(t->processes, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->processes = grown;
	t->processes_room = room;
	return 0;
}

int targets_process_new(struct targets *t, pid_t pid, uint32_t generation, bool launched)
{
	struct process *p;
	int err;

	if (t->nprocesses == PROCESSES_MAX) {
		if (!t->full)
			targets_say(t,
				    "pid %d is not followed, nor others after it: more than %d "
				    "processes, or images executed in them",
				    pid, PROCESSES_MAX);
		t->full = true;
		return -ENOSPC;
	}
	err = processes_grow(t);
	if (err)
		return err;
	p = &t->processes[t->nprocesses];
	*p = (struct process){
		.pid = pid,
		.generation = generation,
		.launched = launched,
		.end = UINT64_MAX,
		.cpu_ns = UINT64_MAX,
		.pidfd = syscall(SYS_pidfd_open, pid, 0),
	};
	if (p->pidfd < 0)
		return -errno;
	t->nprocesses++;
	err = targets_process_describe(p);
	return err ? err : (int)t->nprocesses - 1;
}

int targets_process_find(const struct targets *t, pid_t pid)
{
	for (size_t i = t->nprocesses; i-- > 0;)
		if (t->processes[i].pid == pid && !t->processes[i].exited)
			return i;
	return -1;
}

bool targets_process_lives(const struct process *p)
{
	struct pollfd ready = {.fd = p->pidfd, .events = POLLIN};

	return p->pidfd >= 0 && poll(&ready, 1, 0) <= 0;
}

void targets_process_close(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}

uint64_t targets_cpu_ns(struct targets *t)
{
	for (size_t i = 0; i < t->nprocesses; i++) {
		struct process *p = &t->processes[i];
		uint64_t now;

		if (p->exited || p->end != UINT64_MAX || !p->nsources ||
		    procfs_cpu_ns(p->pid, &now))
			continue;
		if (now > p->cpu_ns)
			t->cpu_ns += now - p->cpu_ns;
		p->cpu_ns = now;
	}
	return t->cpu_ns;
}
