// SPDX-License-Identifier: MIT
#include "tokio/panics.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "tokio/code.h"
#include "tokio/image.h"

#define PANIC_SIZE_MAX 256 /* bytes of a function that is looked into */
#define RESUMED "`async fn` resumed after "

struct function {
	uint64_t vaddr;
	bool returns;
	struct panic panic;
	UT_hash_handle hh;
};

struct panics {
	const struct image *image;
	struct code *code;
	ZydisDecoder decoder;
	struct function *functions;
};

struct panics *panics_new(const struct image *image, struct code *code)
{
	struct panics *panics = calloc(1, sizeof(*panics));

	if (!panics)
		return NULL;
	panics->image = image;
	panics->code = code;
	ZydisDecoderInit(&panics->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return panics;
}

void panics_free(struct panics *panics)
{
	struct function *function, *next;

	if (!panics)
		return;
	HASH_ITER (hh, panics->functions, function, next) {
		HASH_DELETE(hh, panics->functions, function);
		free(function);
	}
	free(panics);
}

static bool is_at(const struct image *image, uint64_t vaddr, const char *text)
{
	const uint8_t *bytes;

	return image_bytes(image, vaddr, &bytes) >= strlen(text) &&
	       !memcmp(bytes, text, strlen(text));
}

bool panics_is_message(const struct panics *panics, uint64_t vaddr)
{
	uint64_t target;

	/* The pointer is the first piece of a fmt::Arguments. */
	return is_at(panics->image, vaddr, RESUMED) ||
	       (image_pointer(panics->image, vaddr, &target) &&
		is_at(panics->image, target, RESUMED));
}

/* Whether an instruction leaves a function, other than by a call. */
static bool leaves(const struct code_function *function, uint64_t next,
		   const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operand)
{
	uint64_t target = next + operand->imm.value.s;

	if (instruction->meta.category == ZYDIS_CATEGORY_RET)
		return true;
	if (instruction->meta.category != ZYDIS_CATEGORY_UNCOND_BR)
		return false;
	return operand->type != ZYDIS_OPERAND_TYPE_IMMEDIATE || target < function->start ||
	       target >= function->end;
}

static bool returns(const struct panics *panics, const struct code_function *function)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	size_t size = function->end - function->start;
	ZydisDecodedInstruction instruction;
	const uint8_t *bytes;

	if (size > PANIC_SIZE_MAX || image_bytes(panics->image, function->start, &bytes) < size)
		return true;
	for (size_t at = 0; at < size; at += instruction.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&panics->decoder, bytes + at, size - at,
							 &instruction, operands)) ||
		    leaves(function, function->start + at + instruction.length, &instruction,
			   operands))
			return true;
	}
	return false;
}

static struct function *look_at(struct panics *panics, uint64_t vaddr)
{
	const struct code_function *code = code_function(panics->code, vaddr);
	struct function *function = calloc(1, sizeof(*function));

	if (!function)
		return NULL;
	function->vaddr = vaddr;
	function->returns = !code || returns(panics, code);
	for (size_t i = 0; !function->returns && i < code->nreferences; i++)
		function->panic.resumed |= panics_is_message(panics, code->references[i]);
	HASH_ADD(hh, panics->functions, vaddr, sizeof(vaddr), function);
	return function;
}

const struct panic *panics_find(struct panics *panics, uint64_t vaddr)
{
	struct function *function;

	HASH_FIND(hh, panics->functions, &vaddr, sizeof(vaddr), function);
	if (!function)
		function = look_at(panics, vaddr);
	return function && !function->returns ? &function->panic : NULL;
}
