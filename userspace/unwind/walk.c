// SPDX-License-Identifier: MIT
#include "unwind/walk.h"

#include <stddef.h>

#include "unwind/store.h"

static int unwind_read(void *memory, __u64 address, __u64 *word)
{
	const struct unwind_memory *m = memory;
	uint64_t value;

	if (m->read(m->context, address, &value))
		return -1;
	*word = value;
	return 0;
}

#include "bpf/unwind_step.h"

static enum unwind_end step(const struct unwind_store *store, const struct unwind_modules *modules,
			    const struct unwind_memory *memory, struct unwind_regs *regs)
{
	uint64_t pc = unwind_lookup_pc(regs);
	int index = unwind_find_module(modules, pc);
	const struct unwind_module *module;
	const struct unwind_chunk *chunk;
	const struct unwind_rule *rules;
	uint32_t rule, n;

	if (index < 0)
		return UNWIND_END_NO_MODULE;
	module = &modules->list[index];
	chunk = unwind_store_chunk(store, module->chunk);
	if (!chunk)
		return UNWIND_END_NO_TABLE;
	rule = unwind_find_rule(chunk, module->first, module->shift, pc - module->base);
	rules = unwind_store_rules(store, &n);
	if (rule >= n)
		return UNWIND_END_NO_TABLE;
	return unwind_step((void *)memory, &rules[rule], regs);
}

uint32_t unwind_walk(const struct unwind_store *store, const struct unwind_modules *modules,
		     struct unwind_regs regs, const struct unwind_memory *memory, uint64_t *frames,
		     uint32_t max, enum unwind_end *end)
{
	uint32_t n = 0;

	do {
		if (n == max) {
			*end = UNWIND_END_FULL;
			break;
		}
		frames[n++] = regs.pc;
		*end = step(store, modules, memory, &regs);
	} while (*end == UNWIND_GOES_ON);
	return n;
}
