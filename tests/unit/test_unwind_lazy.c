// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty
/*
 * Unwinding from each instruction that the dynamic loader runs when a function is called for the first time.
 * It does not know how large a frame its trampoline needs, and finds back by rbx.
 */
#include <gnu/libc-version.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#include <cmocka.h>

#include "unwind_self.h"

#define FRAMES_MAX 64

#if defined(__x86_64__)

#define TRAP_FLAG 0x100ULL

static struct unwind_self self;

/* The stack of who calls, and what was seen below it. */
static struct {
	uint64_t frames[FRAMES_MAX];
	uint32_t n;
	uint32_t in_loader, broken;
	uint64_t first_broken;
} seen;

/* Whether the stack is whole: ends like the caller's. */
static bool is_whole(const uint64_t *frames, uint32_t n, enum unwind_end end)
{
	if (end != UNWIND_END_OUTERMOST || n < seen.n)
		return false;
	/* But for the caller itself, which has gone on. */
	return !memcmp(frames + n - (seen.n - 1), seen.frames + 1, (seen.n - 1) * sizeof(*frames));
}

static uint32_t walk_context(const ucontext_t *context, uint64_t *frames, enum unwind_end *end)
{
	return self_walk(&self, self_regs(context), frames, FRAMES_MAX, end);
}

static bool same_module(uint64_t pc, uint64_t as)
{
	return unwind_find_module(self.modules, pc) == unwind_find_module(self.modules, as);
}

/* Until the function is reached, which is in neither file. */
static void on_step(int number, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	uint64_t pc = context->uc_mcontext.gregs[REG_RIP], frames[FRAMES_MAX];
	bool in_loader = same_module(pc, _r_debug.r_brk);
	enum unwind_end end;
	uint32_t n;

	(void)number;
	(void)info;
	if (!in_loader && !same_module(pc, (uintptr_t)on_step)) {
		context->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
		return;
	}
	n = walk_context(context, frames, &end);
	seen.in_loader += in_loader;
	if (!is_whole(frames, n, end) && !seen.broken++)
		seen.first_broken = pc;
}

static __attribute__((noinline)) const char *step_through_first_call(void)
{
	enum unwind_end end;
	ucontext_t context;

	getcontext(&context);
	seen.n = walk_context(&context, seen.frames, &end);
	assert_int_equal(end, UNWIND_END_OUTERMOST);
	__asm__ volatile("pushf; orq %0, (%%rsp); popf" : : "i"(TRAP_FLAG) : "memory", "cc");
	return gnu_get_libc_version();
}

static void stacks_are_whole_at_each_instruction_of_lazy_binding(void **state)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	(void)state;
	self_load(&self);
	assert_int_equal(sigaction(SIGTRAP, &action, NULL), 0);
	assert_non_null(step_through_first_call());
	self_release(&self);
	if (!seen.in_loader)
		skip(); /* linked so that everything is bound at the start */
	assert_true(seen.in_loader > 100);
	if (seen.broken)
		fail_msg("%u of %u stacks end early, the first at %#lx of the loader", seen.broken,
			 seen.in_loader, (unsigned long)(seen.first_broken - getauxval(AT_BASE)));
}

#else

static void stacks_are_whole_at_each_instruction_of_lazy_binding(void **state)
{
	(void)state;
	skip(); /* there is no flag to step by */
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_are_whole_at_each_instruction_of_lazy_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
