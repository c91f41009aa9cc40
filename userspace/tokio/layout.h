/* SPDX-License-Identifier: MIT */
/*
 * How the versions of Tokio lay out a task: its header, and the vtable that its type has. By
 * Tokio's source, runtime/task/raw.rs (struct Vtable) and runtime/task/core.rs (struct Header), of
 * every release.
 */
#ifndef POLLSCOPE_TOKIO_LAYOUT_H
#define POLLSCOPE_TOKIO_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "tokio/version.h"

#define LAYOUT_NONE 0xff
#define LAYOUT_KNOWN "that of 1.13 and newer is" /* for who has another */

struct layout {
	struct tokio_version since;
	bool named;        /* nothing tells its vtables but the names of their functions */
	uint8_t npointers; /* functions that the vtable begins with; numbers of some of them: */
	uint8_t poll, schedule, dealloc, shutdown; /* LAYOUT_NONE: it has none */
	/* Words behind the functions that say where in a task its parts are; LAYOUT_NONE: not there. */
	uint8_t trailer_word, scheduler_word, id_word;
	uint8_t header_vtable; /* byte of the header where the vtable's address is */
};

/*
 * layout_of() - the layout of a version; of an unknown one, the newest: whether that fits is for
 * the scan to tell. NULL: it is older than what is known.
 */
const struct layout *layout_of(const struct tokio_version *version);

#endif
