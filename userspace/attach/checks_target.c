// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/adapter.h"
#include "attach/checks.h"
#include "attach/plans.h"
#include "attach/procfs.h"
#include "symbolize/elf_cache.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"

/* Files, each opened and scanned once. */
struct search {
	struct elf_cache *files;
	struct plans *plans;
};

static bool search_init(struct search *search, const struct adapter_choice *choice)
{
	search->files = elf_cache_new();
	search->plans = plans_new(adapters, choice);
	return search->files && search->plans;
}

static void search_release(struct search *search)
{
	plans_free(search->plans);
	elf_cache_free(search->files);
}

/* Returns how many runtimes are in the file; one that was looked at before has none. */
static size_t file_report(struct checks *checks, const struct search *search,
			  const struct elf_file *file)
{
	const struct file_plans *found;

	if (plans_find(search->plans, file, &found) <= 0)
		return 0;
	if (found->error)
		checks_add(checks, CHECK_NOTE, "probes", "", "%s: cannot be searched for %s: %s",
			   file->path, found->failed, strerror(-found->error));
	for (size_t i = 0; i < found->n; i++)
		checks_plan(checks, file, &found->list[i]);
	return found->n;
}

static void none_report(struct checks *checks, const char *what)
{
	checks_add(checks, CHECK_FAIL, "runtime",
		   "trace a program that runs on Tokio, or has the USDT probes of pollrt or "
		   "Tokio (readelf -n shows them as stapsdt notes)",
		   "no async runtime found in %s: looked for Tokio's tasks and USDT probes", what);
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

/* reached: whether its process's files are. */
static void file_unopened(struct checks *checks, const char *path, int err, bool reached)
{
	const char *remedy = procfs_file_remedy(err, reached, procfs_own_capabilities());

	checks_add(checks, CHECK_NOTE, "target", remedy, "%s: %s", path, elf_file_strerror(err));
}

/* Returns how many runtimes are in what the process has mapped. */
static size_t maps_report(struct checks *checks, const struct search *search, pid_t pid,
			  const struct maps *maps)
{
	size_t found = 0;

	for (size_t i = 0; i < maps->n; i++) {
		struct elf_file *file;
		int err;

		if (maps->entries[i].vdso)
			continue;
		err = elf_cache_open(search->files, pid, &maps->entries[i], &file);
		if (err)
			file_unopened(checks, maps->entries[i].path, err, procfs_reached(pid));
		else
			found += file_report(checks, search, file);
	}
	return found;
}

void checks_process(struct checks *checks, pid_t pid, const struct adapter_choice *choice)
{
	char exe[PATH_MAX], comm[64], what[96];
	struct search search;
	struct maps maps;
	int err = maps_read(pid, &maps);

	procfs_exe(pid, exe, sizeof(exe));
	procfs_comm(pid, comm, sizeof(comm));
	if (err) {
		bool refused = err == -EACCES || err == -EPERM;

		checks_add(checks, CHECK_FAIL, "target", refused ? procfs_refusal_remedy() : "",
			   "pid %d: %s", pid, strerror(-err));
		return;
	}
	checks_add(checks, CHECK_OK, "target", "", "pid %d, %s: %s", pid, comm, exe);
	namespaces_report(checks, pid);
	snprintf(what, sizeof(what), "pid %d", pid);
	if (!search_init(&search, choice))
		checks->out_of_memory = 1;
	else if (!maps_report(checks, &search, pid, &maps))
		none_report(checks, what);
	else
		checks_unwind(checks, search.files, pid, &maps);
	search_release(&search);
	maps_release(&maps);
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

void checks_executable(struct checks *checks, const char *name, const struct adapter_choice *choice)
{
	char path[PATH_MAX];
	struct search search;
	struct elf_file *file;
	int err;

	if (!path_find(name, path, sizeof(path))) {
		checks_add(checks, CHECK_FAIL, "target", "", "%s: no such command", name);
		return;
	}
	err = elf_file_open_path(path, &file);
	if (err) {
		file_unopened(checks, path, err, true);
		return;
	}
	checks_add(checks, CHECK_OK, "target", "", "%s", path);
	if (!search_init(&search, choice))
		checks->out_of_memory = 1;
	else if (!file_report(checks, &search, file))
		checks_add(checks, CHECK_NOTE, "runtime", "",
			   "no runtime in the executable itself; "
			   "one may be in a library, or in what it runs");
	search_release(&search);
	elf_file_close(file);
}
