// SPDX-License-Identifier: MIT
#include "core/weights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct weight_key) == 32, "padding in weight_key would be hashed");

static struct weight *find(struct weights *weights, const struct weight_key *key)
{
	struct weight *weight = weights->last;

	if (weight && !memcmp(&weight->key, key, sizeof(*key)))
		return weight;
	HASH_FIND(hh, weights->by_key, key, sizeof(*key), weight);
	return weight;
}

int weights_add(struct weights *weights, const struct weight_key *key, uint64_t count, uint64_t ns)
{
	struct weight *weight = find(weights, key);

	if (!weight) {
		weight = calloc(1, sizeof(*weight));
		if (!weight)
			return -ENOMEM;
		weight->key = *key;
		HASH_ADD(hh, weights->by_key, key, sizeof(weight->key), weight);
		if (!hash_added(weight)) {
			free(weight);
			return -ENOMEM;
		}
	}
	weight->count += count;
	weight->ns += ns;
	weights->last = weight;
	return 0;
}

void weights_clear(struct weights *weights)
{
	struct weight *weight, *next;

	HASH_ITER(hh, weights->by_key, weight, next) {
		HASH_DEL(weights->by_key, weight);
		free(weight);
	}
	weights->last = NULL;
}
