// SPDX-License-Identifier: MIT
#include "symbolize/line_program.h"

#include <dwarf.h>
#include <stdbool.h>

#include "util/reader.h"

struct header {
	uint8_t opcode_base;
	const uint8_t *lengths; /* of the standard opcodes, from 1 */
};

/* Leaves the reader at the first opcode. */
static bool read_header(struct reader *r, struct header *header)
{
	uint64_t version = reader_bytes(r, 2), length;
	struct reader tables;

	if (version < 2 || version > 5)
		return false;
	if (version == 5)
		reader_skip(r, 2); /* sizes of addresses and segment selectors */
	length = reader_bytes(r, 4);
	tables = *r;
	reader_skip(r, length);
	tables.end = r->at;
	reader_skip(&tables, version >= 4 ? 5 : 4);
	header->opcode_base = reader_bytes(&tables, 1);
	header->lengths = tables.at;
	reader_skip(&tables, header->opcode_base ? header->opcode_base - 1 : 0);
	return !r->bad && !tables.bad && header->opcode_base;
}

/* One opcode behind DW_LNS_extended_op. */
static bool skip_extended(struct reader *r)
{
	uint64_t length = reader_uleb(r);
	struct reader op = *r;

	reader_skip(r, length);
	if (r->bad || !length)
		return false;
	op.end = r->at;
	switch (reader_bytes(&op, 1)) {
	case DW_LNE_end_sequence:
		break;
	case DW_LNE_set_address:
		reader_skip(&op, sizeof(uint64_t));
		break;
	case DW_LNE_set_discriminator:
		reader_uleb(&op);
		break;
	default:
		return false;
	}
	return !op.bad && op.at == op.end;
}

static bool skip_opcode(struct reader *r, const struct header *header)
{
	uint8_t opcode = reader_bytes(r, 1);

	if (!opcode)
		return skip_extended(r);
	if (opcode >= header->opcode_base)
		return true;
	if (opcode == DW_LNS_fixed_advance_pc) {
		reader_skip(r, 2);
		return header->lengths[opcode - 1] == 1;
	}
	for (uint8_t i = 0; i < header->lengths[opcode - 1]; i++)
		reader_uleb(r);
	return true;
}

uint64_t line_program_check(const uint8_t *section, size_t size, uint64_t offset)
{
	struct reader r = {.at = section, .end = section + size};
	struct header header;
	uint64_t length;

	reader_skip(&r, offset);
	length = reader_bytes(&r, 4);
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
