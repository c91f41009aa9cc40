// SPDX-License-Identifier: MIT
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_NS 2000000000u
#define DAY_SECONDS 86400.0

int duration_parse(const char *text, uint64_t *ns)
{
	double seconds;
	char *unit;

	seconds = strtod(text, &unit);
	if (!strcmp(unit, "ms"))
		seconds /= 1000;
	else if (*unit && strcmp(unit, "s"))
		return -EINVAL;
	/* Written so that it is false for what is not a number. */
	if (!(seconds * 1e9 >= 1 && seconds <= DAY_SECONDS))
		return -EINVAL;
	*ns = (uint64_t)(seconds * 1e9);
	return 0;
}

static void print_usage(const struct example *example, FILE *file)
{
	fprintf(file, "usage: %s ", example->name);
	for (unsigned int i = 0; example->variants[i]; i++)
		fprintf(file, "%s%s", i ? "|" : "[--variant ", example->variants[i]);
	fprintf(file, "%s[--fixed] [--duration DUR]\n", example->variants[0] ? "] " : "");
}

static void print_help(const struct example *example)
{
	print_usage(example, stdout);
	printf("\n%s\n\n", example->lesson);
	if (example->variants[0])
		printf("  --variant V     which form of the mistake (default %s)\n",
		       example->variants[0]);
	printf("  --fixed         the same under the same load without the mistake\n"
	       "  --duration DUR  how long the load lasts: 500ms, 2s (default 2s)\n\n"
	       "In the end it prints what it measured of itself as a line of JSON.\n");
}

static void refuse(const struct example *example, const char *what)
{
	if (what)
		fprintf(stderr, "%s: what is %s?\n", example->name, what);
	print_usage(example, stderr);
	exit(2);
}

static unsigned int find_variant(const struct example *example, const char *name)
{
	unsigned int i = 0;

	while (example->variants[i] && strcmp(example->variants[i], name))
		i++;
	if (!example->variants[i])
		refuse(example, name);
	return i;
}

struct options options_parse(const struct example *example, int argc, char **argv)
{
	static const struct option longs[] = {
		{"variant", required_argument, NULL, 'v'},
		{"fixed", no_argument, NULL, 'f'},
		{"duration", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {.example = example, .duration_ns = DEFAULT_NS};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'v':
			options.variant = find_variant(example, optarg);
			break;
		case 'f':
			options.fixed = true;
			break;
		case 't':
			if (duration_parse(optarg, &options.duration_ns))
				refuse(example, optarg);
			break;
		case 'h':
			print_help(example);
			exit(0);
		default:
			refuse(example, NULL);
		}
	}
	if (optind < argc)
		refuse(example, argv[optind]);
	return options;
}
