// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "attach/checks.h"
#include "attach/procfs.h"
#include "core/event.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"

struct loss {
	uint32_t capability;
	const char *probe;
	const char *effect;
};

/* What a report lacks without a signal. */
static const struct loss losses[] = {
	{EVENT_CAN_WAKE, "task_wake", "waiting in the queue cannot be told from idling"},
	{EVENT_CAN_SPAWN, "task_spawn", "a task's life begins at its first poll"},
	{EVENT_CAN_TERMINATE, "task_terminate", "finished tasks count as alive"},
	{EVENT_CAN_PARK, "worker_park/unpark", "busy and parked time of workers is not known"},
};

static void plan_report(struct checks *checks, const struct elf_file *file,
			const struct probe_plan *plan)
{
	if (!probe_plan_complete(plan)) {
		checks_add(checks, CHECK_FAIL, "probes",
			   "build it with task_poll_start and task_poll_end",
			   "%s: has %zu %s probes, but not both ends of a poll", file->path,
			   plan->npoints, plan->runtime);
		return;
	}
	checks_add(checks, CHECK_OK, "probes", "", "%s: %s, %zu points", file->path, plan->runtime,
		   plan->npoints);
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (!(plan->capabilities & losses[i].capability))
			checks_add(checks, CHECK_NOTE, "probes", "", "%s is missing: %s",
				   losses[i].probe, losses[i].effect);
	if (plan->unreadable)
		checks_add(checks, CHECK_NOTE, "probes",
			   "compile them with operands in registers "
			   "(STAP_SDT_ARG_CONSTRAINT)",
			   "%zu points cannot be used: where their "
			   "arguments are cannot be decoded",
			   plan->unreadable);
}

/* Returns how many runtimes have probes in the file. */
static size_t file_report(struct checks *checks, const struct elf_file *file,
			  const struct adapter *adapter)
{
	size_t found = 0;

	for (size_t i = 0; adapters[i]; i++) {
		struct probe_plan plan;
		int err;

		if (adapter && adapter != adapters[i])
			continue;
		err = adapters[i]->scan(file, NULL, &plan);
		if (err)
			checks_add(checks, CHECK_NOTE, "probes", "",
				   "%s: its probe notes cannot be "
				   "read: %s",
				   file->path, strerror(-err));
		else if (plan.npoints)
			plan_report(checks, file, &plan);
		found += !err && plan.npoints;
		probe_plan_release(&plan);
	}
	return found;
}

static void none_report(struct checks *checks, const char *what)
{
	checks_add(checks, CHECK_FAIL, "runtime",
		   "trace a program that runs on pollrt, or has its "
		   "USDT probes (readelf -n shows them as stapsdt notes)",
		   "no async runtime found in %s", what);
}

/* Namespaces in which the process is elsewhere than we. */
static void namespaces_report(struct checks *checks, pid_t pid)
{
	static const char *const kinds[] = {"mnt", "pid"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[64], theirs[64] = "", ours[64] = "";

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kinds[i]);
		if (readlink(path, theirs, sizeof(theirs) - 1) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		if (readlink(path, ours, sizeof(ours) - 1) < 0)
			continue;
		if (strcmp(theirs, ours))
			checks_add(checks, CHECK_OK, "namespace", "",
				   "another %s namespace than "
				   "ours: its files are read through /proc/%d",
				   kinds[i], pid);
	}
}

void checks_process(struct checks *checks, pid_t pid, const struct adapter *adapter)
{
	char exe[PATH_MAX], comm[64], what[96];
	struct maps maps;
	size_t found = 0;
	int err = maps_read(pid, &maps);

	procfs_exe(pid, exe, sizeof(exe));
	procfs_comm(pid, comm, sizeof(comm));
	if (err) {
		checks_add(
			checks, CHECK_FAIL, "target",
			err == -EACCES
				? "run as root (sudo), or as the target's user with CAP_SYS_PTRACE"
				: "",
			"pid %d: %s", pid, strerror(-err));
		return;
	}
	checks_add(checks, CHECK_OK, "target", "", "pid %d, %s: %s", pid, comm, exe);
	namespaces_report(checks, pid);
	for (size_t i = 0; i < maps.n; i++) {
		struct elf_file *file;

		if (maps.entries[i].vdso)
			continue;
		err = elf_file_open(pid, &maps.entries[i], &file);
		if (err) {
			checks_add(checks, CHECK_NOTE, "target", "", "%s: %s", maps.entries[i].path,
				   elf_file_strerror(err));
			continue;
		}
		found += file_report(checks, file, adapter);
		elf_file_close(file);
	}
	maps_release(&maps);
	snprintf(what, sizeof(what), "pid %d", pid);
	if (!found)
		none_report(checks, what);
}

/* Where execvp(3) finds it; false: nowhere. */
static bool path_find(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return !access(path, X_OK);
	}
	while (dirs && *dirs) {
		int len = strcspn(dirs, ":");

		snprintf(path, size, "%.*s/%s", len, dirs, name);
		if (!access(path, X_OK))
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

void checks_executable(struct checks *checks, const char *name, const struct adapter *adapter)
{
	char path[PATH_MAX];
	struct elf_file *file;
	int err;

	if (!path_find(name, path, sizeof(path))) {
		checks_add(checks, CHECK_FAIL, "target", "", "%s: no such command", name);
		return;
	}
	err = elf_file_open_path(path, &file);
	if (err) {
		checks_add(checks, CHECK_NOTE, "target", "", "%s: %s", path,
			   elf_file_strerror(err));
		return;
	}
	checks_add(checks, CHECK_OK, "target", "", "%s", path);
	if (!file_report(checks, file, adapter))
		checks_add(checks, CHECK_NOTE, "runtime", "",
			   "no probes in the executable itself; "
			   "they may be in a library, or in what it runs");
	elf_file_close(file);
}
