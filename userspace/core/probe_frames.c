// SPDX-License-Identifier: MIT
#include "core/probe_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/model.h"
#include "core/stack_end.h"

/*
 * How a probe is entered (arch/x86/entry/entry_64.S): by its trap, by the step over the instruction that it
 * displaced, or by a system call, whose function has a prefix for each architecture.
 */
static const char *const traps[] = {"asm_exc_int3", "asm_exc_debug"};
static const char *const calls[] = {"_sys_uprobe", "_sys_uretprobe"};

static bool is_entry(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		if (!strcmp(name, traps[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		size_t suffix = strlen(calls[i]);

		if (length > suffix && !strcmp(name + length - suffix, calls[i]))
			return true;
	}
	return false;
}

struct entries {
	uint64_t *addresses; /* as in stacks; ascending */
	size_t count;
};

static int find_entries(const struct model *model, struct entries *entries)
{
	entries->count = 0;
	entries->addresses = calloc(model->nsymbols + 1, sizeof(*entries->addresses));
	if (!entries->addresses)
		return -ENOMEM;
	for (size_t i = 0; i < model->nsymbols; i++) {
		const struct model_symbol *symbol = &model->symbols[i];

		if (symbol->process == EVENT_NO_PROCESS && symbol->nframes &&
		    is_entry(symbol->frames[symbol->nframes - 1].function))
			entries->addresses[entries->count++] = symbol->address;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool enters(const struct entries *entries, const struct model_stack *stack)
{
	for (uint16_t i = 0; i < stack->nkernel; i++) {
		if (bsearch(&stack->frames[i], entries->addresses, entries->count,
			    sizeof(*entries->addresses), compare))
			return true;
	}
	return false;
}

int probe_frames_fold(struct model *model)
{
	struct entries entries;
	int err = find_entries(model, &entries);

	if (err)
		return err;
	for (size_t i = 0; entries.count && i < model->nstacks; i++) {
		struct model_stack *stack = &model->stacks[i];

		if (!enters(&entries, stack))
			continue;
		stack->frames[0] = STACK_PROBE;
		memmove(stack->frames + 1, stack->frames + stack->nkernel,
			stack->nuser * sizeof(*stack->frames));
		stack->nkernel = 1;
	}
	free(entries.addresses);
	return 0;
}
