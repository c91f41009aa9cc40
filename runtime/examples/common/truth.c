// SPDX-License-Identifier: MIT
#include "truth.h"

#include <inttypes.h>
#include <stdio.h>

static void print_latency(const char *prefix, const struct histogram *latency)
{
	printf(",\"%slatency_ns\":{\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64
	       ",\"max\":%" PRIu64 "}",
	       prefix, histogram_percentile(latency, 0.5), histogram_percentile(latency, 0.9),
	       histogram_percentile(latency, 0.99), histogram_percentile(latency, 1));
}

/* The first stream is the one that the mistake makes suffer: its keys have no prefix. */
static void print_stream(const char *prefix, const struct stream_result *result)
{
	printf(",\"%srequests\":%" PRIu64 ",\"%sanswered\":%" PRIu64, prefix, result->requests,
	       prefix, result->answered);
	print_latency(prefix, &result->latency);
}

/* The most memory that it ever had; what getrusage() says includes who started it. */
static uint64_t peak_rss_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	uint64_t kilobytes = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmHWM: %" SCNu64, &kilobytes) == 1)
			break;
	}
	fclose(file);
	return kilobytes * 1024;
}

void truth_number(const char *name, uint64_t value)
{
	printf(",\"%s\":%" PRIu64, name, value);
}

void truth_bool(const char *name, bool value)
{
	printf(",\"%s\":%s", name, value ? "true" : "false");
}

void truth_end(void)
{
	printf("}\n");
	fflush(stdout);
}

void truth_begin(const struct options *options, const struct load *load,
		 const struct pollrt_metrics *metrics)
{
	const char *variant = options->example->variants[options->variant];
	char prefix[32] = "";

	printf("{\"example\":\"%s\",\"variant\":\"%s\",\"fixed\":%s,\"duration_ns\":%" PRIu64,
	       options->example->name, variant ? variant : "", options->fixed ? "true" : "false",
	       load->duration_ns);
	for (unsigned int i = 0; load->streams[i].connections; i++) {
		if (i)
			snprintf(prefix, sizeof(prefix), "%s_", load->streams[i].name);
		print_stream(prefix, &load->results[i]);
	}
	truth_number("polls", metrics->polls);
	truth_number("spawned", metrics->spawns);
	truth_number("rss_bytes", peak_rss_bytes());
}
