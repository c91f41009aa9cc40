// SPDX-License-Identifier: MIT
#include "symbolize/line_program.h"

#include <dwarf.h>
#include <stdbool.h>
#include <string.h>

/* What is left to read. After a read beyond the end, `bad` is set and all reads give 0. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t read_bytes(struct reader *r, size_t n)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < n) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	memcpy(&value, r->at, n); /* little-endian, as we are */
	r->at += n;
	return value;
}

static void skip(struct reader *r, uint64_t n)
{
	if ((uint64_t)(r->end - r->at) < n) {
		r->bad = true;
		n = r->end - r->at;
	}
	r->at += n;
}

static uint64_t read_uleb(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; !r->bad; shift += 7) {
		uint8_t byte = read_bytes(r, 1);

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

struct header {
	uint8_t opcode_base;
	const uint8_t *lengths; /* of the standard opcodes, from 1 */
};

/* Leaves the reader at the first opcode. */
static bool read_header(struct reader *r, struct header *header)
{
	uint64_t version = read_bytes(r, 2), length;
	struct reader tables;

	if (version < 2 || version > 5)
		return false;
	if (version == 5)
		skip(r, 2); /* sizes of addresses and segment selectors */
	length = read_bytes(r, 4);
	tables = *r;
	skip(r, length);
	tables.end = r->at;
	skip(&tables, version >= 4 ? 5 : 4);
	header->opcode_base = read_bytes(&tables, 1);
	header->lengths = tables.at;
	skip(&tables, header->opcode_base ? header->opcode_base - 1 : 0);
	return !r->bad && !tables.bad && header->opcode_base;
}

/* One opcode behind DW_LNS_extended_op. */
static bool skip_extended(struct reader *r)
{
	uint64_t length = read_uleb(r);
	struct reader op = *r;

	skip(r, length);
	if (r->bad || !length)
		return false;
	op.end = r->at;
	switch (read_bytes(&op, 1)) {
	case DW_LNE_end_sequence:
		break;
	case DW_LNE_set_address:
		skip(&op, sizeof(uint64_t));
		break;
	case DW_LNE_set_discriminator:
		read_uleb(&op);
		break;
	default:
		return false;
	}
	return !op.bad && op.at == op.end;
}

static bool skip_opcode(struct reader *r, const struct header *header)
{
	uint8_t opcode = read_bytes(r, 1);

	if (!opcode)
		return skip_extended(r);
	if (opcode >= header->opcode_base)
		return true;
	if (opcode == DW_LNS_fixed_advance_pc) {
		skip(r, 2);
		return header->lengths[opcode - 1] == 1;
	}
	for (uint8_t i = 0; i < header->lengths[opcode - 1]; i++)
		read_uleb(r);
	return true;
}

uint64_t line_program_check(const uint8_t *section, size_t size, uint64_t offset)
{
	struct reader r = {.at = section, .end = section + size};
	struct header header;
	uint64_t length;

	skip(&r, offset);
	length = read_bytes(&r, 4);
	if (r.bad || length > (uint64_t)(r.end - r.at))
		return 0;
	r.end = r.at + length;
	if (!read_header(&r, &header))
		return 0;
	while (r.at < r.end)
		if (!skip_opcode(&r, &header) || r.bad)
			return 0;
	return length;
}
