/* SPDX-License-Identifier: MIT */
/* Help texts, made from the tables of commands and options. */
#ifndef POLLSCOPE_CLI_HELP_H
#define POLLSCOPE_CLI_HELP_H

#include <stdio.h>

#include "cli/options.h"

void help_overview(FILE *out);
void help_command(enum command command, FILE *out);

#endif
