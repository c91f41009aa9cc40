// SPDX-License-Identifier: MIT
#include "unwind/eh_frame.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "core/array.h"

/* Of what compilers write, 40; a long one that many others refer to would be read over and over. */
#define CIE_MAX 128

static uint64_t read_value(struct reader *r, uint8_t format)
{
	switch (format) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return reader_bytes(r, 8);
	case DW_EH_PE_udata4:
		return reader_bytes(r, 4);
	case DW_EH_PE_sdata4:
		return (int64_t)(int32_t)reader_bytes(r, 4);
	case DW_EH_PE_udata2:
		return reader_bytes(r, 2);
	case DW_EH_PE_sdata2:
		return (int64_t)(int16_t)reader_bytes(r, 2);
	case DW_EH_PE_uleb128:
		return reader_uleb(r);
	case DW_EH_PE_sleb128:
		return reader_sleb(r);
	default:
		reader_fail(r);
		return 0;
	}
}

uint64_t eh_frame_address(const struct eh_frame *frame, struct reader *r, uint8_t encoding)
{
	uint64_t place = frame->address + (r->at - frame->bytes);
	uint64_t value = read_value(r, encoding & 0x0f);

	switch (encoding & 0xf0) {
	case DW_EH_PE_absptr:
		return value;
	case DW_EH_PE_pcrel:
		return place + value;
	default:
		reader_fail(r);
		return 0;
	}
}

/* The fields that the letters of the augmentation announce, in their order. */
static void read_augmentation(struct reader *r, const char *letters, struct eh_cie *cie)
{
	struct reader data;

	if (*letters != 'z') {
		/* The empty one is the only other in use. */
		if (*letters)
			reader_fail(r);
		return;
	}
	cie->has_data = true;
	data = reader_part(r, reader_uleb(r));
	for (letters++; *letters && !data.bad; letters++) {
		switch (*letters) {
		case 'R':
			cie->encoding = reader_bytes(&data, 1);
			break;
		case 'P': /* the personality routine */
			read_value(&data, reader_bytes(&data, 1) & 0x0f);
			break;
		case 'L': /* how entries encode their language's data */
			reader_skip(&data, 1);
			break;
		case 'S':
			cie->is_signal = true;
			break;
		case 'B': /* return addresses are signed with the other key */
		case 'G': /* the stack is tagged */
			break;
		default:
			reader_fail(&data);
		}
	}
	if (data.bad)
		reader_fail(r);
}

/* A reader of the entry at the offset, behind its length; bad where there is none. */
static struct reader entry_at(const struct eh_frame *frame, uint32_t offset)
{
	struct reader all = {.at = frame->bytes, .end = frame->bytes + frame->size};
	uint64_t length;

	reader_skip(&all, offset);
	length = reader_bytes(&all, 4);
	return reader_part(&all, length);
}

bool eh_frame_cie(const struct eh_frame *frame, uint32_t offset, struct eh_cie *cie)
{
	struct reader r = entry_at(frame, offset);
	const char *letters;
	uint8_t version;

	*cie = (struct eh_cie){.offset = offset, .encoding = DW_EH_PE_absptr};
	if (reader_left(&r) > CIE_MAX || reader_bytes(&r, 4) != 0)
		return false;
	version = reader_bytes(&r, 1);
	letters = (const char *)r.at;
	while (reader_bytes(&r, 1))
		;
	if (r.bad || (version != 1 && version != 3))
		return false;
	cie->code_align = reader_uleb(&r);
	cie->data_align = reader_sleb(&r);
	cie->ra = version == 1 ? reader_bytes(&r, 1) : reader_uleb(&r);
	read_augmentation(&r, letters, cie);
	cie->program = r;
	return !r.bad;
}

struct reader eh_frame_program(const struct eh_frame *frame, const struct eh_fde *fde)
{
	return (struct reader){
		.at = frame->bytes + fde->program,
		.end = frame->bytes + fde->program_end,
	};
}

/* r: behind the entry's reference to its CIE. */
static bool read_fde(const struct eh_frame *frame, struct reader *r, const struct eh_cie *cie,
		     struct eh_fde *fde)
{
	uint64_t length;

	fde->cie = cie->offset;
	fde->start = eh_frame_address(frame, r, cie->encoding);
	length = read_value(r, cie->encoding & 0x0f);
	if (cie->has_data)
		reader_skip(r, reader_uleb(r));
	if (r->bad || !length || __builtin_add_overflow(fde->start, length, &fde->end))
		return false;
	fde->program = r->at - frame->bytes;
	fde->program_end = r->end - frame->bytes;
	return true;
}

struct fde_list {
	struct eh_fde *fdes;
	size_t n, capacity;
	bool sorted;
};

static int list_add(struct fde_list *list, const struct eh_fde *fde)
{
	struct eh_fde *fdes = array_grow(list->fdes, list->n, &list->capacity, sizeof(*fdes));

	if (!fdes)
		return -ENOMEM;
	list->fdes = fdes;
	if (list->n && list->fdes[list->n - 1].start > fde->start)
		list->sorted = false;
	list->fdes[list->n++] = *fde;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct eh_fde *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int list_entries(const struct eh_frame *frame, struct fde_list *list)
{
	struct reader all = {.at = frame->bytes, .end = frame->bytes + frame->size};
	struct eh_cie cie = {.offset = UINT32_MAX};
	bool cie_is_sound = false;

	while (reader_left(&all) >= 4) {
		uint64_t length = reader_bytes(&all, 4);
		struct reader r = reader_part(&all, length);
		uint32_t place = r.at - frame->bytes;
		struct eh_fde fde;
		uint64_t back;

		/* Objects that were linked together may each have brought a terminator. */
		if (!length && frame->open_ended)
			break;
		back = reader_bytes(&r, 4);
		if (r.bad || !back || back > place)
			continue;
		if (cie.offset != place - back)
			cie_is_sound = eh_frame_cie(frame, place - back, &cie);
		if (cie_is_sound && read_fde(frame, &r, &cie, &fde) && list_add(list, &fde))
			return -ENOMEM;
	}
	return 0;
}

int eh_frame_list(const struct eh_frame *frame, struct eh_fde **fdes, size_t *n)
{
	struct fde_list list = {.sorted = true};
	int err = list_entries(frame, &list);

	if (err) {
		free(list.fdes);
		return err;
	}
	if (!list.sorted)
		qsort(list.fdes, list.n, sizeof(*list.fdes), by_start);
	*fdes = list.fdes;
	*n = list.n;
	return 0;
}
