// SPDX-License-Identifier: MIT
/* What sections of the HTML report are made of. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "emit/html_page.h"
#include "emit/names.h"
#include "emit/xml.h"
#include "util/text.h"

void html_foreign(struct html *html, const char *text)
{
	int err = xml_put_foreign(html->out, text);

	if (!html->err)
		html->err = err;
}

void html_print(struct html *html, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(html->out, format, args);
	va_end(args);
}

void html_section(struct html *html, const char *id, const char *heading, const char *note)
{
	html_print(html, "<section id=\"%s\" aria-labelledby=\"%s-head\">\n<h2 id=\"%s-head\">%s",
		   id, id, id, heading);
	if (*note)
		html_print(html, " <small>%s</small>", note);
	html_print(html, "</h2>\n");
}

void html_section_end(struct html *html)
{
	html_print(html, "</section>\n");
}

void html_table(struct html *html, const struct html_column *columns, size_t count,
		const char *sorted)
{
	html_print(html, "<div class=\"scroll\"><table>\n<thead><tr>");
	for (size_t i = 0; i < count; i++) {
		const struct html_column *column = &columns[i];

		html_print(html, "<th scope=\"col\"%s%s>", column->text ? "" : " class=\"num\"",
			   column->key && sorted && !strcmp(column->key, sorted)
				   ? column->text ? " aria-sort=\"ascending\""
						  : " aria-sort=\"descending\""
				   : "");
		if (column->about)
			html_print(html, "<span title=\"%s\">%s</span></th>", column->about,
				   column->head);
		else
			html_print(html, "<span>%s</span></th>", column->head);
	}
	html_print(html, "</tr></thead>\n");
}

void html_table_end(struct html *html)
{
	html_print(html, "</table></div>\n");
}

void html_duration(struct html *html, const char *class, uint64_t ns)
{
	html_print(html, "<td class=\"num%s%s%s\" data-v=\"%" PRIu64 "\">%s</td>",
		   *class ? " " : "", class, ns ? "" : " none", ns, ns ? text_duration(ns).s : "–");
}

void html_count(struct html *html, uint64_t count)
{
	html_print(html, "<td class=\"num%s\" data-v=\"%" PRIu64 "\">%s</td>", count ? "" : " none",
		   count, count ? text_count(count).s : "–");
}

void html_unknown(struct html *html, unsigned int cells)
{
	while (cells--)
		html_print(html, "<td class=\"num none\" data-v=\"-1\" title=\"not known\">?</td>");
}

void html_percent(struct html *html, uint64_t part, uint64_t whole)
{
	unsigned int hundredths =
		whole ? (unsigned int)((double)part / (double)whole * 10000 + 0.5) : 0;

	html_print(html, "%u.%02u%%", hundredths / 100, hundredths % 100);
}

static void put_part(struct html *html, const char *class, uint64_t part, uint64_t whole)
{
	if (!part)
		return;
	html_print(html, "<i class=\"%s\" style=\"width:", class);
	html_percent(html, part, whole);
	html_print(html, "\"></i>");
}

void html_split(struct html *html, uint64_t ns, uint64_t most, const struct html_split *split,
		const char *prefix)
{
	uint64_t whole = split->on_cpu_ns + split->runqueue_ns + split->blocked_ns;

	html_print(html,
		   "<td class=\"num split\" data-v=\"%" PRIu64 "\"><span class=\"bar\" "
		   "aria-hidden=\"true\"><span style=\"width:",
		   ns);
	html_percent(html, ns, most);
	html_print(html, "\">");
	put_part(html, "oncpu", split->on_cpu_ns, whole);
	put_part(html, "runqueue", split->runqueue_ns, whole);
	put_part(html, "blocked", split->blocked_ns, whole);
	html_print(html, "</span></span> <b>%s%s</b></td>", ns ? prefix : "",
		   ns ? text_duration(ns).s : "–");
}

void html_name(struct html *html, uint32_t source, const char *name, const char *location)
{
	const struct model_source *whose = &html->model->sources[source];

	html_print(html, "<th scope=\"row\"><span class=\"name\">");
	html_foreign(html, name);
	html_print(html, "</span>");
	if (*location) {
		const char *slash = strrchr(location, '/');

		html_print(html, " <span class=\"at\">");
		html_foreign(html, slash ? slash + 1 : location);
		html_print(html, "</span>");
	}
	if (!emit_target(html->model))
		html_print(html, " <span class=\"at\">pid %u</span>",
			   html->model->processes[whose->process].pid);
	html_print(html, "</th>");
}

void html_full(struct html *html, const char *location, const struct model_full *full)
{
	if (*location) {
		html_print(html, "<p class=\"full\">");
		html_foreign(html, location);
		html_print(html, "</p>\n");
	}
	for (size_t i = 0; i < full->count; i++) {
		html_print(html, "<p class=\"full\">");
		html_foreign(html, full->types[i]);
		html_print(html, "</p>\n");
	}
}
