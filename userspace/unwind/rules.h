/* SPDX-License-Identifier: MIT */
/*
 * The distinct unwind rules of all files: an array that only grows, as the programs have it too.
 */
#ifndef POLLSCOPE_UNWIND_RULES_H
#define POLLSCOPE_UNWIND_RULES_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/unwind.h"

struct unwind_rules;

/* unwind_rules_new() - UNWIND_RULE_UNKNOWN to UNWIND_RULE_BEYOND are in it. NULL: out of memory. */
struct unwind_rules *unwind_rules_new(void);

/* unwind_rules_free() - NULL is legal. */
void unwind_rules_free(struct unwind_rules *rules);

/*
 * unwind_rules_index() - the number of a rule, which is put in where it is new: that of
 * UNWIND_RULE_BEYOND where there are `max` of them or UNWIND_RULES.
 */
uint32_t unwind_rules_index(struct unwind_rules *rules, const struct unwind_rule *rule,
			    uint32_t max);

/* unwind_rules_list() - all of them; the array does not move. */
const struct unwind_rule *unwind_rules_list(const struct unwind_rules *rules, uint32_t *n);

#endif
