/* SPDX-License-Identifier: MIT */
/* Where a command's data goes: stdout, or the file of --output. */
#ifndef POLLSCOPE_CLI_OUTPUT_H
#define POLLSCOPE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct options;

/* Whether --output names a file that is read from: it would be gone before that. Says so. */
bool output_is_source(const struct options *options);

/* NULL where the file cannot be created, which has then been said. */
FILE *output_open(const struct options *options);

/*
 * Closes it. emitted: what the emitter returned. Returns the exit status; a failure (a full disk) has been
 * said, and a file that is incomplete removed.
 */
int output_close(const struct options *options, FILE *out, int emitted);

/* Closes and removes it, where what it was to be made of failed. */
void output_discard(const struct options *options, FILE *out);

/* Removes an output that is incomplete; a device, pipe or link that was named as output stays. */
void output_remove(const char *path);

/* Whether what is written goes to a terminal. */
bool output_is_terminal(const struct options *options);

/* Columns of the terminal that stdout is; 0: it is none, or --output is given. */
unsigned int output_columns(const struct options *options);

/* The same, or where that is 0 what the environment's COLUMNS says; 0: nothing limits lines. */
unsigned int output_width(const struct options *options);

#endif
