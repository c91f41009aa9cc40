// SPDX-License-Identifier: MIT
#include "tokio/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/demangle.h"
#include "symbolize/module.h"

/* Takes the type of one more name; *type: of those before, or NULL. */
static int take_one(const char *symbol, bool (*take)(const char *name, struct rust_span *type),
		    char **type)
{
	char *name = demangle(symbol);
	struct rust_span span;
	int err = 0;

	if (!name)
		return -ENOMEM;
	if (!take(name, &span) || (*type && !rust_span_is(span, *type)))
		err = -ENOENT;
	if (!err && !*type) {
		*type = strndup(span.s, span.n);
		err = *type ? 0 : -ENOMEM;
	}
	free(name);
	return err;
}

int symbols_type(struct module *module, uint64_t vaddr,
		 bool (*take)(const char *name, struct rust_span *type), char **type)
{
	struct module_symbols symbols;
	int err = module_symbols(module, vaddr, &symbols);

	*type = NULL;
	if (!err && !symbols.n)
		err = -ENOENT;
	for (size_t i = 0; !err && i < symbols.n; i++)
		err = take_one(symbols.names[i], take, type);
	if (err) {
		free(*type);
		*type = NULL;
	}
	return err;
}
