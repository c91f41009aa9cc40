/* SPDX-License-Identifier: MIT */
/* The commands, one file each. All return an exit status. */
#ifndef POLLSCOPE_CLI_COMMANDS_H
#define POLLSCOPE_CLI_COMMANDS_H

struct options;

int command_record(const struct options *options, const char *command_line);
int command_report(const struct options *options, const char *command_line);
int command_flame(const struct options *options, const char *command_line);
int command_export(const struct options *options, const char *command_line);
int command_info(const struct options *options, const char *command_line);
int command_doctor(const struct options *options, const char *command_line);

#endif
