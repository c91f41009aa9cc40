// SPDX-License-Identifier: MIT
#include "emit/export.h"

#include <string.h>

#include "emit/jsonl.h"
#include "emit/perfetto.h"
#include "emit/pprof.h"
#include "emit/speedscope.h"

const struct export_format export_formats[] = {
	{.name = "jsonl",
	 .help = "every event, one a line",
	 .open = emit_jsonl_open,
	 .schema = emit_jsonl_schema},
	{.name = "perfetto",
	 .help = "threads and tasks on a time line, for ui.perfetto.dev",
	 .binary = true,
	 .open_second = emit_perfetto_open},
	{.name = "pprof",
	 .help = "stacks with labels, for go tool pprof and its like",
	 .binary = true,
	 .emit = emit_pprof},
	{.name = "speedscope",
	 .help = "flamegraphs of each task type, for speedscope.app",
	 .emit = emit_speedscope},
	{.name = NULL},
};

const struct export_format *export_format_find(const char *name)
{
	for (const struct export_format *format = export_formats; format->name; format++)
		if (!strcmp(format->name, name))
			return format;
	return NULL;
}
