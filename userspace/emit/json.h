/* SPDX-License-Identifier: MIT */
/*
 * What every JSON emitter needs on top of jansson: numbers as wide as ours, strings that may be
 * anything.
 *
 * The putters add a key to an object and return 0, or -1 without memory, so that a document's
 * errors can be or-ed together.
 */
#ifndef POLLSCOPE_EMIT_JSON_H
#define POLLSCOPE_EMIT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A string; U+FFFD for what is not UTF-8, null for NULL. Returns NULL without memory. */
json_t *emit_json_text(const char *s);

/* Writes such a string by itself, for documents that are streamed. Returns 0, -ENOMEM or -EIO. */
int emit_json_print_text(const char *s, FILE *out);

/* Takes over value; fails if it is NULL. */
int emit_json_put(json_t *object, const char *key, json_t *value);
int emit_json_put_text(json_t *object, const char *key, const char *s);
int emit_json_put_bool(json_t *object, const char *key, bool value);

/* Of counts and times: what jansson's integers cannot hold (2^63) is printed as the greatest they
 * can. */
int emit_json_put_number(json_t *object, const char *key, uint64_t value);

/* Of identities, where another number will not do: a string from 2^63 on. */
int emit_json_put_id(json_t *object, const char *key, uint64_t id);

/*
 * Prints root and a newline, and releases root. `failed` says that root is not whole: then nothing
 * is printed. Returns 0, -ENOMEM, or -EIO if out does not take it.
 */
int emit_json_print(json_t *root, int failed, FILE *out);

#endif
