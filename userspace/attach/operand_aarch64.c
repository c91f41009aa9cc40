// SPDX-License-Identifier: MIT
/*
 * Operands in A64 assembly, as compilers write them: with and without `#` before a number (Arm Architecture
 * Reference Manual, C1.3.3).
 */
#include <ctype.h>
#include <string.h>

#include "attach/operand_text.h"

#define SP 31

/* x0 to x30 and sp; w0 to w30, the lower halves. Zero registers are none. */
static bool parse_register(struct operand_cursor *cursor, uint8_t *number, uint8_t *width)
{
	const char *name = cursor->at;
	size_t n = 0;

	while (isalnum((unsigned char)name[n]))
		n++;
	cursor->at = name + n;
	*width = *name == 'w' ? 4 : 8;
	if (n == 2 && !memcmp(name, "sp", 2)) {
		*number = SP;
		return true;
	}
	if ((*name != 'x' && *name != 'w') || n < 2 || n > 3 || !isdigit((unsigned char)name[1]))
		return false;
	*number = name[1] - '0';
	if (n == 2)
		return true;
	if (!*number || !isdigit((unsigned char)name[2]))
		return false;
	*number = 10 * *number + name[2] - '0';
	return *number < SP;
}

static bool parse_constant(struct operand_cursor *cursor, int64_t *value)
{
	bool minus;
	uint64_t number;

	operand_accept(cursor, '#');
	minus = operand_accept(cursor, '-');
	if (!isdigit((unsigned char)*cursor->at) || !operand_number(cursor, &number))
		return false;
	*value = minus ? -number : number;
	return true;
}

/* Behind an index: `, lsl 3`. */
static bool parse_shift(struct operand_cursor *cursor, uint8_t *scale)
{
	int64_t bits;

	operand_skip_spaces(cursor);
	if (strncmp(cursor->at, "lsl", 3))
		return false;
	cursor->at += 3;
	operand_skip_spaces(cursor);
	if (!parse_constant(cursor, &bits) || bits < 0 || bits > 3)
		return false;
	*scale = bits;
	return true;
}

/* Behind a base: a number, or a register that may be shifted. */
static bool parse_offset(struct operand_cursor *cursor, struct operand *operand)
{
	uint8_t width;
	int64_t value;

	operand_skip_spaces(cursor);
	if (!isalpha((unsigned char)*cursor->at)) {
		if (!parse_constant(cursor, &value))
			return false;
		operand->value = value;
		return true;
	}
	if (!parse_register(cursor, &operand->index, &width) || width != 8 || operand->index == SP)
		return false;
	operand_skip_spaces(cursor);
	return !operand_accept(cursor, ',') || parse_shift(cursor, &operand->scale);
}

/* The rest of [base], [base, 16], [base, index] or [base, index, lsl 3]. */
static bool parse_memory(struct operand_cursor *cursor, struct operand *operand)
{
	uint8_t width;

	operand->class = OPERAND_MEMORY;
	operand_skip_spaces(cursor);
	if (!parse_register(cursor, &operand->base, &width) || width != 8)
		return false;
	operand_skip_spaces(cursor);
	if (operand_accept(cursor, ',') && !parse_offset(cursor, operand))
		return false;
	operand_skip_spaces(cursor);
	return operand_accept(cursor, ']');
}

bool operand_aarch64(struct operand_cursor *cursor, struct operand *operand)
{
	uint8_t number, width;
	int64_t value;

	if (operand_accept(cursor, '['))
		return parse_memory(cursor, operand);
	if (isalpha((unsigned char)*cursor->at)) {
		if (!parse_register(cursor, &number, &width))
			return false;
		operand_register(operand, number, width);
		return true;
	}
	if (!parse_constant(cursor, &value))
		return false;
	operand_constant(operand, value);
	return true;
}
