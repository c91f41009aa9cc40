// SPDX-License-Identifier: MIT
#include "tokio/code.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/array.h"
#include "tokio/bounds.h"
#include "tokio/image.h"

/* Functions overlap only in hostile files: then as much is decoded as this many times all code. */
#define OVERLAP_MAX 16

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

struct entry {
	struct code_function function;
	uint64_t *addresses; /* callees, then references */
	uint64_t walk;       /* the last one that came by */
	UT_hash_handle hh;   /* by function.start */
};

/* An address that the function being decoded mentions. */
struct mention {
	uint64_t vaddr;
	size_t order;
};

struct mentions {
	struct mention *list;
	size_t n, capacity;
	bool failed; /* no memory */
};

struct code {
	const struct image *image;
	struct bounds bounds;
	ZydisDecoder decoder;
	struct entry *functions;
	uint64_t budget; /* bytes that may still be decoded */
	struct mentions callees, references;
	uint64_t walks; /* so far */
};

/* The function that is being decoded. */
struct cursor {
	const uint8_t *bytes;
	uint64_t start, end; /* end: not beyond it */
	uint64_t vaddr;      /* of the instruction */
	uint64_t next;       /* of the one behind it */
	bool known;          /* the end is known from the unwinder's table */
	uint64_t furthest;   /* where it jumps to within itself */
};

int code_new(const struct image *image, struct code **out)
{
	struct code *code = calloc(1, sizeof(*code));

	*out = code;
	if (!code)
		return -ENOMEM;
	code->image = image;
	code->budget = OVERLAP_MAX * image_code_size(image);
	bounds_init(image, &code->bounds);
	ZydisDecoderInit(&code->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderEnableMode(&code->decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	return 0;
}

void code_free(struct code *code)
{
	struct entry *entry, *next;

	if (!code)
		return;
	HASH_ITER (hh, code->functions, entry, next) {
		HASH_DELETE(hh, code->functions, entry);
		free(entry->addresses);
		free(entry);
	}
	free(code->callees.list);
	free(code->references.list);
	free(code);
}

static void mention(struct mentions *mentions, uint64_t vaddr)
{
	struct mention *list = array_grow(mentions->list, mentions->n, &mentions->capacity,
					  sizeof(*mentions->list));

	if (!list) {
		mentions->failed = true;
		return;
	}
	mentions->list = list;
	list[mentions->n] = (struct mention){vaddr, mentions->n};
	mentions->n++;
}

static bool is_within(const struct cursor *cursor, uint64_t vaddr)
{
	return vaddr >= cursor->start && vaddr < cursor->end;
}

/* What is within is left out later where the end is not known yet. */
static void mention_callee(struct code *code, const struct cursor *cursor, uint64_t vaddr)
{
	if (!(cursor->known && is_within(cursor, vaddr)) && image_is_code(code->image, vaddr))
		mention(&code->callees, vaddr);
}

static void mention_reference(struct code *code, const struct cursor *cursor, uint64_t vaddr)
{
	const uint8_t *bytes;

	if (!(cursor->known && is_within(cursor, vaddr)) && image_bytes(code->image, vaddr, &bytes))
		mention(&code->references, vaddr);
}

/* A relative branch. Without a known end, near jumps ahead are taken to leave: tail calls. */
static void see_branch(struct code *code, struct cursor *cursor,
		       const ZydisDecodedInstruction *instruction, bool conditional)
{
	uint64_t target = cursor->next + instruction->raw.imm[0].value.s;

	if (cursor->known || !(conditional || instruction->opcode == OP_JMP_SHORT))
		mention_callee(code, cursor, target);
	else if (target > cursor->furthest)
		cursor->furthest = target;
}

/* Operands that are relative to the instruction pointer. */
static void see_memory(struct code *code, const struct cursor *cursor,
		       const ZydisDecodedInstruction *instruction)
{
	uint64_t at = cursor->next + instruction->raw.disp.value, target;

	if (instruction->opcode == OP_LEA) {
		mention_reference(code, cursor, at);
	} else if (instruction->opcode == OP_MOV_LOAD) {
		if (!image_pointer(code->image, at, &target))
			return;
		mention_callee(code, cursor, target);
		mention_reference(code, cursor, target);
	} else if (instruction->opcode == OP_GROUP5 && (instruction->raw.modrm.reg == GROUP5_CALL ||
							instruction->raw.modrm.reg == GROUP5_JMP)) {
		if (image_pointer(code->image, at, &target))
			mention_callee(code, cursor, target);
	}
}

/* Instructions of one byte of opcode. Returns whether the code flows on. */
static bool see_plain(struct code *code, struct cursor *cursor,
		      const ZydisDecodedInstruction *instruction)
{
	uint8_t op = instruction->opcode;
	bool relative = instruction->attributes & ZYDIS_ATTRIB_HAS_MODRM &&
			!instruction->raw.modrm.mod && instruction->raw.modrm.rm == 5;

	if (op == OP_CALL)
		mention_callee(code, cursor, cursor->next + instruction->raw.imm[0].value.s);
	else if (op == OP_JMP_NEAR || op == OP_JMP_SHORT)
		see_branch(code, cursor, instruction, false);
	else if ((op & 0xf0) == OP_JCC_SHORT)
		see_branch(code, cursor, instruction, true);
	else if (((op & 0xf8) == OP_MOV_IMMEDIATE || op == OP_MOV_STORE_IMMEDIATE) &&
		 !image_is_movable(code->image))
		mention_reference(code, cursor, instruction->raw.imm[0].value.u);
	if (relative)
		see_memory(code, cursor, instruction);
	return !(op == OP_JMP_NEAR || op == OP_JMP_SHORT || op == OP_RET || op == OP_RET_POP ||
		 (op == OP_GROUP5 && instruction->raw.modrm.reg == GROUP5_JMP));
}

static bool see(struct code *code, struct cursor *cursor,
		const ZydisDecodedInstruction *instruction)
{
	if (instruction->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	if (instruction->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
		return see_plain(code, cursor, instruction);
	if (instruction->opcode_map != ZYDIS_OPCODE_MAP_0F)
		return true;
	if ((instruction->opcode & 0xf0) == OP_JCC_NEAR)
		see_branch(code, cursor, instruction, true);
	return instruction->opcode != OP_UD2;
}

/* Goes over the function; its end is then known. */
static void decode(struct code *code, struct cursor *cursor)
{
	ZydisDecodedInstruction instruction;

	cursor->vaddr = cursor->furthest = cursor->start;
	while (cursor->vaddr < cursor->end) {
		size_t at = cursor->vaddr - cursor->start;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
			    &code->decoder, NULL, cursor->bytes + at, cursor->end - cursor->vaddr,
			    &instruction))) {
			cursor->vaddr++;
			continue;
		}
		cursor->next = cursor->vaddr + instruction.length;
		if (!see(code, cursor, &instruction) && !cursor->known &&
		    cursor->next > cursor->furthest)
			cursor->end = cursor->next;
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
static void unite(struct mentions *mentions, const struct cursor *cursor)
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

static struct entry *entry_new(struct code *code, const struct cursor *cursor)
{
	struct mentions *callees = &code->callees, *references = &code->references;
	struct entry *entry = calloc(1, sizeof(*entry));
	size_t n;

	unite(callees, cursor);
	unite(references, cursor);
	n = callees->n + references->n;
	if (entry)
		entry->addresses = malloc((n ? n : 1) * sizeof(*entry->addresses));
	if (!entry || !entry->addresses || callees->failed || references->failed) {
		if (entry)
			free(entry->addresses);
		free(entry);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		entry->addresses[i] = i < callees->n ? callees->list[i].vaddr
						     : references->list[i - callees->n].vaddr;
	entry->function = (struct code_function){
		.start = cursor->start,
		.end = cursor->end,
		.callees = entry->addresses,
		.ncallees = callees->n,
		.references = entry->addresses + callees->n,
		.nreferences = references->n,
	};
	return entry;
}

/* Where the function at vaddr is. False: there is no code. */
static bool place(const struct code *code, uint64_t vaddr, struct cursor *cursor)
{
	uint64_t end;
	size_t size;

	if (!image_is_code(code->image, vaddr))
		return false;
	cursor->known = bounds_find(&code->bounds, vaddr, &cursor->start, &end) &&
			image_is_code(code->image, cursor->start);
	if (!cursor->known)
		cursor->start = vaddr;
	size = image_bytes(code->image, cursor->start, &cursor->bytes);
	if (size > end - cursor->start)
		size = end - cursor->start;
	if (size > CODE_FUNCTION_MAX)
		size = CODE_FUNCTION_MAX;
	cursor->end = cursor->start + size;
	return size > 0;
}

static struct entry *find(struct code *code, uint64_t vaddr)
{
	struct cursor cursor;
	struct entry *entry;

	if (!place(code, vaddr, &cursor))
		return NULL;
	HASH_FIND(hh, code->functions, &cursor.start, sizeof(cursor.start), entry);
	if (entry)
		return entry;
	code->callees.n = code->references.n = 0;
	code->callees.failed = code->references.failed = false;
	if (cursor.end - cursor.start > code->budget)
		return NULL;
	code->budget -= cursor.end - cursor.start;
	decode(code, &cursor);
	entry = entry_new(code, &cursor);
	if (entry)
		HASH_ADD_KEYPTR(hh, code->functions, &entry->function.start,
				sizeof(entry->function.start), entry);
	return entry;
}

const struct code_function *code_function(struct code *code, uint64_t vaddr)
{
	struct entry *entry = find(code, vaddr);

	return entry ? &entry->function : NULL;
}

/* How far to walk. */
struct limits {
	unsigned int depth;
	size_t functions;
};

/* A walk's queue: functions that were found and are yet to be visited behind those that were. */
struct walk {
	struct step {
		const struct code_function *function;
		unsigned int depth;
	} * steps;
	size_t n, capacity;
};

/* Adds the function that holds vaddr, unless this walk has it. 0 or -ENOMEM. */
static int walk_add(struct code *code, struct walk *walk, uint64_t vaddr, unsigned int depth)
{
	struct entry *entry = find(code, vaddr);
	struct step *steps;

	if (!entry || entry->walk == code->walks)
		return 0;
	entry->walk = code->walks;
	steps = array_grow(walk->steps, walk->n, &walk->capacity, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	walk->steps = steps;
	steps[walk->n++] = (struct step){&entry->function, depth};
	return 0;
}

/* Adds what a function calls; taken: and the functions that it takes the address of. */
static int walk_on(struct code *code, struct walk *walk, struct step step, size_t functions,
		   bool taken)
{
	const struct code_function *f = step.function;
	int err = 0;

	for (size_t i = 0; !err && i < f->ncallees && walk->n < functions; i++)
		err = walk_add(code, walk, f->callees[i], step.depth + 1);
	for (size_t i = 0; taken && !err && i < f->nreferences && walk->n < functions; i++)
		if (image_is_code(code->image, f->references[i]))
			err = walk_add(code, walk, f->references[i], step.depth + 1);
	return err;
}

static int walk_from(struct code *code, uint64_t root, const struct limits *limits, bool taken,
		     code_visit visit, void *context)
{
	struct walk walk = {0};
	int err;

	code->walks++;
	err = walk_add(code, &walk, root, 0);
	for (size_t i = 0; !err && i < walk.n; i++) {
		struct step step = walk.steps[i];

		if (!visit(context, step.function, step.depth))
			err = 1;
		else if (step.depth < limits->depth)
			err = walk_on(code, &walk, step, limits->functions, taken);
	}
	free(walk.steps);
	return err;
}

int code_walk(struct code *code, uint64_t root, unsigned int depth, size_t functions,
	      code_visit visit, void *context)
{
	const struct limits limits = {depth, functions};

	return walk_from(code, root, &limits, false, visit, context);
}

int code_walk_taken(struct code *code, uint64_t root, unsigned int depth, size_t functions,
		    code_visit visit, void *context)
{
	const struct limits limits = {depth, functions};

	return walk_from(code, root, &limits, true, visit, context);
}
