/* SPDX-License-Identifier: MIT */
/* Text in XML and HTML. */
#ifndef POLLSCOPE_EMIT_XML_H
#define POLLSCOPE_EMIT_XML_H

#include <stdio.h>

/* Prints text that is free of control characters, for content or an attribute in double quotes. */
void xml_put(FILE *out, const char *text);

/*
 * Prints text of a target: made harmless for terminals first (which leaves no byte that XML
 * forbids), then escaped. 0 or -ENOMEM.
 */
int xml_put_foreign(FILE *out, const char *text);

#endif
