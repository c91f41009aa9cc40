// SPDX-License-Identifier: MIT
#include "events/dictionary.h"

#include <stdlib.h>
#include <string.h>

#define FEWEST_SLOTS 256

/*
 * Multiplication by 2^64 / golden ratio spreads ids that count up and addresses that are aligned.
 */
static uint64_t mix(uint64_t value)
{
	value *= 0x9e3779b97f4a7c15;
	return value ^ value >> 32;
}

static uint64_t hash_bytes(const char *bytes, size_t size)
{
	uint64_t hash = size, word;

	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = mix(hash ^ word);
	}
	word = 0;
	memcpy(&word, bytes, size);
	return mix(hash ^ word);
}

/* Twice the slots, all free; NULL without memory. */
static uint32_t *more_slots(uint32_t *slots, uint32_t *nslots)
{
	uint32_t n = *nslots ? 2 * *nslots : FEWEST_SLOTS;
	uint32_t *more = calloc(n, sizeof(*more));

	if (!more)
		return NULL;
	free(slots);
	*nslots = n;
	return more;
}

static void put_slot(uint32_t *slots, uint32_t nslots, uint64_t hash, uint32_t index)
{
	uint32_t i = hash & (nslots - 1);

	while (slots[i])
		i = (i + 1) & (nslots - 1);
	slots[i] = index + 1;
}

static bool dictionary_grow(struct dictionary *dictionary)
{
	uint32_t *slots = more_slots(dictionary->slots, &dictionary->nslots);
	uint64_t *values;

	if (!slots)
		return false;
	dictionary->slots = slots;
	for (uint32_t i = 0; i < dictionary->n; i++)
		put_slot(slots, dictionary->nslots, mix(dictionary->values[i]), i);
	values = reallocarray(dictionary->values, dictionary->nslots / 2, sizeof(*values));
	if (!values)
		return false;
	dictionary->values = values;
	return true;
}

uint32_t dictionary_index(struct dictionary *dictionary, uint64_t value)
{
	uint64_t hash = mix(value);
	uint32_t slot;

	if (dictionary->recent < dictionary->n && dictionary->values[dictionary->recent] == value)
		return dictionary->recent;
	if (dictionary->n >= dictionary->nslots / 2 && !dictionary_grow(dictionary))
		return DICTIONARY_FAILED;
	for (uint32_t i = hash & (dictionary->nslots - 1);;
	     i = (i + 1) & (dictionary->nslots - 1)) {
		slot = dictionary->slots[i];
		if (!slot) {
			dictionary->values[dictionary->n] = value;
			dictionary->slots[i] = slot = ++dictionary->n;
			break;
		}
		if (dictionary->values[slot - 1] == value)
			break;
	}
	dictionary->recent = slot - 1;
	return slot - 1;
}

void dictionary_empty(struct dictionary *dictionary)
{
	if (dictionary->n)
		memset(dictionary->slots, 0, dictionary->nslots * sizeof(*dictionary->slots));
	dictionary->n = 0;
}

void dictionary_release(struct dictionary *dictionary)
{
	free(dictionary->values);
	free(dictionary->slots);
}

static uint64_t blob_hash(const struct blob_dictionary *dictionary, uint32_t index)
{
	const struct blob *blob = &dictionary->blobs[index];

	return hash_bytes(dictionary->bytes + blob->offset, blob->size);
}

static bool blob_dictionary_grow(struct blob_dictionary *dictionary)
{
	uint32_t *slots = more_slots(dictionary->slots, &dictionary->nslots);
	struct blob *blobs;

	if (!slots)
		return false;
	dictionary->slots = slots;
	for (uint32_t i = 0; i < dictionary->n; i++)
		put_slot(slots, dictionary->nslots, blob_hash(dictionary, i), i);
	blobs = reallocarray(dictionary->blobs, dictionary->nslots / 2, sizeof(*blobs));
	if (!blobs)
		return false;
	dictionary->blobs = blobs;
	return true;
}

static uint32_t blob_add(struct blob_dictionary *dictionary, const void *bytes, size_t size)
{
	size_t capacity = dictionary->capacity ? dictionary->capacity : 4096;

	while (capacity - dictionary->nbytes < size)
		capacity *= 2;
	if (capacity != dictionary->capacity) {
		char *more = realloc(dictionary->bytes, capacity);

		if (!more)
			return DICTIONARY_FAILED;
		dictionary->bytes = more;
		dictionary->capacity = capacity;
	}
	memcpy(dictionary->bytes + dictionary->nbytes, bytes, size);
	dictionary->blobs[dictionary->n] = (struct blob){dictionary->nbytes, size};
	dictionary->nbytes += size;
	return dictionary->n++;
}

uint32_t blob_dictionary_index(struct blob_dictionary *dictionary, const void *bytes, size_t size,
			       bool *added)
{
	uint64_t hash = hash_bytes(bytes, size);
	uint32_t index;

	*added = false;
	if (dictionary->n >= dictionary->nslots / 2 && !blob_dictionary_grow(dictionary))
		return DICTIONARY_FAILED;
	for (uint32_t i = hash & (dictionary->nslots - 1);;
	     i = (i + 1) & (dictionary->nslots - 1)) {
		const struct blob *blob;

		if (!dictionary->slots[i]) {
			index = blob_add(dictionary, bytes, size);
			if (index == DICTIONARY_FAILED)
				return index;
			dictionary->slots[i] = index + 1;
			*added = true;
			return index;
		}
		blob = &dictionary->blobs[dictionary->slots[i] - 1];
		if (blob->size == size && !memcmp(dictionary->bytes + blob->offset, bytes, size))
			return dictionary->slots[i] - 1;
	}
}

void blob_dictionary_empty(struct blob_dictionary *dictionary)
{
	if (dictionary->n)
		memset(dictionary->slots, 0, dictionary->nslots * sizeof(*dictionary->slots));
	dictionary->n = 0;
	dictionary->nbytes = 0;
}

void blob_dictionary_release(struct blob_dictionary *dictionary)
{
	free(dictionary->bytes);
	free(dictionary->blobs);
	free(dictionary->slots);
}
