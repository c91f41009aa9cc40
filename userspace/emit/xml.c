// SPDX-License-Identifier: MIT
#include "emit/xml.h"

#include <errno.h>
#include <stdlib.h>

#include "util/text.h"

void xml_put(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

int xml_put_foreign(FILE *out, const char *text)
{
	char *harmless = text_escape(text, "");

	if (!harmless)
		return -ENOMEM;
	xml_put(out, harmless);
	free(harmless);
	return 0;
}
