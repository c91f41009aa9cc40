/* SPDX-License-Identifier: MIT */
/*
 * What threads sleep in, and on which files, by number.
 */
#ifndef POLLSCOPE_CORE_CAUSES_H
#define POLLSCOPE_CORE_CAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/* The causes that are not system calls. */
enum {
	CAUSE_UNKNOWN,
	CAUSE_PAGE_FAULT,
	CAUSE_MEMORY,
	CAUSE_STOPPED,
	CAUSE_OTHER,
	CAUSE_FIXED, /* one past the last */
};
#define CAUSE_NONE UINT32_MAX /* never slept: on the run queue */

#define FILE_NONE 0
#define FILE_OTHERS UINT32_MAX /* any of those that were too many to tell apart */

struct cause;
struct file;

/* All zero is an empty one. */
struct causes {
	struct cause **calls;
	size_t ncalls, call_room;
	struct cause *by_number;
	struct file **files;
	size_t nfiles, file_room;
	struct file *by_inode;
	char *arch; /* decides system calls' names */
	const char *(*syscall_name)(const char *arch, int32_t number);
};

/* "run-queue", "syscall" (any), "page-fault", "memory", "stopped", "other": what an enum event_cause is called. */
const char *causes_event_name(uint32_t event_cause);

struct cause_text {
	char s[48];
};

/* The system call's name, "syscall_N" where there is none. syscall_name and arch may be NULL. */
struct cause_text causes_call_name(const char *(*syscall_name)(const char *arch, int32_t number),
				   const char *arch, int32_t number);

/* CAUSE_NONE for EVENT_CAUSE_RUNQUEUE. Returns 0 or -ENOMEM. */
int causes_intern(struct causes *causes, const struct event_offcpu *offcpu, uint32_t *cause);
const char *causes_name(const struct causes *causes, uint32_t cause);
const char *causes_kind(const struct causes *causes, uint32_t cause);

/* FILE_NONE without a file; FILE_OTHERS where it is new and may not be `add`ed. Returns 0 or
 * -ENOMEM. */
int causes_file(struct causes *causes, const struct event_offcpu *offcpu, bool add, uint32_t *file);
int causes_path(struct causes *causes, const struct event_path *path);

/* How a file is shown: to be freed. NULL without memory, or of FILE_NONE. */
char *causes_target(const struct causes *causes, uint32_t file);

void causes_clear(struct causes *causes);

#endif
