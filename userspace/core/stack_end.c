// SPDX-License-Identifier: MIT
#include "core/stack_end.h"

#include <stddef.h>

struct end_name {
	const char *key, *text, *frame;
};

#define END(key, text)                                                                             \
	{                                                                                          \
		key, text, "[unwound no further: " text "]"                                        \
	}

static const struct end_name names[STACK_ENDS] = {
	[STACK_FULL] = END("too_deep", "deeper than 127 frames"),
	[STACK_UNKNOWN_CODE] = END("unknown_code", "unknown code"),
	[STACK_NO_RULE] = END("no_rule", "no unwind table"),
	[STACK_RULE_BEYOND] = END("rule_beyond", "unusual unwind rule"),
	[STACK_UNREADABLE] = END("unreadable", "stack not readable"),
	[STACK_BACKWARDS] = END("backwards", "damaged stack"),
	[STACK_NO_TABLE] = END("not_loaded", "table not loaded"),
};

static enum stack_end mark_of(uint64_t address)
{
	uint64_t end = address - STACK_MARK;

	return end > STACK_WHOLE && end < STACK_ENDS ? (enum stack_end)end : STACK_NO_TABLE;
}

enum stack_end stack_end_of(const struct event_stack *stack)
{
	size_t n = (size_t)stack->nkernel + stack->nuser;

	if (!stack->nuser || stack->frames[n - 1] < STACK_MARK)
		return STACK_WHOLE;
	return mark_of(stack->frames[n - 1]);
}

const char *stack_mark_frame(uint64_t address)
{
	if (address == STACK_PROBE)
		return "[probe]";
	return address < STACK_MARK ? NULL : names[mark_of(address)].frame;
}

const char *stack_end_text(enum stack_end end)
{
	return names[end].text;
}

const char *stack_end_key(enum stack_end end)
{
	return names[end].key;
}
