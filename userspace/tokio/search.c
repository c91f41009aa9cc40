// SPDX-License-Identifier: MIT
#include "tokio/search.h"

#include "tokio/code.h"

void search_begin(struct search *search, struct code *code, unsigned int depth_max)
{
	search->code = code;
	search->depth_max = depth_max;
	search->with_addresses = false;
	search->n = search->at = 0;
}

static void add(struct search *search, uint64_t vaddr, unsigned int depth)
{
	for (size_t i = 0; i < search->n; i++)
		if (search->functions[i] == vaddr)
			return;
	if (search->n == SEARCH_FUNCTIONS_MAX)
		return;
	search->functions[search->n] = vaddr;
	search->depths[search->n++] = depth;
}

void search_add(struct search *search, uint64_t vaddr)
{
	add(search, vaddr, 0);
}

static void add_called(struct search *search, const struct code_function *function,
		       unsigned int depth)
{
	for (size_t i = 0; i < function->ncallees; i++)
		add(search, function->callees[i], depth);
	for (size_t i = 0; search->with_addresses && i < function->nreferences; i++)
		add(search, function->references[i], depth);
}

const struct code_function *search_next(struct search *search, unsigned int *depth)
{
	const struct code_function *function = NULL;

	while (!function && search->at < search->n) {
		/* NULL for addresses of data, too. */
		function = code_function(search->code, search->functions[search->at]);
		*depth = search->depths[search->at++];
	}
	if (function && *depth < search->depth_max)
		add_called(search, function, *depth + 1);
	return function;
}
