/* SPDX-License-Identifier: MIT */
/*
 * What the futures and blocking jobs of an image are called, and where in the source they are, by
 * the vtables of their tasks.
 *
 * Types are known, best first, by DWARF (also of a separate debug file), by v0 symbols, and by
 * legacy symbols where those are not ambiguous: of a task's own functions they hold but a hash. The
 * place is where the async body begins, found in the machine code, with or without symbols;
 * without, it is the name.
 */
#ifndef POLLSCOPE_TOKIO_NAMES_H
#define POLLSCOPE_TOKIO_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct code;
struct elf_file;
struct image;
struct tokio_names;
struct vtables;

enum tokio_name_source {
	TOKIO_NAME_DWARF,
	TOKIO_NAME_V0,
	TOKIO_NAME_LEGACY,
	TOKIO_NAME_LOCATION, /* the place only */
	TOKIO_NAME_SOURCES
};

/* Strings are UTF-8 without control characters. */
struct tokio_name {
	enum tokio_name_source source;
	char *type;    /* short: "app::echo_conn"; of a place only, "conn.rs:17" */
	char *full;    /* the full type, or NULL */
	char *file;    /* "" where unknown */
	uint32_t line; /* 0 where unknown */
};

/*
 * tokio_names_new() - all must outlive it; nothing is read before the first tokio_names_find(). 0
 * or -ENOMEM.
 */
int tokio_names_new(const struct elf_file *file, const struct image *image, struct code *code,
		    const struct vtables *vtables, struct tokio_names **names);

/* tokio_names_free() - NULL is legal. */
void tokio_names_free(struct tokio_names *names);

/*
 * tokio_names_find() - the name for the vtable at a link-time address; is_job: it is known to be a
 * blocking job's. 0 and *name (tokio_name_release); -ENOENT: nothing is known; -ENOMEM.
 */
int tokio_names_find(struct tokio_names *names, uint64_t vtable, bool is_job,
		     struct tokio_name *name);

/* tokio_name_release() - frees what is in it. */
void tokio_name_release(struct tokio_name *name);

#endif
