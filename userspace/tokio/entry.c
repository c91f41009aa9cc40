// SPDX-License-Identifier: MIT
#include "tokio/entry.h"

#include <Zydis/Zydis.h>
#include <stddef.h>

#include "tokio/code.h"
#include "tokio/image.h"

#define INSTRUCTIONS_MAX 16    /* that are looked at for a better point */
#define BRANCHES_MAX (1 << 16) /* bytes in which a jump back to it is looked for */

#define PREFIX_OPERAND_SIZE 0x66
#define REX_B 0x41
#define OP_PUSH 0x50 /* to 0x57 */
#define OP_JCC 0x70  /* to 0x7f; in the 0F map 0x80 to 0x8f */
#define OP_JCC_NEAR 0x80
#define OP_NOP 0x90
#define OP_CALL 0xe8
#define OP_JMP_NEAR 0xe9
#define OP_JMP_SHORT 0xeb

struct instruction {
	ZydisDecodedInstruction info;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

enum kernel_way { EMULATED, STEPPED, REFUSED };

static bool has_prefix(const ZydisDecodedInstruction *info, uint8_t prefix)
{
	for (size_t i = 0; i < info->raw.prefix_count; i++)
		if (info->raw.prefixes[i].value == prefix)
			return true;
	return false;
}

static bool is_relative_branch(const ZydisDecodedInstruction *info)
{
	if (info->opcode_map == ZYDIS_OPCODE_MAP_0F)
		return (info->opcode & 0xf0) == OP_JCC_NEAR;
	return info->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	       (info->opcode == OP_CALL || info->opcode == OP_JMP_NEAR ||
		info->opcode == OP_JMP_SHORT || (info->opcode & 0xf0) == OP_JCC);
}

/* is_prefix_bad() and push_setup_xol_ops() go by the bytes, and so does this. */
static enum kernel_way kernel_way(const ZydisDecodedInstruction *info, const uint8_t *bytes)
{
	static const uint8_t refused[] = {0x26, 0x2e, 0x36, 0x3e, 0xf0};

	for (size_t i = 0; i < sizeof(refused); i++)
		if (has_prefix(info, refused[i]))
			return REFUSED;
	if (info->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return STEPPED;
	if (is_relative_branch(info))
		return has_prefix(info, PREFIX_OPERAND_SIZE) ? REFUSED : EMULATED;
	if (info->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return STEPPED;
	if (info->opcode == OP_NOP)
		return bytes[0] == OP_NOP || bytes[0] == PREFIX_OPERAND_SIZE ? EMULATED : STEPPED;
	if ((info->opcode & 0xf8) != OP_PUSH)
		return STEPPED;
	return info->length == 1 || (info->length == 2 && bytes[0] == REX_B) ? EMULATED : STEPPED;
}

/* Whether it traps, or must not be probed: a return from a probed call goes through the kernel. */
static bool is_unfit(const ZydisDecodedInstruction *info)
{
	switch (info->meta.category) {
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_SYSTEM:
		return true;
	default:
		return info->mnemonic == ZYDIS_MNEMONIC_UD2;
	}
}

static bool branches(const ZydisDecodedInstruction *info)
{
	return info->meta.category == ZYDIS_CATEGORY_CALL ||
	       info->meta.category == ZYDIS_CATEGORY_COND_BR ||
	       info->meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

/* Whether it leaves all that is needed as it is. */
static bool preserves(const struct instruction *instruction, enum entry_need need)
{
	for (size_t i = 0; i < instruction->info.operand_count; i++) {
		const ZydisDecodedOperand *operand = &instruction->operands[i];
		ZydisRegister full;

		if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && need != ENTRY_REGISTER &&
		    (need == ENTRY_RETURN || operand->mem.base != ZYDIS_REGISTER_RSP))
			return false;
		if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
							operand->reg.value);
		if (full == ZYDIS_REGISTER_RDI ||
		    (full == ZYDIS_REGISTER_RSP && need == ENTRY_RETURN))
			return false;
	}
	return true;
}

/* Whether code behind the point jumps back to it, or to before it. */
static bool is_in_loop(const ZydisDecoder *decoder, const uint8_t *bytes, size_t size, size_t point)
{
	ZydisDecodedInstruction info;

	if (size > BRANCHES_MAX)
		size = BRANCHES_MAX;
	for (size_t at = 0; at < size; at += info.length) {
		int64_t target;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, bytes + at,
								size - at, &info)))
			return true;
		if (info.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
		    !is_relative_branch(&info) || info.opcode == OP_CALL)
			continue;
		target = (int64_t)(at + info.length) + info.raw.imm[0].value.s;
		if (target > 0 && target <= (int64_t)point)
			return true;
	}
	return false;
}

bool entry_find(const struct image *image, struct code *code, uint64_t vaddr, enum entry_need need,
		struct entry_point *point)
{
	const struct code_function *function = code_function(code, vaddr);
	struct instruction instruction;
	const uint8_t *bytes;
	ZydisDecoder decoder;
	size_t size, at = 0;

	if (!function || !image_is_code(image, vaddr))
		return false;
	size = image_bytes(image, vaddr, &bytes);
	if (size > function->end - vaddr)
		size = function->end - vaddr;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	*point = (struct entry_point){0};
	for (size_t i = 0; i < INSTRUCTIONS_MAX; i++, at += instruction.info.length) {
		enum kernel_way way;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes + at, size - at,
							 &instruction.info,
							 instruction.operands)) ||
		    is_unfit(&instruction.info))
			break;
		way = kernel_way(&instruction.info, bytes + at);
		if (way == EMULATED &&
		    (need != ENTRY_RETURN || !at || !is_in_loop(&decoder, bytes, size, at))) {
			*point = (struct entry_point){vaddr + at, false};
			return true;
		}
		if (way == STEPPED && !at)
			*point = (struct entry_point){vaddr, true};
		if (branches(&instruction.info) || !preserves(&instruction, need))
			break;
	}
	return point->vaddr;
}
