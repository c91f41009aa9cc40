/* SPDX-License-Identifier: MIT */
/*
 * Line number programs, looked over before libdw (0.192) runs them: it follows extended opcodes whose
 * length and contents disagree out of the section.
 */
#ifndef POLLSCOPE_SYMBOLIZE_LINE_PROGRAM_H
#define POLLSCOPE_SYMBOLIZE_LINE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * line_program_check() - the program at an offset of .debug_line, DWARF 2 to 5 in the 32-bit format (DWARF 5,
 * 6.2.4 and 6.2.5). Sound: its header and opcodes end where they say, and of the extended ones there are
 * only the standard's but DW_LNE_define_file. Returns its length in bytes, 0: it is not sound.
 */
uint64_t line_program_check(const uint8_t *section, size_t size, uint64_t offset);

#endif
