/* SPDX-License-Identifier: MIT */
/*
 * A hand-made program with Tokio in it: two types of tasks, a blocking job and a worker's loop, in
 * as few instructions as tell them apart.
 */
#ifndef POLLSCOPE_TESTS_TOKIO_PROGRAM_H
#define POLLSCOPE_TESTS_TOKIO_PROGRAM_H

#include "tokio_file.h"

/* Its functions, in its code's order. */
enum {
	POLL_FIRST,
	POLL_SECOND,
	POLL_JOB,
	POLL_WORKER,
	SCHEDULE_TASK,
	SCHEDULE_JOB,
	SHUTDOWN_FIRST,
	SHUTDOWN_SECOND,
	SHUTDOWN_REST,
	PARK,
	CLONE,
	WAKE,
	WAKE_BY_REF,
	DROP,
	PANIC,
	PROGRAM_FUNCTIONS
};

#define FUNCTION(i) (FILE_CODE + 0x40 * ((uint64_t)(i) + 1))

#define PROGRAM_VERSION FILE_TEXT
#define PROGRAM_SOURCE (FILE_TEXT + 0x60)
#define PROGRAM_MESSAGE (FILE_TEXT + 0xc0)

#define PROGRAM_LOCATION FILE_DATA
#define PROGRAM_WAKERS (FILE_DATA + 0x40)
#define PROGRAM_VTABLE(i) (FILE_DATA + 0x100 + 0x50 * (i)) /* of the i-th poll function */

static inline void program_vtable(struct tokio_file *f, size_t i, int poll, int schedule,
				  int shutdown, uint64_t id)
{
	const uint64_t function[7] = {
		FUNCTION(poll),  FUNCTION(schedule), FUNCTION(PANIC),    FUNCTION(PANIC),
		FUNCTION(PANIC), FUNCTION(PANIC),    FUNCTION(shutdown),
	};

	file_vtable(f, PROGRAM_VTABLE(i), function, 120, 32, id);
}

static inline void program_code(struct tokio_file *f)
{
	for (size_t i = 0; i < PROGRAM_FUNCTIONS; i++) {
		uint64_t at = file_code(f, FUNCTION(i), "\x53", 1, 0); /* push %rbx */

		switch (i) {
		case POLL_FIRST:
		case POLL_SECOND:
		case CLONE:
			at = FILE_LEA(f, at, PROGRAM_WAKERS);
			break;
		case POLL_WORKER:
			at = FILE_CALL(f, at, FUNCTION(PARK));
			break;
		case PARK:
			at = FILE_LEA(f, at, PROGRAM_MESSAGE);
			break;
		case SCHEDULE_JOB:
			at = FILE_LEA(f, at, PROGRAM_LOCATION);
			at = FILE_CALL(f, at, FUNCTION(PANIC));
			break;
		}
		at = FILE_RET(f, at);
		file_function(f, FUNCTION(i), at - FUNCTION(i));
	}
}

static inline void program_init(struct tokio_file *f, enum file_form form)
{
	file_init(f, form);
	program_code(f);
	file_text(f, PROGRAM_VERSION, "/registry/tokio-1.24.2/src/lib.rs");
	file_text(f, PROGRAM_MESSAGE, "park missing");
	file_location(f, PROGRAM_LOCATION, PROGRAM_SOURCE,
		      "/registry/tokio-1.24.2/src/runtime/blocking/schedule.rs", 54);
	for (size_t i = 0; i < 4; i++)
		file_pointer(f, PROGRAM_WAKERS + 8 * i, FUNCTION(CLONE + i));
	program_vtable(f, 0, POLL_FIRST, SCHEDULE_TASK, SHUTDOWN_FIRST, 40);
	program_vtable(f, 1, POLL_SECOND, SCHEDULE_TASK, SHUTDOWN_SECOND, 40);
	program_vtable(f, 2, POLL_JOB, SCHEDULE_JOB, SHUTDOWN_REST, 32);
	program_vtable(f, 3, POLL_WORKER, SCHEDULE_JOB, SHUTDOWN_REST, 32);
}

#endif
