/* SPDX-License-Identifier: MIT */
/*
 * The executable mappings of a process, from /proc/PID/maps (proc_pid_maps(5)).
 */
#ifndef POLLSCOPE_SYMBOLIZE_MAPS_H
#define POLLSCOPE_SYMBOLIZE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct map_entry {
	uint64_t start, end; /* addresses, end exclusive */
	uint64_t offset;     /* of start in the file */
	dev_t dev;           /* as maps shows it: of overlayfs and btrfs not what stat says */
	ino_t ino;
	bool deleted; /* the name is gone (or was, when it was read) */
	bool vdso;    /* the kernel's own; ino 0, path "[vdso]" */
	char *path;   /* as seen by the process, unescaped, without " (deleted)" */
};

struct maps {
	struct map_entry *entries; /* by address */
	size_t n;
};

/*
 * maps_read() - the executable file mappings, and the vdso, of a process.
 *
 * Returns 0; -ENOENT or -ESRCH: no such process, or it has just ended; -EACCES; -ENOMEM. A process
 * that has no memory (a kernel thread, a zombie) has no entries. Release with maps_release().
 */
int maps_read(pid_t pid, struct maps *maps);

/*
 * maps_parse() - the same from an open file. Lines that are no mapping are skipped. 0, -EIO or
 * -ENOMEM.
 */
int maps_parse(FILE *in, struct maps *maps);

/* maps_hash() - the same for the same files at the same places. Never 0. */
uint64_t maps_hash(const struct maps *maps);

/* maps_release() - frees what is in it; it is empty afterwards. */
void maps_release(struct maps *maps);

#endif
