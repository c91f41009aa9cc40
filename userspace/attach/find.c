// SPDX-License-Identifier: MIT
#include "attach/find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/procfs.h"

#define KERNEL_THREAD 0x200000 /* PF_KTHREAD in the flags of /proc/PID/stat */

/* What /proc tells of a process or thread. */
struct process {
	char comm[64]; /* longer than a thread's name can be: kernel workers show more */
	char state;
	unsigned int flags;
	pid_t tgid;
};

static int pids_add(struct find_pids *pids, pid_t pid)
{
	pid_t *grown = realloc(pids->pids, (pids->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	pids->pids = grown;
	grown[pids->count++] = pid;
	return 0;
}

static int pid_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

static void pids_sort_unique(struct find_pids *pids)
{
	size_t kept = 0;

	if (!pids->count)
		return;
	qsort(pids->pids, pids->count, sizeof(*pids->pids), pid_compare);
	for (size_t i = 1; i < pids->count; i++)
		if (pids->pids[i] != pids->pids[kept])
			pids->pids[++kept] = pids->pids[i];
	pids->count = kept + 1;
}

/* Reads a small file of /proc/PID as a string. Returns 0 or a negative errno. */
static int process_read(pid_t pid, struct process *process)
{
	char text[4096];
	const char *open, *close;
	ssize_t read = procfs_read(pid, "stat", text, sizeof(text));
	size_t len;

	if (read <= 0)
		return !read || read == -ENOENT ? -ESRCH : (int)read;
	/* "PID (COMM) STATE PPID ...": COMM may hold anything, parentheses too. */
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open)
		return -EPROTO;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(process->comm))
		len = sizeof(process->comm) - 1;
	memcpy(process->comm, open + 1, len);
	process->comm[len] = '\0';
	if (sscanf(close + 1, " %c %*d %*d %*d %*d %*d %u", &process->state, &process->flags) != 2)
		return -EPROTO;
	process->tgid = procfs_thread_group(pid);
	if (process->tgid < 0)
		return -ESRCH;
	return 0;
}

static bool is_zombie(const struct process *process)
{
	return process->state == 'Z' || process->state == 'X';
}

static int check_pid(pid_t pid, char *why, size_t why_len)
{
	struct process process;
	int err = process_read(pid, &process);

	if (err == -ESRCH)
		snprintf(why, why_len, "no process has the id %d (ps -e lists them)", pid);
	else if (err)
		snprintf(why, why_len, "cannot read /proc/%d: %s", pid, strerror(-err));
	else if (process.tgid != pid)
		snprintf(why, why_len, "%d is a thread of process %d: use that one", pid,
			 process.tgid);
	else if (is_zombie(&process))
		snprintf(why, why_len, "process %d (%s) has ended already", pid, process.comm);
	else if (process.flags & KERNEL_THREAD)
		snprintf(why, why_len, "%d (%s) is a thread of the kernel", pid, process.comm);
	else
		return 0;
	if (err)
		return err;
	return process.tgid == pid && is_zombie(&process) ? -ESRCH : -EINVAL;
}

int find_by_pids(const char *list, struct find_pids *out, char *why, size_t why_len)
{
	const char *at = list;
	int err;

	*out = (struct find_pids){0};
	for (;;) {
		char *end;
		long pid;

		errno = 0;
		pid = strtol(at, &end, 10);
		if (!isdigit((unsigned char)*at) || errno || pid < 1 || pid > INT_MAX ||
		    (*end && *end != ',')) {
			snprintf(why, why_len, "'%s' is not PID[,PID...], a list of process ids",
				 list);
			err = -EINVAL;
			goto fail;
		}
		err = check_pid((pid_t)pid, why, why_len);
		if (err)
			goto fail;
		err = pids_add(out, (pid_t)pid);
		if (err) {
			snprintf(why, why_len, "out of memory");
			goto fail;
		}
		if (!*end)
			break;
		at = end + 1;
	}
	pids_sort_unique(out);
	return 0;
fail:
	find_free(out);
	return err;
}

/* Whether the executable's file name, as it was when it was started, is name. */
static bool exe_is(pid_t pid, const char *name)
{
	static const char deleted[] = " (deleted)";
	char path[64], target[PATH_MAX];
	const char *base;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return false;
	target[len] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (!strcmp(base, name))
		return true;
	/* Replaced or removed on disk since; a file really called so was told above. */
	len = (ssize_t)strlen(base) - (ssize_t)strlen(deleted);
	return len > 0 && !strcmp(base + len, deleted) && strlen(name) == (size_t)len &&
	       !strncmp(base, name, (size_t)len);
}

static bool matches(pid_t pid, const char *name)
{
	struct process process;

	/* One that has just ended, or that we may not see, is no match. */
	if (process_read(pid, &process) || is_zombie(&process) || process.flags & KERNEL_THREAD)
		return false;
	return !strcmp(process.comm, name) || exe_is(pid, name);
}

int find_by_name(const char *name, struct find_pids *out, char *why, size_t why_len)
{
	struct dirent *entry;
	int err = 0;
	DIR *proc;

	*out = (struct find_pids){0};
	if (!*name) {
		snprintf(why, why_len, "the name of a process cannot be empty");
		return -EINVAL;
	}
	proc = opendir("/proc");
	if (!proc) {
		err = -errno;
		snprintf(why, why_len, "cannot read /proc: %s", strerror(errno));
		return err;
	}
	while (!err && (entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid() && matches(pid, name))
			err = pids_add(out, pid);
	}
	closedir(proc);
	if (err) {
		snprintf(why, why_len, "out of memory");
		find_free(out);
		return err;
	}
	if (!out->count) {
		snprintf(
			why, why_len,
			"no process has the name '%s', nor an executable of that name (ps -e lists "
			"them)",
			name);
		return -ESRCH;
	}
	pids_sort_unique(out);
	return 0;
}

void find_free(struct find_pids *pids)
{
	free(pids->pids);
	*pids = (struct find_pids){0};
}
