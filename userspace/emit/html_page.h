/* SPDX-License-Identifier: MIT */
/* The parts of the HTML report. Internal to emit. */
#ifndef POLLSCOPE_EMIT_HTML_PAGE_H
#define POLLSCOPE_EMIT_HTML_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/model.h"

/* Whatever fails is kept in err, and makes what follows do nothing harmful. */
struct html {
	FILE *out;
	const struct model *model;
	const char *sort; /* a column's key */
	int err;
};

/* Each prints one section with its heading, or nothing if there is nothing to say. */
void html_summary(struct html *html);
void html_workers(struct html *html);
void html_types(struct html *html);
void html_polls(struct html *html);
void html_jobs(struct html *html);
void html_tasks(struct html *html);

/* Prints text of a target; printf for what is harmless, and holds no markup of a target. */
void html_foreign(struct html *html, const char *text);
void html_print(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <section> with a heading and what it needs to know, "" for none; closed by html_section_end(). */
void html_section(struct html *html, const char *id, const char *heading, const char *note);
void html_section_end(struct html *html);

struct html_column {
	const char *head;
	const char *key;   /* JSON name where the report can be sorted by it; else NULL */
	const char *about; /* what it means */
	bool text;         /* to the left, and sorted as text */
};

/* A table that the script sorts; `sorted` is the key of the column that it is sorted by, or NULL. */
void html_table(struct html *html, const struct html_column *columns, size_t count,
		const char *sorted);
void html_table_end(struct html *html);

/* Cells of numbers, to be sorted by them; a zero is a dash. `class` may be "". */
void html_duration(struct html *html, const char *class, uint64_t ns);
void html_count(struct html *html, uint64_t count);
void html_unknown(struct html *html, unsigned int cells);

/* A cell with a duration, split beside it as a bar, as long as `ns` is to `most`. */
struct html_split {
	uint64_t on_cpu_ns, runqueue_ns, blocked_ns;
};
void html_split(struct html *html, uint64_t ns, uint64_t most, const struct html_split *split,
		const char *prefix);

/*
 * The first cell of a row: name, location without the file's folders and, where there are several
 * processes, pid.
 */
void html_name(struct html *html, uint32_t source, const char *name, const char *location);

/* What a row had no room for: the location, and the full types behind a short name. */
void html_full(struct html *html, const char *location, const struct model_full *full);

/* A number of percent for style attributes; locales have no say in it. */
void html_percent(struct html *html, uint64_t part, uint64_t whole);

#endif
