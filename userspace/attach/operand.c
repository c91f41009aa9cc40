// SPDX-License-Identifier: MIT
#include "attach/operand.h"

#include <ctype.h>
#include <elf.h>
#include <string.h>

#include "attach/operand_text.h"

bool operand_accept(struct operand_cursor *cursor, char c)
{
	if (*cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

void operand_skip_spaces(struct operand_cursor *cursor)
{
	while (*cursor->at == ' ' || *cursor->at == '\t')
		cursor->at++;
}

bool operand_symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '@';
}

bool operand_number(struct operand_cursor *cursor, uint64_t *number)
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
	return !operand_symbol_char(*at);
}

void operand_constant(struct operand *operand, uint64_t value)
{
	int size = operand->size ? operand->size : 8;
	unsigned int bits = 64 - 8 * (size < 0 ? -size : size);

	operand->class = OPERAND_CONST;
	operand->value =
		size < 0 ? (int64_t)(value << bits) >> bits : (int64_t)(value << bits >> bits);
}

void operand_register(struct operand *operand, uint8_t number, uint8_t width)
{
	operand->class = OPERAND_REG;
	operand->base = number;
	if (!operand->size || operand->size > width)
		operand->size = width;
	else if (-operand->size > width)
		operand->size = -width;
}

/* The `-8@` before an operand; without one the size stays 0. */
static bool parse_size(struct operand_cursor *cursor, int8_t *size)
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

static bool parse_operand(struct operand_cursor *cursor, struct operand *operand)
{
	if (!parse_size(cursor, &operand->size))
		return false;
	switch (cursor->scope->machine) {
	case EM_X86_64:
		return operand_x86_64(cursor, operand);
	case EM_AARCH64:
		return operand_aarch64(cursor, operand);
	default:
		return false;
	}
}

bool operand_parse(const char *text, const struct operand_scope *scope, struct operand *operand)
{
	struct operand_cursor cursor = {.at = text, .scope = scope};

	*operand = (struct operand){.base = OPERAND_NO_REG, .index = OPERAND_NO_REG};
	if (parse_operand(&cursor, operand) && !*cursor.at) {
		if (!operand->size)
			operand->size = 8;
		return true;
	}
	*operand = (struct operand){.base = OPERAND_NO_REG, .index = OPERAND_NO_REG};
	return false;
}

/* Length of the argument at `args`: to the next space that is not between parentheses or brackets. */
static size_t argument_length(const char *args)
{
	size_t n = 0;
	int depth = 0;

	for (; args[n] && (depth > 0 || !isspace((unsigned char)args[n])); n++)
		depth += !!strchr("([", args[n]) - !!strchr(")]", args[n]);
	return n;
}

size_t operand_parse_all(const char *args, const struct operand_scope *scope,
			 struct operand *operands, size_t max)
{
	char token[OPERAND_TEXT_MAX];
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
