// SPDX-License-Identifier: MIT
#include "cli/commands.h"

#include "cli/options.h"

const struct command_info commands[COMMANDS] = {
	[COMMAND_RECORD] = {"record", "TARGET", "capture to a recording", command_record},
	[COMMAND_REPORT] = {"report", "SOURCE", "where each task type's time went", command_report},
	[COMMAND_FLAME] = {"flame", "SOURCE", "stacks, weighted: for flamegraphs", command_flame},
	[COMMAND_EXPORT] = {"export", "SOURCE -f FORMAT", "formats that other tools read",
			    command_export},
	[COMMAND_INFO] = {"info", "FILE", "what a recording holds", command_info},
	[COMMAND_DOCTOR] = {"doctor", "[TARGET]",
			    "what this kernel, these privileges and this target allow",
			    command_doctor},
};
