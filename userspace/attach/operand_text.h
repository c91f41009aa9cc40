/* SPDX-License-Identifier: MIT */
/* What parsers of operands have in common (attach/operand.h), and the one of each assembly language. */
#ifndef POLLSCOPE_ATTACH_OPERAND_TEXT_H
#define POLLSCOPE_ATTACH_OPERAND_TEXT_H

#include "attach/operand.h"

#define OPERAND_TEXT_MAX                                                                           \
	512 /* bytes of an argument; longer ones, by a symbol's name, are not read */

/* Where the parser stands. */
struct operand_cursor {
	const char *at;
	const struct operand_scope *scope;
};

/* operand_accept() - steps over a character, if it is the next. */
bool operand_accept(struct operand_cursor *cursor, char c);

void operand_skip_spaces(struct operand_cursor *cursor);

/* operand_symbol_char() - whether names of symbols may have it. */
bool operand_symbol_char(char c);

/*
 * operand_number() - a number as assemblers have them: 0x10 is hexadecimal, 010 octal. False: there is none
 * here, or it goes on as a symbol's name does.
 */
bool operand_number(struct operand_cursor *cursor, uint64_t *number);

/* operand_constant() - makes it a constant, cut or extended to its size; 8 bytes where that is 0. */
void operand_constant(struct operand *operand, uint64_t value);

/* operand_register() - makes it a register of `width` bytes, by DWARF's number: its size is at most that. */
void operand_register(struct operand *operand, uint8_t number, uint8_t width);

/*
 * operand_x86_64(), operand_aarch64() - what follows the size, which is in the operand (0: there was none).
 * Return whether it can be read; what is behind it is left to the caller.
 */
bool operand_x86_64(struct operand_cursor *cursor, struct operand *operand);
bool operand_aarch64(struct operand_cursor *cursor, struct operand *operand);

#endif
