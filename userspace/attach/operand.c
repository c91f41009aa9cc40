// SPDX-License-Identifier: MIT
#include "attach/operand.h"

#include <ctype.h>
#include <elf.h>
#include <string.h>

#define TOKEN_MAX 512 /* bytes of an argument; longer ones, by a symbol's name, are not read */

/* Where the parser stands. */
struct cursor {
	const char *at;
	const struct operand_scope *scope;
};

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

static bool accept(struct cursor *cursor, char c)
{
	if (*cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static void skip_spaces(struct cursor *cursor)
{
	while (*cursor->at == ' ' || *cursor->at == '\t')
		cursor->at++;
}

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

static bool parse_register(struct cursor *cursor, struct reg *reg)
{
	const char *name = cursor->at + 1;
	size_t n = 0;

	if (*cursor->at != '%')
		return false;
	while (isalnum((unsigned char)name[n]))
		n++;
	cursor->at = name + n;
	if (n == 3 && !memcmp(name, "rip", 3)) {
		*reg = (struct reg){OPERAND_RIP, 8};
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

static bool is_symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '@';
}

/* As the assembler has them: 0x10 is hexadecimal, 010 octal. */
static bool parse_number(struct cursor *cursor, uint64_t *number)
{
	const char *at = cursor->at;
	unsigned int base = 10, digit;

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		base = 16;
		at += 2;
		if (!isxdigit((unsigned char)*at))
			return false;
	} else if (at[0] == '0') {
		base = 8;
	}
	for (*number = 0; isxdigit((unsigned char)*at); at++) {
		digit = isdigit((unsigned char)*at) ? *at - '0'
						    : tolower((unsigned char)*at) - 'a' + 10;
		if (digit >= base || __builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, digit, number))
			return false;
	}
	cursor->at = at;
	return !is_symbol_char(*at);
}

static bool parse_symbol(struct cursor *cursor, uint64_t *vaddr)
{
	const struct operand_scope *scope = cursor->scope;
	char name[TOKEN_MAX];
	size_t n = 0;

	while (n < sizeof(name) - 1 && is_symbol_char(cursor->at[n])) {
		name[n] = cursor->at[n];
		n++;
	}
	name[n] = '\0';
	cursor->at += n;
	return n && !is_symbol_char(*cursor->at) && scope->symbol &&
	       !scope->symbol(scope->context, name, vaddr);
}

/* [-]term{(+|-)term}, a term being a number or, once and not subtracted, a symbol; or nothing. */
static bool parse_sum(struct cursor *cursor, struct sum *sum)
{
	bool minus = accept(cursor, '-');
	uint64_t number;

	*sum = (struct sum){.empty = !minus};
	if (!minus && !accept(cursor, '+') && !is_symbol_char(*cursor->at))
		return true;
	sum->empty = false;
	do {
		if (isdigit((unsigned char)*cursor->at)) {
			if (!parse_number(cursor, &number))
				return false;
			sum->number += minus ? -number : number;
		} else {
			if (minus || sum->has_symbol || !parse_symbol(cursor, &sum->symbol))
				return false;
			sum->has_symbol = true;
		}
		minus = *cursor->at == '-';
	} while (accept(cursor, '+') || accept(cursor, '-'));
	return true;
}

static int64_t cut_to_size(uint64_t value, int size)
{
	unsigned int bits = 64 - 8 * (size < 0 ? -size : size);

	return size < 0 ? (int64_t)(value << bits) >> bits : (int64_t)(value << bits >> bits);
}

static bool parse_constant(struct cursor *cursor, struct operand *operand)
{
	struct sum sum;

	if (!parse_sum(cursor, &sum) || sum.empty)
		return false;
	if (sum.has_symbol && !cursor->scope->fixed_address)
		return false;
	operand->class = OPERAND_CONST;
	operand->value = cut_to_size(sum.number + sum.symbol, operand->size ? operand->size : 8);
	return true;
}

static bool parse_scale(struct cursor *cursor, uint8_t *scale)
{
	uint64_t factor;

	if (!isdigit((unsigned char)*cursor->at) || !parse_number(cursor, &factor))
		return false;
	if (!factor || factor > 8 || factor & (factor - 1))
		return false;
	*scale = __builtin_ctzll(factor);
	return true;
}

/* The rest of (base,index,scale). */
static bool parse_address(struct cursor *cursor, struct operand *operand)
{
	struct reg reg;

	skip_spaces(cursor);
	if (*cursor->at != ',') {
		if (!parse_register(cursor, &reg) || reg.width != 8)
			return false;
		operand->base = reg.number;
		skip_spaces(cursor);
	}
	if (accept(cursor, ',')) {
		skip_spaces(cursor);
		if (!parse_register(cursor, &reg) || reg.width != 8 || reg.number == OPERAND_RIP ||
		    reg.number == 7 || operand->base == OPERAND_RIP)
			return false;
		operand->index = reg.number;
		skip_spaces(cursor);
		if (accept(cursor, ',')) {
			skip_spaces(cursor);
			if (!parse_scale(cursor, &operand->scale))
				return false;
			skip_spaces(cursor);
		}
	}
	return accept(cursor, ')');
}

static bool parse_memory(struct cursor *cursor, struct operand *operand)
{
	struct sum sum;
	bool bare;

	if (!parse_sum(cursor, &sum))
		return false;
	bare = !accept(cursor, '(');
	if (bare ? sum.empty : !parse_address(cursor, operand))
		return false;
	operand->class = OPERAND_MEMORY;
	operand->value = sum.number;
	if (!sum.has_symbol)
		return true;
	operand->value += sum.symbol;
	/* Wherever the file is loaded, a symbol is as far from the probe as it was linked. */
	if (bare)
		operand->base = OPERAND_RIP;
	if (operand->base == OPERAND_RIP)
		operand->value -= cursor->scope->location;
	else
		return cursor->scope->fixed_address;
	return true;
}

/* The `-8@` before an operand; without one the size stays 0. */
static bool parse_size(struct cursor *cursor, int8_t *size)
{
	const char *at = cursor->at;
	bool negative = *at == '-';
	size_t digits;

	at += negative;
	digits = strspn(at, "0123456789");
	if (!digits || (at[digits] != '@' && at[digits] != 'f'))
		return true;
	if (at[digits] == 'f' && at[digits + 1] != '@')
		return true;
	if (digits != 1 || at[1] != '@' || !strchr("1248", at[0]))
		return false;
	*size = negative ? -(at[0] - '0') : at[0] - '0';
	cursor->at = at + 2;
	return true;
}

static bool parse_operand(struct cursor *cursor, struct operand *operand)
{
	struct reg reg;

	if (!parse_size(cursor, &operand->size))
		return false;
	if (accept(cursor, '$'))
		return parse_constant(cursor, operand);
	if (*cursor->at != '%')
		return parse_memory(cursor, operand);
	if (!parse_register(cursor, &reg) || reg.number == OPERAND_RIP)
		return false;
	operand->class = OPERAND_REG;
	operand->base = reg.number;
	if (!operand->size || operand->size > reg.width)
		operand->size = reg.width;
	else if (-operand->size > reg.width)
		operand->size = -reg.width;
	return true;
}

bool operand_parse(const char *text, const struct operand_scope *scope, struct operand *operand)
{
	struct cursor cursor = {.at = text, .scope = scope};

	*operand = (struct operand){.base = OPERAND_NO_REG, .index = OPERAND_NO_REG};
	if (parse_operand(&cursor, operand) && !*cursor.at) {
		if (!operand->size)
			operand->size = 8;
		return true;
	}
	*operand = (struct operand){.base = OPERAND_NO_REG, .index = OPERAND_NO_REG};
	return false;
}

/* Length of the argument at `args`: to the next space that is not between parentheses. */
static size_t argument_length(const char *args)
{
	size_t n = 0;
	int depth = 0;

	for (; args[n] && (depth > 0 || !isspace((unsigned char)args[n])); n++)
		depth += (args[n] == '(') - (args[n] == ')');
	return n;
}

size_t operand_parse_all(const char *args, const struct operand_scope *scope,
			 struct operand *operands, size_t max)
{
	char token[TOKEN_MAX];
	size_t n = 0, length;

	if (max > OPERAND_ARGS_MAX)
		max = OPERAND_ARGS_MAX;
	for (;; args += length) {
		while (isspace((unsigned char)*args))
			args++;
		if (!*args || n == max)
			return n;
		length = argument_length(args);
		if (length < sizeof(token)) {
			memcpy(token, args, length);
			token[length] = '\0';
		} else {
			token[0] = '\0';
		}
		operand_parse(token, scope, &operands[n++]);
	}
}
