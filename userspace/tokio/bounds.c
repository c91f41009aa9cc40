// SPDX-License-Identifier: MIT
#include "tokio/bounds.h"

#include <stddef.h>
#include <string.h>

#include "tokio/image.h"

/*
 * Encodings of pointers: format in the low four bits (LSB Core, "DWARF Exception Header Encoding").
 */
#define FORMAT_ABSOLUTE 0x00
#define FORMAT_UDATA2 0x02
#define FORMAT_UDATA4 0x03
#define FORMAT_UDATA8 0x04
#define FORMAT_SIGNED 0x08 /* or it: the same sizes */
#define ENCODED_PC_S32 0x1b
#define ENCODED_COUNT 0x03
#define ENCODED_TABLE 0x3b /* s32, relative to the header */
#define HEADER_VERSION 1
#define HEADER_SIZE 12 /* with the address of .eh_frame and the count, both of four bytes */
#define ENTRY_SIZE 8
#define LEB_MAX 10 /* bytes of a number */

/* Bytes that are yet to be read; `bad` once there were too few. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static uint64_t take(struct reader *reader, size_t size)
{
	uint64_t value = 0;

	if (reader->bad || size > reader->left) {
		reader->bad = true;
		return 0;
	}
	memcpy(&value, reader->at, size < sizeof(value) ? size : sizeof(value));
	reader->at += size;
	reader->left -= size;
	return value;
}

static uint64_t take_leb(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < LEB_MAX && !reader->bad; i++) {
		uint8_t byte = take(reader, 1);

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return value;
	}
	reader->bad = true;
	return 0;
}

/* Bytes of an encoded pointer; 0: not one that is written on x86-64. */
static size_t encoded_size(uint8_t encoding)
{
	switch (encoding & 0x0f & ~FORMAT_SIGNED) {
	case FORMAT_UDATA2:
		return 2;
	case FORMAT_UDATA4:
		return 4;
	case FORMAT_ABSOLUTE:
	case FORMAT_UDATA8:
		return 8;
	default:
		return 0;
	}
}

static int32_t table_word(const uint8_t *table, uint64_t entry, size_t i)
{
	int32_t word;

	memcpy(&word, table + entry * ENTRY_SIZE + i * sizeof(word), sizeof(word));
	return word;
}

/*
 * The size of the addresses in descriptions that refer to the common one (CIE) at vaddr; 0: none.
 */
static size_t address_size(const struct image *image, uint64_t vaddr)
{
	struct reader reader = {0};
	const char *augmentation;
	uint8_t version;

	reader.left = image_bytes(image, vaddr, &reader.at);
	take(&reader, 8); /* length, id */
	version = take(&reader, 1);
	augmentation = (const char *)reader.at;
	while (!reader.bad && take(&reader, 1))
		;
	take_leb(&reader);
	take_leb(&reader);
	if (version == 1)
		take(&reader, 1);
	else
		take_leb(&reader);
	if (reader.bad || augmentation[0] != 'z')
		return reader.bad ? 0 : sizeof(uint64_t);
	take_leb(&reader);
	for (augmentation++; *augmentation && !reader.bad; augmentation++) {
		if (*augmentation == 'R')
			return encoded_size(take(&reader, 1));
		if (*augmentation == 'L')
			take(&reader, 1);
		else if (*augmentation == 'P')
			take(&reader, encoded_size(take(&reader, 1)));
		else if (*augmentation != 'S' && *augmentation != 'B')
			return 0;
	}
	return sizeof(uint64_t);
}

/* The length of a function by its description (FDE) at vaddr; 0: unknown. */
static uint64_t described_length(const struct image *image, uint64_t vaddr)
{
	struct reader reader = {0};
	uint32_t length, common;
	uint64_t here;
	size_t size;

	reader.left = image_bytes(image, vaddr, &reader.at);
	length = take(&reader, 4);
	here = vaddr + 4;
	common = take(&reader, 4);
	if (reader.bad || length == UINT32_MAX || !common)
		return 0;
	size = address_size(image, here - common);
	if (!size)
		return 0;
	take(&reader, size);
	return take(&reader, size);
}

void bounds_init(const struct image *image, struct bounds *bounds)
{
	struct reader reader = {0};
	uint8_t encodings[4];

	*bounds = (struct bounds){.image = image};
	if (!image_unwind_table(image, &bounds->header))
		return;
	reader.left = image_bytes(image, bounds->header, &reader.at);
	if (reader.left < HEADER_SIZE)
		return;
	memcpy(encodings, reader.at, sizeof(encodings));
	if (encodings[0] != HEADER_VERSION || encodings[1] != ENCODED_PC_S32 ||
	    encodings[2] != ENCODED_COUNT || encodings[3] != ENCODED_TABLE)
		return;
	take(&reader, 8);
	bounds->nentries = take(&reader, 4);
	if (bounds->nentries > reader.left / ENTRY_SIZE)
		bounds->nentries = reader.left / ENTRY_SIZE;
	bounds->table = bounds->header + HEADER_SIZE;
}

bool bounds_find(const struct bounds *bounds, uint64_t vaddr, uint64_t *start, uint64_t *end)
{
	uint64_t low = 0, high = bounds->nentries, length;
	const uint8_t *table;

	*end = UINT64_MAX;
	if (!high || image_bytes(bounds->image, bounds->table, &table) < high * ENTRY_SIZE)
		return false;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if ((int64_t)(vaddr - bounds->header) < table_word(table, middle, 0))
			high = middle;
		else
			low = middle + 1;
	}
	if (low < bounds->nentries)
		*end = bounds->header + table_word(table, low, 0);
	if (!low)
		return false;
	*start = bounds->header + table_word(table, low - 1, 0);
	length = described_length(bounds->image, bounds->header + table_word(table, low - 1, 1));
	if (!length || vaddr - *start >= length)
		return false;
	if (length < *end - *start)
		*end = *start + length;
	return true;
}
