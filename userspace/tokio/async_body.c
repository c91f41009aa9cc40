// SPDX-License-Identifier: MIT
#include "tokio/async_body.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/array.h"
#include "tokio/code.h"
#include "tokio/image.h"
#include "tokio/panics.h"

#define BLOCKS_MAX 16384 /* of a function, looked into */
#define STATES_MAX 1024  /* of a state machine */
/* Instructions and states of one function looked at; sound ones need far less. */
#define STEPS_MAX (1 << 20)
#define REGISTERS 16

/* What was found in a function. */
struct finding {
	struct async_body body;
	bool any;
	UT_hash_handle hh; /* by body.function */
};

struct async_bodies {
	const struct image *image;
	struct code *code;
	ZydisDecoder decoder;
	struct panics *panics;
	struct finding *findings;
};

/* Code that is still to be walked through, and what is known on the way to it. */
struct block {
	uint64_t vaddr;
	uint64_t location;             /* of the Location that was taken last; 0: none */
	uint64_t registers[REGISTERS]; /* addresses of data; 0: unknown */
	ZydisRegister state_base;      /* the state that was looked at last: where it is */
	int64_t state_offset;
};

struct blocks {
	struct block *list;
	size_t n, capacity;
};

struct walk {
	struct async_bodies *bodies;
	const struct code_function *function;
	const uint8_t *bytes;
	uint8_t *seen;      /* a bit for each byte of the function */
	struct blocks near; /* as many states were looked at as for the block being walked */
	struct blocks far;  /* one more */
	struct block at;    /* the block */
	bool looked;        /* at a state, in this block */
	bool resumes;       /* the panic's message was taken, in this block */
	uint64_t table;     /* jump table that was read last; 0: none */
	uint64_t panic;     /* the Location of the first panic that was sought; 0: none yet */
	uint64_t own;       /* the first one that is in no library */
	size_t steps;
	bool done;
};

struct instruction {
	ZydisDecodedInstruction is;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t next;
};

struct async_bodies *async_bodies_new(const struct image *image, struct code *code)
{
	struct async_bodies *bodies = calloc(1, sizeof(*bodies));

	if (!bodies)
		return NULL;
	bodies->image = image;
	bodies->code = code;
	bodies->panics = panics_new(image, code);
	if (!bodies->panics) {
		free(bodies);
		return NULL;
	}
	ZydisDecoderInit(&bodies->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return bodies;
}

void async_bodies_free(struct async_bodies *bodies)
{
	struct finding *finding, *next;

	if (!bodies)
		return;
	HASH_ITER (hh, bodies->findings, finding, next) {
		HASH_DELETE(hh, bodies->findings, finding);
		free(finding);
	}
	panics_free(bodies->panics);
	free(bodies);
}

static bool decode(struct async_bodies *bodies, const uint8_t *bytes, size_t size, uint64_t vaddr,
		   struct instruction *instruction)
{
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&bodies->decoder, bytes, size, &instruction->is,
						 instruction->operands)))
		return false;
	instruction->next = vaddr + instruction->is.length;
	return true;
}

static bool is_in(const struct walk *walk, uint64_t vaddr)
{
	return vaddr >= walk->function->start && vaddr < walk->function->end;
}

static bool was_seen(struct walk *walk, uint64_t vaddr)
{
	size_t at = vaddr - walk->function->start;
	bool seen = walk->seen[at / 8] >> at % 8 & 1;

	walk->seen[at / 8] |= 1 << at % 8;
	return seen;
}

static void go_to(struct walk *walk, uint64_t vaddr)
{
	struct blocks *blocks = walk->looked ? &walk->far : &walk->near;
	struct block *list;

	if (!is_in(walk, vaddr) || walk->near.n + walk->far.n >= BLOCKS_MAX)
		return;
	list = array_grow(blocks->list, blocks->n, &blocks->capacity, sizeof(*list));
	if (!list)
		return;
	blocks->list = list;
	list[blocks->n] = walk->at;
	list[blocks->n++].vaddr = vaddr;
}

/* The number of a general register, or REGISTERS. */
static unsigned int number_of(ZydisRegister reg)
{
	ZyanI8 id = ZydisRegisterGetId(
		ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg));

	return ZydisRegisterGetClass(reg) >= ZYDIS_REGCLASS_GPR8 &&
			       ZydisRegisterGetClass(reg) <= ZYDIS_REGCLASS_GPR64 && id >= 0 &&
			       id < REGISTERS
		       ? (unsigned int)id
		       : REGISTERS;
}

/* An address of data that an instruction takes into a register; 0: it takes none. */
static uint64_t address_taken(const struct walk *walk, const struct instruction *instruction)
{
	const ZydisDecodedOperand *from = &instruction->operands[1];
	uint64_t vaddr;

	if (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return instruction->is.mnemonic == ZYDIS_MNEMONIC_MOV ? from->imm.value.u : 0;
	if (from->type != ZYDIS_OPERAND_TYPE_MEMORY || from->mem.base != ZYDIS_REGISTER_RIP)
		return 0;
	vaddr = instruction->next + from->mem.disp.value;
	if (instruction->is.mnemonic == ZYDIS_MNEMONIC_LEA)
		return vaddr;
	if (instruction->is.mnemonic == ZYDIS_MNEMONIC_MOV &&
	    image_pointer(walk->bodies->image, vaddr, &vaddr))
		return vaddr;
	return 0;
}

/* States are bytes, or, where there are more than 256, words. One may be compared several times. */
static void see_load(struct walk *walk, const ZydisDecodedOperand *operand)
{
	struct block *at = &walk->at;

	if (operand->size > 16 ||
	    (at->state_base == operand->mem.base && at->state_offset == operand->mem.disp.value))
		return;
	walk->looked = true;
	at->state_base = operand->mem.base;
	at->state_offset = operand->mem.disp.value;
}

/* What an instruction does to what is known. */
static void see(struct walk *walk, const struct instruction *instruction)
{
	const ZydisDecodedOperand *to = &instruction->operands[0];
	struct location location;
	unsigned int reg;
	uint64_t taken;

	for (size_t i = 0; i < instruction->is.operand_count_visible; i++) {
		const ZydisDecodedOperand *operand = &instruction->operands[i];

		if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
			continue;
		if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
			see_load(walk, operand);
		reg = number_of(operand->mem.base);
		if (instruction->is.mnemonic == ZYDIS_MNEMONIC_MOVSXD && reg < REGISTERS)
			walk->table = walk->at.registers[reg];
	}
	if (to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    !(to->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		return;
	taken = address_taken(walk, instruction);
	reg = number_of(to->reg.value);
	if (reg < REGISTERS)
		walk->at.registers[reg] = taken;
	if (!taken)
		return;
	if (location_read(walk->bodies->image, taken, &location)) {
		walk->at.location = taken;
		if (!walk->own && !location_is_library(&location))
			walk->own = taken;
		walk->done |= walk->own && walk->panic;
	}
	walk->resumes |= panics_is_message(walk->bodies->panics, taken);
}

/* Goes on to all that a jump table holds: offsets from itself (32 bits), or addresses. */
static void follow_table(struct walk *walk, uint64_t table, bool absolute)
{
	const struct code_function *function = walk->function;
	size_t size = absolute ? sizeof(uint64_t) : sizeof(int32_t);
	const uint8_t *bytes;
	size_t room;

	room = table ? image_bytes(walk->bodies->image, table, &bytes) : 0;
	for (size_t i = 0; i < STATES_MAX && (i + 1) * size <= room; i++) {
		uint64_t target;
		int32_t offset;

		/* The next table begins where some code takes its address. */
		for (size_t j = 0; i && j < function->nreferences; j++)
			if (walk->steps++ >= STEPS_MAX ||
			    function->references[j] == table + i * size)
				return;
		memcpy(&offset, bytes + i * size, sizeof(offset));
		target = table + offset;
		if (absolute && !image_pointer(walk->bodies->image, table + i * size, &target))
			return;
		if (!is_in(walk, target))
			return;
		go_to(walk, target);
	}
}

/* A body's panic for being polled after its end. */
static void see_panic(struct walk *walk)
{
	struct location location;

	if (walk->panic)
		return;
	walk->panic = walk->at.location;
	/*
	 * A body that never ends cannot be polled after that. So where the panic is of an async
	 * function of some library, it may be awaited by such a one: another panic tells.
	 */
	location_read(walk->bodies->image, walk->panic, &location);
	walk->done = walk->own || !location_is_library(&location);
}

/* A call, or a jump out of the function. Returns whether it comes back. */
static bool follow_call(struct walk *walk, uint64_t target)
{
	const struct panic *panic = panics_find(walk->bodies->panics, target);

	if (((panic && panic->resumed) || walk->resumes) && walk->at.location)
		see_panic(walk);
	return !panic;
}

/* Where a call or jump goes; 0: it cannot be told. */
static uint64_t target_of(const struct walk *walk, const struct instruction *instruction)
{
	const ZydisDecodedOperand *operand = &instruction->operands[0];
	uint64_t target = 0;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return instruction->next + operand->imm.value.s;
	if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.base == ZYDIS_REGISTER_RIP)
		image_pointer(walk->bodies->image, instruction->next + operand->mem.disp.value,
			      &target);
	return target;
}

/* An unconditional jump. */
static void follow_jump(struct walk *walk, const struct instruction *instruction)
{
	const ZydisDecodedOperand *operand = &instruction->operands[0];
	uint64_t target = target_of(walk, instruction);

	if (target && is_in(walk, target))
		go_to(walk, target);
	else if (target)
		follow_call(walk, target);
	else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		follow_table(walk, walk->table, false);
	else if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		 operand->mem.base == ZYDIS_REGISTER_NONE)
		follow_table(walk, operand->mem.disp.value, true);
}

/* Returns whether the code flows on behind an instruction. */
static bool follow(struct walk *walk, const struct instruction *instruction)
{
	uint64_t target;

	switch (instruction->is.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		target = target_of(walk, instruction);
		return !target || follow_call(walk, target);
	case ZYDIS_CATEGORY_COND_BR:
		go_to(walk, target_of(walk, instruction));
		if (walk->looked)
			go_to(walk, instruction->next);
		return !walk->looked;
	case ZYDIS_CATEGORY_UNCOND_BR:
		follow_jump(walk, instruction);
		return false;
	case ZYDIS_CATEGORY_RET:
		return false;
	default:
		see(walk, instruction);
		return instruction->is.mnemonic != ZYDIS_MNEMONIC_UD2 &&
		       instruction->is.mnemonic != ZYDIS_MNEMONIC_INT3 &&
		       instruction->is.mnemonic != ZYDIS_MNEMONIC_HLT;
	}
}

static void walk_block(struct walk *walk)
{
	const struct code_function *function = walk->function;
	uint64_t vaddr = walk->at.vaddr;
	struct instruction instruction;

	walk->looked = walk->resumes = false;
	walk->table = 0;
	while (!walk->done && walk->steps++ < STEPS_MAX && is_in(walk, vaddr) &&
	       !was_seen(walk, vaddr)) {
		if (!decode(walk->bodies, walk->bytes + (vaddr - function->start),
			    function->end - vaddr, vaddr, &instruction) ||
		    !follow(walk, &instruction))
			break;
		vaddr = instruction.next;
	}
}

/* Takes the next block: those with fewer states looked at first, each sort in its order. */
static bool next_block(struct walk *walk, size_t *taken)
{
	struct blocks done = walk->near;

	if (*taken == walk->near.n) {
		walk->near = walk->far;
		walk->far = done;
		walk->far.n = 0;
		*taken = 0;
	}
	if (*taken == walk->near.n)
		return false;
	walk->at = walk->near.list[(*taken)++];
	return true;
}

/* Whether a function may hold a body: it calls the panic, or takes its message. */
static bool may_hold_body(struct async_bodies *bodies, const struct code_function *function)
{
	for (size_t i = 0; i < function->ncallees; i++) {
		const struct panic *panic = panics_find(bodies->panics, function->callees[i]);

		if (panic && panic->resumed)
			return true;
	}
	for (size_t i = 0; i < function->nreferences; i++)
		if (panics_is_message(bodies->panics, function->references[i]))
			return true;
	return false;
}

static bool find_body(struct async_bodies *bodies, const struct code_function *function,
		      struct location *location)
{
	struct walk walk = {.bodies = bodies, .function = function};
	size_t size = function->end - function->start, taken = 0;

	if (!may_hold_body(bodies, function) ||
	    image_bytes(bodies->image, function->start, &walk.bytes) < size)
		return false;
	walk.seen = calloc(size / 8 + 1, 1);
	if (walk.seen)
		go_to(&walk, function->start);
	while (!walk.done && next_block(&walk, &taken))
		walk_block(&walk);
	free(walk.seen);
	free(walk.near.list);
	free(walk.far.list);
	if (!walk.panic || !location_read(bodies->image, walk.panic, location))
		return false;
	return !walk.own || !location_is_library(location) ||
	       location_read(bodies->image, walk.own, location);
}

bool async_bodies_in(struct async_bodies *bodies, uint64_t vaddr, struct async_body *body)
{
	const struct code_function *function = code_function(bodies->code, vaddr);
	struct finding *finding;

	if (!function)
		return false;
	HASH_FIND(hh, bodies->findings, &function->start, sizeof(function->start), finding);
	if (!finding) {
		finding = calloc(1, sizeof(*finding));
		if (!finding)
			return false;
		finding->body.function = function->start;
		finding->any = find_body(bodies, function, &finding->body.location);
		HASH_ADD(hh, bodies->findings, body.function, sizeof(function->start), finding);
	}
	*body = finding->body;
	return finding->any;
}
