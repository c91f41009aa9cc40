/* SPDX-License-Identifier: MIT */
/*
 * Names of functions as their authors wrote them.
 */
#ifndef POLLSCOPE_SYMBOLIZE_DEMANGLE_H
#define POLLSCOPE_SYMBOLIZE_DEMANGLE_H

/*
 * demangle() - a mangled name (Rust v0 and legacy, C++) as source code has it, without hash,
 * parameters and the compiler's suffixes (".llvm.N", ".cold", ".part.N", ".constprop.N",
 * ".isra.N"); another name as it is, without suffixes. Cut at 4 KiB. To be freed; NULL: out of
 * memory.
 */
char *demangle(const char *name);

#endif
