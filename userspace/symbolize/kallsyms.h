/* SPDX-License-Identifier: MIT */
/*
 * The running kernel's functions, from /proc/kallsyms. It is read at the first look-up.
 */
#ifndef POLLSCOPE_SYMBOLIZE_KALLSYMS_H
#define POLLSCOPE_SYMBOLIZE_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

struct kallsyms;

struct kallsyms_range {
	uint64_t start, end; /* end exclusive */
};

#define KALLSYMS_FAULT_RANGES_MAX 16

/* kallsyms_new() - reads `path` when first needed; NULL: /proc/kallsyms. NULL: out of memory. */
struct kallsyms *kallsyms_new(const char *path);

/* kallsyms_free() - NULL is legal. */
void kallsyms_free(struct kallsyms *kallsyms);

/*
 * kallsyms_load() - reads the table now. 0 also when it was read before; -EPERM: the kernel hides
 * its addresses from us (it shows them with CAP_SYSLOG, unless kernel.kptr_restrict is 2); -ENOENT:
 * a kernel without kallsyms; -ENOMEM, -EIO. The same again for each later call.
 */
int kallsyms_load(struct kallsyms *kallsyms);

/* kallsyms_function() - name of the function that holds an address; NULL if unknown. */
const char *kallsyms_function(struct kallsyms *kallsyms, uint64_t address);

/* kallsyms_range() - where a function is, up to the next symbol. -ENOENT, or as kallsyms_load(). */
int kallsyms_range(struct kallsyms *kallsyms, const char *name, struct kallsyms_range *range);

/*
 * kallsyms_fault_ranges() - the functions that a kernel stack shows when the thread sleeps in a
 * page fault (x86: exc_page_fault and what it calls; elsewhere do_page_fault, handle_mm_fault,
 * ...).
 *
 * Returns the number of ranges, at most KALLSYMS_FAULT_RANGES_MAX, or an error as kallsyms_load().
 */
int kallsyms_fault_ranges(struct kallsyms *kallsyms,
			  struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX]);

#endif
