// SPDX-License-Identifier: MIT
#include "tokio/mentions.h"

#include <errno.h>
#include <stdlib.h>

#include "core/array.h"
#include "tokio/image.h"

/* Opcodes (Intel SDM, volume 2, appendix A); ModRM's `reg` tells those of group 5 apart. */
#define OP_JCC_SHORT 0x70 /* to 0x7f; in the 0F map 0x80 to 0x8f */
#define OP_JCC_NEAR 0x80
#define OP_MOV_LOAD 0x8b
#define OP_LEA 0x8d
#define OP_MOV_IMMEDIATE 0xb8 /* to 0xbf */
#define OP_MOV_STORE_IMMEDIATE 0xc7
#define OP_RET_POP 0xc2
#define OP_RET 0xc3
#define OP_CALL 0xe8
#define OP_JMP_NEAR 0xe9
#define OP_JMP_SHORT 0xeb
#define OP_GROUP5 0xff
#define GROUP5_CALL 2
#define GROUP5_JMP 4
#define OP_UD2 0x0b /* 0F map */

/* Where in the function the decoder is. */
struct cursor {
	struct machine_code *function;
	uint64_t vaddr;    /* of the instruction */
	uint64_t next;     /* of the one behind it */
	uint64_t furthest; /* where it jumps to within itself */
};

void mentions_init(struct mentions *mentions, const struct image *image)
{
	*mentions = (struct mentions){.image = image};
	ZydisDecoderInit(&mentions->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderEnableMode(&mentions->decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
}

void mentions_release(struct mentions *mentions)
{
	free(mentions->callees.list);
	free(mentions->references.list);
	*mentions = (struct mentions){0};
}

static void add(struct mentions *mentions, struct mention_list *to, uint64_t vaddr)
{
	struct mention *list = array_grow(to->list, to->n, &to->capacity, sizeof(*list));

	if (!list) {
		mentions->failed = true;
		return;
	}
	to->list = list;
	list[to->n] = (struct mention){vaddr, to->n};
	to->n++;
}

static bool is_within(const struct cursor *cursor, uint64_t vaddr)
{
	return vaddr >= cursor->function->start && vaddr < cursor->function->end;
}

/* What is within is left out later where the end is not known yet. */
static void add_callee(struct mentions *mentions, const struct cursor *cursor, uint64_t vaddr)
{
	if (!(cursor->function->bounded && is_within(cursor, vaddr)) &&
	    image_is_code(mentions->image, vaddr))
		add(mentions, &mentions->callees, vaddr);
}

static void add_reference(struct mentions *mentions, const struct cursor *cursor, uint64_t vaddr)
{
	const uint8_t *bytes;

	if (!(cursor->function->bounded && is_within(cursor, vaddr)) &&
	    image_bytes(mentions->image, vaddr, &bytes))
		add(mentions, &mentions->references, vaddr);
}

/* A relative branch. Without a known end, near jumps ahead are taken to leave: tail calls. */
static void see_branch(struct mentions *mentions, struct cursor *cursor,
		       const ZydisDecodedInstruction *instruction, bool conditional)
{
	uint64_t target = cursor->next + instruction->raw.imm[0].value.s;

	if (cursor->function->bounded || !(conditional || instruction->opcode == OP_JMP_SHORT))
		add_callee(mentions, cursor, target);
	else if (target > cursor->furthest)
		cursor->furthest = target;
}

/* Operands that are relative to the instruction pointer. */
static void see_memory(struct mentions *mentions, const struct cursor *cursor,
		       const ZydisDecodedInstruction *instruction)
{
	uint64_t at = cursor->next + instruction->raw.disp.value, target;

	if (instruction->opcode == OP_LEA) {
		add_reference(mentions, cursor, at);
	} else if (instruction->opcode == OP_MOV_LOAD) {
		if (!image_pointer(mentions->image, at, &target))
			return;
		add_callee(mentions, cursor, target);
		add_reference(mentions, cursor, target);
	} else if (instruction->opcode == OP_GROUP5 && (instruction->raw.modrm.reg == GROUP5_CALL ||
							instruction->raw.modrm.reg == GROUP5_JMP)) {
		if (image_pointer(mentions->image, at, &target))
			add_callee(mentions, cursor, target);
	}
}

/* Instructions of one byte of opcode. Returns whether the code flows on. */
static bool see_plain(struct mentions *mentions, struct cursor *cursor,
		      const ZydisDecodedInstruction *instruction)
{
	uint8_t op = instruction->opcode;
	bool relative = instruction->attributes & ZYDIS_ATTRIB_HAS_MODRM &&
			!instruction->raw.modrm.mod && instruction->raw.modrm.rm == 5;

	if (op == OP_CALL)
		add_callee(mentions, cursor, cursor->next + instruction->raw.imm[0].value.s);
	else if (op == OP_JMP_NEAR || op == OP_JMP_SHORT)
		see_branch(mentions, cursor, instruction, false);
	else if ((op & 0xf0) == OP_JCC_SHORT)
		see_branch(mentions, cursor, instruction, true);
	else if (((op & 0xf8) == OP_MOV_IMMEDIATE || op == OP_MOV_STORE_IMMEDIATE) &&
		 !image_is_movable(mentions->image))
		add_reference(mentions, cursor, instruction->raw.imm[0].value.u);
	if (relative)
		see_memory(mentions, cursor, instruction);
	return !(op == OP_JMP_NEAR || op == OP_JMP_SHORT || op == OP_RET || op == OP_RET_POP ||
		 (op == OP_GROUP5 && instruction->raw.modrm.reg == GROUP5_JMP));
}

static bool see(struct mentions *mentions, struct cursor *cursor,
		const ZydisDecodedInstruction *instruction)
{
	if (instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	if (instruction->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
		return see_plain(mentions, cursor, instruction);
	if (instruction->opcode_map != ZYDIS_OPCODE_MAP_0F)
		return true;
	if ((instruction->opcode & 0xf0) == OP_JCC_NEAR)
		see_branch(mentions, cursor, instruction, true);
	return instruction->opcode != OP_UD2;
}

/* Goes over the function; its end is then known. */
static void decode(struct mentions *mentions, struct cursor *cursor)
{
	ZydisDecodedInstruction instruction;

	cursor->vaddr = cursor->furthest = cursor->function->start;
	while (cursor->vaddr < cursor->function->end) {
		size_t at = cursor->vaddr - cursor->function->start;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
			    &mentions->decoder, NULL, cursor->function->bytes + at,
			    cursor->function->end - cursor->vaddr, &instruction))) {
			cursor->vaddr++;
			continue;
		}
		cursor->next = cursor->vaddr + instruction.length;
		if (!see(mentions, cursor, &instruction) && !cursor->function->bounded &&
		    cursor->next > cursor->furthest)
			cursor->function->end = cursor->next;
		cursor->vaddr = cursor->next;
	}
}

static int compare_vaddr(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;

	if (x->vaddr != y->vaddr)
		return x->vaddr < y->vaddr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_order(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* Leaves each address once, where it was first, and none within the function. */
static void unite(struct mention_list *mentions, const struct cursor *cursor)
{
	size_t n = 0;

	if (!mentions->n)
		return;
	qsort(mentions->list, mentions->n, sizeof(*mentions->list), compare_vaddr);
	for (size_t i = 0; i < mentions->n; i++)
		if ((!n || mentions->list[i].vaddr != mentions->list[n - 1].vaddr) &&
		    !is_within(cursor, mentions->list[i].vaddr))
			mentions->list[n++] = mentions->list[i];
	mentions->n = n;
	qsort(mentions->list, n, sizeof(*mentions->list), compare_order);
}

int mentions_collect(struct mentions *mentions, struct machine_code *function)
{
	struct cursor cursor = {.function = function};

	mentions->callees.n = mentions->references.n = 0;
	mentions->failed = false;
	decode(mentions, &cursor);
	unite(&mentions->callees, &cursor);
	unite(&mentions->references, &cursor);
	return mentions->failed ? -ENOMEM : 0;
}
