// SPDX-License-Identifier: MIT
#include "attach/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/utf8.h"

void checks_add(struct checks *checks, enum check_state state, const char *subject,
		const char *remedy, const char *format, ...)
{
	struct check *grown = realloc(checks->list, (checks->n + 1) * sizeof(*grown)), *check;
	va_list args;

	if (!grown) {
		checks->out_of_memory = 1;
		return;
	}
	checks->list = grown;
	check = &grown[checks->n++];
	check->state = state;
	check->subject = subject;
	snprintf(check->remedy, sizeof(check->remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(check->found, sizeof(check->found), format, args);
	va_end(args);
	utf8_sanitize(check->found); /* names in it are the target's */
}

void checks_release(struct checks *checks)
{
	free(checks->list);
	checks->list = NULL;
	checks->n = 0;
}
