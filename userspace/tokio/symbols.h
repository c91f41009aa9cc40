/* SPDX-License-Identifier: MIT */
/*
 * Types that symbols speak of.
 */
#ifndef POLLSCOPE_TOKIO_SYMBOLS_H
#define POLLSCOPE_TOKIO_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "tokio/rust_path.h"

struct module;

/*
 * symbols_type() - the type that the functions at a link-time address speak of. take: finds it in a
 * demangled name.
 *
 * Returns 0 and *type, to be freed; -ENOENT: some name has none, or they do not agree, as when
 * functions that are the same were merged; -ENOMEM.
 */
int symbols_type(struct module *module, uint64_t vaddr,
		 bool (*take)(const char *name, struct rust_span *type), char **type);

#endif
