/* SPDX-License-Identifier: MIT */
/*
 * Which function is the code of a future, or of a blocking job, by their names.
 */
#ifndef POLLSCOPE_TOKIO_RUST_BODY_H
#define POLLSCOPE_TOKIO_RUST_BODY_H

#include <stdbool.h>

#include "tokio/rust_path.h"

/*
 * rust_body_is() - whether a demangled symbol is that of a closure or an async body, and not of
 * code of the runtime that one was compiled into.
 */
bool rust_body_is(struct rust_span symbol);

/*
 * rust_body_name() - the name that the body's symbol has in it, of a function or of a type: "work"
 * for "Timeout<app::work::{async_fn_env#0}>". False: there is none, as for boxed futures.
 */
bool rust_body_name(struct rust_span type, struct rust_span *name);

/*
 * rust_body_of() - whether a function, by its demangled symbol, is the body of a future or job of
 * this type, or of the one that the type wraps: "app::work::{{closure}}" of
 * "Timeout<app::work::{async_fn_env#0}>", "<app::Count as Future>::poll" of "app::Count". Legacy
 * symbols do not tell the closures of one function apart.
 */
bool rust_body_of(struct rust_span symbol, struct rust_span type);

#endif
