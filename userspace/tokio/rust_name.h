/* SPDX-License-Identifier: MIT */
/*
 * Names of futures and jobs as people read them, from their Rust types.
 */
#ifndef POLLSCOPE_TOKIO_RUST_NAME_H
#define POLLSCOPE_TOKIO_RUST_NAME_H

#include "tokio/rust_path.h"

#define RUST_NAME_COLUMNS 60 /* of the longest short name */

/*
 * rust_name_short() - one readable name of a future's, or a blocking job's, type, at most
 * RUST_NAME_COLUMNS wide: "app::conn::echo" of "app::conn::echo::{async_fn_env#0}",
 * "app::main::{async block#1}", "Timeout<app::work>". Wrappers that only carry a future are left
 * out. UTF-8 without control characters; to be freed; NULL: out of memory.
 */
char *rust_name_short(struct rust_span type);

#endif
