// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * User stacks without frame pointers.
 *
 * Functions that are not static are verified by themselves, once, whatever they are given, and to their callers
 * return any number: without that, the loops in the loop over the frames are more than the verifier follows.
 *
 * The tables of all files are in chunks, each the one element of a map of its own: so they take the memory
 * that they need, and a chunk is found by one look-up however large it is. The same goes for the modules of a
 * process, which are put in anew as a whole where they change: a walk sees the old ones or the new ones.
 */
#include "unwind.bpf.h"

/* By a walk. */
static __always_inline int unwind_read(void *memory, __u64 address, __u64 *word)
{
	const struct unwind_walk *walk = memory;
	u64 at = address - walk->copy;
	struct stack_copy *copy;
	u32 zero = 0;

	if (!walk->copied)
		return bpf_probe_read_user(word, sizeof(*word), (void *)address);
	copy = bpf_map_lookup_elem(&stack_copies, &zero);
	if (!copy || at > STACK_COPY - sizeof(u64) || at + sizeof(u64) > walk->copied)
		return -1;
	*word = *(u64 *)(copy->bytes + at);
	return 0;
}

#include "unwind_step.h"

const volatile __u32 unwind_by_fp = 0;
volatile __u64 unwound_nowhere =
	0; /* stacks that ended in no module: userspace looks for new ones */

#define INSTRUCTION_MAX 16 /* bytes; of the slot that a copy is in, a part */
#define RETURNS 64         /* the kernel's own limit of nested return probes */

struct chunk_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct unwind_chunk));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, UNWIND_CHUNKS);
	__type(key, u32);
	__array(values, struct chunk_map);
} unwind_chunks SEC(".maps");

struct modules_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct unwind_modules));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, UNWIND_PROCESSES);
	__type(key, u32);
	__array(values, struct modules_map);
} unwind_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNWIND_RULES);
	__type(key, u32);
	__type(value, struct unwind_rule);
} unwind_rules SEC(".maps");

/* The module of an address, into walk->module. 0, or how the walk ends. */
__noinline int unwind_find(struct unwind_walk *walk, u64 pc)
{
	struct unwind_modules *modules;
	u32 zero = 0, process;
	void *map;
	int at;

	if (!walk)
		return UNWIND_END_NO_TABLE;
	process = walk->process;
	map = bpf_map_lookup_elem(&unwind_processes, &process);
	if (!map)
		return UNWIND_END_NO_TABLE;
	modules = bpf_map_lookup_elem(map, &zero);
	if (!modules)
		return UNWIND_END_NO_TABLE;
	at = unwind_find_module(modules, pc);
	if (at < 0)
		return UNWIND_END_NO_MODULE;
	walk->module = modules->list[at % UNWIND_MODULES];
	return UNWIND_GOES_ON;
}

/* The rule for an offset of a module. */
__noinline u32 unwind_search(u32 chunk, u32 first, u32 shift, u32 offset)
{
	void *map = bpf_map_lookup_elem(&unwind_chunks, &chunk);
	struct unwind_chunk *rows;
	u32 zero = 0;

	if (!map)
		return UNWIND_RULES;
	rows = bpf_map_lookup_elem(map, &zero);
	if (!rows)
		return UNWIND_RULES;
	return unwind_find_rule(rows, first, shift, offset);
}

/* The same for an address of walk->module. */
static __always_inline u32 unwind_rule_at(const struct unwind_walk *walk, u64 pc)
{
	return unwind_search(walk->module.chunk, walk->module.first, walk->module.shift,
			     pc - walk->module.base);
}

/*
 * A return probe puts an address of the kernel's own in the place of the return address, which the thread
 * keeps, with that place. 0: there is none there.
 */
__noinline u64 unwind_returned(u64 utask, u64 place)
{
	struct uprobe_task *probes = (void *)utask;
	struct return_instance *at = BPF_CORE_READ(probes, return_instances);
	int i;

	for (i = 0; i < RETURNS && at; i++) {
		if (BPF_CORE_READ(at, stack) == place)
			return BPF_CORE_READ(at, orig_ret_vaddr);
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

/* The thread runs a copy of a probed instruction: where that is. 0: it does not. */
__noinline u64 unwind_stepped(u64 utask, u64 pc)
{
	struct uprobe_task *probes = (void *)utask;
	u64 in = pc - BPF_CORE_READ(probes, xol_vaddr);

	if (in >= INSTRUCTION_MAX || !BPF_CORE_READ(probes, active_uprobe))
		return 0;
	return BPF_CORE_READ(probes, vaddr) + in;
}

/* Where the walk is in code of the kernel's own for probes: on to the code that it stands for. */
__noinline int unwind_unprobe(struct unwind_walk *walk)
{
	u64 pc, place;
	int i;

	if (!walk)
		return UNWIND_END_NO_TABLE;
	pc = walk->n ? 0 : unwind_stepped(walk->utask, walk->regs.pc);
	if (pc) {
		walk->regs.pc = pc;
		return unwind_find(walk, pc);
	}
	place = walk->regs.sp - ARCH_RETURN_BYTES;
	pc = unwind_returned(walk->utask, place);
	/* The thread may be in there, and have pushed registers. */
	for (i = 0; i < ARCH_RETURN_PUSHES && !pc && !walk->n; i++) {
		place += sizeof(u64);
		pc = unwind_returned(walk->utask, place);
	}
	if (!pc)
		return UNWIND_END_NO_MODULE;
	walk->regs.pc = pc;
	walk->regs.sp = place + ARCH_RETURN_BYTES;
	walk->regs.called = true;
	return unwind_find(walk, unwind_lookup_pc(&walk->regs));
}

/* Makes the address that the walk is at one of code, and finds its module. 0, or how the walk ends. */
static __always_inline int unwind_locate(struct unwind_walk *walk)
{
	u64 pc = unwind_lookup_pc(&walk->regs);
	int end;

	if (pc >= walk->module.start && pc < walk->module.end)
		return UNWIND_GOES_ON;
	end = unwind_find(walk, pc);
	if (end != UNWIND_END_NO_MODULE || !walk->utask)
		return end;
	return unwind_unprobe(walk);
}

/* One frame: its address, and on to its caller. 0, or how the walk ends. */
__noinline int unwind_frame(struct unwind_walk *walk, u64 *address)
{
	struct unwind_rule *rule;
	u32 at;
	int end;

	if (!walk || !address)
		return UNWIND_END_NO_TABLE;
	end = unwind_locate(walk);
	*address = end == UNWIND_END_NO_MODULE ? 0 : walk->regs.pc;
	if (end)
		return end;
	*address += walk->n++ && !walk->regs.called;
	at = unwind_rule_at(walk, unwind_lookup_pc(&walk->regs));
	rule = bpf_map_lookup_elem(&unwind_rules, &at);
	if (!rule)
		return UNWIND_END_NO_TABLE;
	/* A handler returns to the signal frame's first instruction. */
	*address += rule->signal && walk->regs.called;
	return unwind_step(walk, rule, &walk->regs);
}

/*
 * A thread that has hit a probe is behind the breakpoint until the kernel has seen which one, and may be off
 * the CPU for that: it is on the way to run the instruction that the breakpoint is in the place of. Who has run
 * that is behind it too: which of the two has a caller tells.
 */
__noinline int unwind_breakpoint(struct unwind_walk *walk)
{
	struct unwind_walk trial;
	u64 address = 0;
	u32 behind;

	if (!walk)
		return 0;
	behind = arch_behind_breakpoint(walk->regs.pc);
	if (!behind)
		return 0;
	trial = *walk;
	if (!unwind_frame(&trial, &address) && !unwind_locate(&trial))
		return 0;
	trial = *walk;
	trial.regs.pc -= behind;
	if (!unwind_frame(&trial, &address) && !unwind_locate(&trial))
		walk->regs.pc -= behind;
	return 0;
}

/*
 * The caller's frame is the first above the walk's base. One that is above it by more to begin with is on
 * another stack (a signal's): the walk comes below the base yet. By a return address: it returns right now.
 */
static __always_inline bool unwind_based(const struct unwind_walk *walk, u64 callee_sp)
{
	u64 above = walk->base + ARCH_RETURN_BYTES;

	return walk->base && callee_sp <= above && walk->regs.sp >= above;
}

__noinline u32 unwind_user(struct unwind_walk *walk, struct user_frames *frames)
{
	int end = UNWIND_GOES_ON;
	u64 address = 0, sp;
	u32 i;

	if (!walk || !frames)
		return 0;
	if (walk->trapped)
		unwind_breakpoint(walk);
	for (i = 0; i < UNWIND_DEPTH && !end; i++) {
		sp = walk->regs.sp;
		end = unwind_frame(walk, &address);
		if (!address)
			break;
		frames->list[i] = address;
		if (!end && unwind_based(walk, sp))
			end = UNWIND_END_OUTERMOST;
	}
	if (end == UNWIND_END_OUTERMOST)
		return i;
	if (end == UNWIND_END_NO_MODULE)
		__sync_fetch_and_add(&unwound_nowhere, 1);
	frames->list[i] = WIRE_MARK(end ? end : UNWIND_END_FULL);
	return i + 1;
}
