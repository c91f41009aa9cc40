// SPDX-License-Identifier: MIT
#include "unwind/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing, at most half full: building a table asks for each of its rows. */
#define SLOTS (2 * UNWIND_RULES)

struct unwind_rules {
	uint32_t n;
	struct unwind_rule list[UNWIND_RULES];
	uint32_t slots[SLOTS]; /* index + 1; 0: free */
};

/* By where the rules happen to be, so that no file can choose rules that all get the same slot. */
static uint32_t slot_of(const struct unwind_rules *rules, const struct unwind_rule *rule)
{
	uint32_t words[sizeof(*rule) / sizeof(uint32_t)];
	uint64_t hash = (uintptr_t)rules;

	memcpy(words, rule, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash % SLOTS;
}

/* The rule's slot, or the free one where it belongs. */
static uint32_t *find(struct unwind_rules *rules, const struct unwind_rule *rule)
{
	uint32_t at = slot_of(rules, rule);

	while (rules->slots[at] && memcmp(&rules->list[rules->slots[at] - 1], rule, sizeof(*rule)))
		at = (at + 1) % SLOTS;
	return &rules->slots[at];
}

uint32_t unwind_rules_index(struct unwind_rules *rules, const struct unwind_rule *rule,
			    uint32_t max)
{
	uint32_t *slot = find(rules, rule);

	if (!*slot) {
		if (rules->n >= max || rules->n == UNWIND_RULES)
			return UNWIND_RULE_BEYOND;
		rules->list[rules->n++] = *rule;
		*slot = rules->n;
	}
	return *slot - 1;
}

struct unwind_rules *unwind_rules_new(void)
{
	static const struct unwind_rule first[] = {
		[UNWIND_RULE_UNKNOWN] = {.end = UNWIND_END_NO_RULE},
		[UNWIND_RULE_OUTERMOST] = {.end = UNWIND_END_OUTERMOST},
		[UNWIND_RULE_BEYOND] = {.end = UNWIND_END_RULE},
	};
	struct unwind_rules *rules = calloc(1, sizeof(*rules));

	for (size_t i = 0; rules && i < sizeof(first) / sizeof(first[0]); i++)
		unwind_rules_index(rules, &first[i], UNWIND_RULES);
	return rules;
}

void unwind_rules_free(struct unwind_rules *rules)
{
	free(rules);
}

const struct unwind_rule *unwind_rules_list(const struct unwind_rules *rules, uint32_t *n)
{
	*n = rules->n;
	return rules->list;
}
