// SPDX-License-Identifier: MIT
#include "core/weights.h"

#include <stdlib.h>

_Static_assert(sizeof(struct weight_key) == 32, "padding in weight_key would be hashed");

struct weight *weights_get(struct weights *weights, const struct weight_key *key)
{
	struct weight *weight;

	HASH_FIND(hh, weights->by_key, key, sizeof(*key), weight);
	if (weight)
		return weight;
	weight = calloc(1, sizeof(*weight));
	if (!weight)
		return NULL;
	weight->key = *key;
	HASH_ADD(hh, weights->by_key, key, sizeof(weight->key), weight);
	if (!hash_added(weight)) {
		free(weight);
		return NULL;
	}
	return weight;
}

void weights_clear(struct weights *weights)
{
	struct weight *weight, *next;

	HASH_ITER (hh, weights->by_key, weight, next) {
		HASH_DEL(weights->by_key, weight);
		free(weight);
	}
}
