// SPDX-License-Identifier: MIT
/* Operands in AT&T assembly (GNU as, i386-Memory). */
#include <ctype.h>
#include <string.h>

#include "attach/operand_text.h"

struct reg {
	uint8_t number; /* DWARF */
	uint8_t width;  /* bytes */
};

/* Numbers and symbols added up. */
struct sum {
	uint64_t number;
	uint64_t symbol;
	bool has_symbol;
	bool empty;
};

/*
 * The eight registers that have names, by DWARF number; %ah and its like are of no use to the
 * programs.
 */
static const char *const named_registers[8][4] = {
	{"rax", "eax", "ax", "al"},  {"rdx", "edx", "dx", "dl"},  {"rcx", "ecx", "cx", "cl"},
	{"rbx", "ebx", "bx", "bl"},  {"rsi", "esi", "si", "sil"}, {"rdi", "edi", "di", "dil"},
	{"rbp", "ebp", "bp", "bpl"}, {"rsp", "esp", "sp", "spl"},
};
static const uint8_t register_widths[4] = {8, 4, 2, 1};

/* %r8 to %r15, with d, w, b or l for their lower parts. */
static bool numbered_register(const char *name, size_t n, struct reg *reg)
{
	size_t digits = n > 1 && isdigit((unsigned char)name[1]) ? 1 : 0;

	if (name[0] != 'r' || !digits)
		return false;
	reg->number = name[1] - '0';
	if (n > 2 && isdigit((unsigned char)name[2])) {
		reg->number = 10 * reg->number + name[2] - '0';
		digits = 2;
	}
	if (reg->number < 8 || reg->number > 15 || (digits == 2 && name[1] != '1'))
		return false;
	if (n == 1 + digits) {
		reg->width = 8;
		return true;
	}
	if (n != 2 + digits)
		return false;
	reg->width = name[n - 1] == 'd' ? 4 : name[n - 1] == 'w' ? 2 : 1;
	return strchr("dwbl", name[n - 1]) != NULL;
}

static bool parse_register(struct operand_cursor *cursor, struct reg *reg)
{
	const char *name = cursor->at + 1;
	size_t n = 0;

	if (*cursor->at != '%')
		return false;
	while (isalnum((unsigned char)name[n]))
		n++;
	cursor->at = name + n;
	if (n == 3 && !memcmp(name, "rip", 3)) {
		*reg = (struct reg){OPERAND_PC, 8};
		return true;
	}
	for (size_t i = 0; i < 8; i++) {
		for (size_t w = 0; w < 4; w++) {
			const char *known = named_registers[i][w];

			if (n == strlen(known) && !memcmp(name, known, n)) {
				*reg = (struct reg){i, register_widths[w]};
				return true;
			}
		}
	}
	return n && numbered_register(name, n, reg);
}

static bool parse_symbol(struct operand_cursor *cursor, uint64_t *vaddr)
{
	const struct operand_scope *scope = cursor->scope;
	char name[OPERAND_TEXT_MAX];
	size_t n = 0;

	while (n < sizeof(name) - 1 && operand_symbol_char(cursor->at[n])) {
		name[n] = cursor->at[n];
		n++;
	}
	name[n] = '\0';
	cursor->at += n;
	return n && !operand_symbol_char(*cursor->at) && scope->symbol &&
	       !scope->symbol(scope->context, name, vaddr);
}

/* [-]term{(+|-)term}, a term being a number or, once and not subtracted, a symbol; or nothing. */
static bool parse_sum(struct operand_cursor *cursor, struct sum *sum)
{
	bool minus = operand_accept(cursor, '-');
	uint64_t number;

	*sum = (struct sum){.empty = !minus};
	if (!minus && !operand_accept(cursor, '+') && !operand_symbol_char(*cursor->at))
		return true;
	sum->empty = false;
	do {
		if (isdigit((unsigned char)*cursor->at)) {
			if (!operand_number(cursor, &number))
				return false;
			sum->number += minus ? -number : number;
		} else {
			if (minus || sum->has_symbol || !parse_symbol(cursor, &sum->symbol))
				return false;
			sum->has_symbol = true;
		}
		minus = *cursor->at == '-';
	} while (operand_accept(cursor, '+') || operand_accept(cursor, '-'));
	return true;
}

static bool parse_constant(struct operand_cursor *cursor, struct operand *operand)
{
	struct sum sum;

	if (!parse_sum(cursor, &sum) || sum.empty)
		return false;
	if (sum.has_symbol && !cursor->scope->fixed_address)
		return false;
	operand_constant(operand, sum.number + sum.symbol);
	return true;
}

static bool parse_scale(struct operand_cursor *cursor, uint8_t *scale)
{
	uint64_t factor;

	if (!isdigit((unsigned char)*cursor->at) || !operand_number(cursor, &factor))
		return false;
	if (!factor || factor > 8 || factor & (factor - 1))
		return false;
	*scale = __builtin_ctzll(factor);
	return true;
}

/* The rest of (base,index,scale). */
static bool parse_address(struct operand_cursor *cursor, struct operand *operand)
{
	struct reg reg;

	operand_skip_spaces(cursor);
	if (*cursor->at != ',') {
		if (!parse_register(cursor, &reg) || reg.width != 8)
			return false;
		operand->base = reg.number;
		operand_skip_spaces(cursor);
	}
	if (operand_accept(cursor, ',')) {
		operand_skip_spaces(cursor);
		if (!parse_register(cursor, &reg) || reg.width != 8 || reg.number == OPERAND_PC ||
		    reg.number == 7 || operand->base == OPERAND_PC)
			return false;
		operand->index = reg.number;
		operand_skip_spaces(cursor);
		if (operand_accept(cursor, ',')) {
			operand_skip_spaces(cursor);
			if (!parse_scale(cursor, &operand->scale))
				return false;
			operand_skip_spaces(cursor);
		}
	}
	return operand_accept(cursor, ')');
}

static bool parse_memory(struct operand_cursor *cursor, struct operand *operand)
{
	struct sum sum;
	bool bare;

	if (!parse_sum(cursor, &sum))
		return false;
	bare = !operand_accept(cursor, '(');
	if (bare ? sum.empty : !parse_address(cursor, operand))
		return false;
	operand->class = OPERAND_MEMORY;
	operand->value = sum.number;
	if (!sum.has_symbol)
		return true;
	operand->value += sum.symbol;
	/* Wherever the file is loaded, a symbol is as far from the probe as it was linked. */
	if (bare)
		operand->base = OPERAND_PC;
	if (operand->base == OPERAND_PC)
		operand->value -= cursor->scope->location;
	else
		return cursor->scope->fixed_address;
	return true;
}

bool operand_x86_64(struct operand_cursor *cursor, struct operand *operand)
{
	struct reg reg;

	if (operand_accept(cursor, '$'))
		return parse_constant(cursor, operand);
	if (*cursor->at != '%')
		return parse_memory(cursor, operand);
	if (!parse_register(cursor, &reg) || reg.number == OPERAND_PC)
		return false;
	operand_register(operand, reg.number, reg.width);
	return true;
}
