// SPDX-License-Identifier: MIT
// links: unwind symbolize core util -ldw -lelf -liberty -pthread
/*
 * Unwinding the test's own stack, by the step that the BPF programs take, against backtrace(). In what is
 * between there are no frame pointers: libraries have none.
 */
#include <alloca.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "symbolize/symtab.h"
#include "unwind_self.h"

#ifndef __clang__
#pragma GCC optimize("omit-frame-pointer")
#endif

#define FRAMES_MAX 192

static struct unwind_self self;
static uint32_t checked; /* walks that were compared */

/* Whether both stacks are the same but for their leaves, which are addresses in one function. */
static void check_frames(const uint64_t *frames, uint32_t n, void **expected, int m)
{
	assert_true(n > 2 && m >= (int)n);
	for (uint32_t i = 1; i < n; i++)
		assert_int_equal(frames[n - i], (uintptr_t)expected[m - i]);
	checked++;
}

/* The stack from here on. */
static __attribute__((noinline)) void check_stack(void)
{
	uint64_t frames[FRAMES_MAX];
	void *expected[FRAMES_MAX];
	struct unwind_regs regs;
	enum unwind_end end;
	ucontext_t context;
	uint32_t n;

	getcontext(&context);
	regs = self_regs(&context);
	regs.called = 1;
	n = self_walk(&self, regs, frames, FRAMES_MAX, &end);
	assert_int_equal(end, UNWIND_END_OUTERMOST);
	check_frames(frames, n, expected, backtrace(expected, FRAMES_MAX));
}

/* What is called next, in order; the last is check_stack(). */
static void (*const *next)(int);
static volatile int sink;

static __attribute__((noinline)) void call_next(int n)
{
	void (*const *kept)(int) = next;

	if (*next)
		(*next++)(n);
	else
		check_stack();
	next = kept;
	sink++;
}

static __attribute__((noinline)) void recurse(int n)
{
	volatile char big[100];

	big[n % 100] = n;
	if (n)
		recurse(n - 1);
	else
		call_next(n);
	sink += big[n % 100];
}

static int depth;

static void recurse_to_depth(int n)
{
	(void)n;
	recurse(depth);
	sink++;
}

/* Called once by each of those who take it; a sanitizer's may do so more often. */
static int compare(const void *a, const void *b)
{
	call_next(0);
	return *(const int *)a - *(const int *)b;
}

static void sort(int n)
{
	int numbers[] = {2, 1};

	(void)n;
	qsort(numbers, 2, sizeof(*numbers), compare);
	sink += numbers[0];
}

static void search(int n)
{
	static const int numbers[] = {1, 2, 3};

	(void)n;
	sink += !bsearch(&numbers[1], numbers, 3, sizeof(*numbers), compare);
}

static void allocate(int n)
{
	volatile char *room = alloca(1000 + n % 7 * 16);

	room[n % 1000] = 1;
	call_next(n);
	sink += room[n % 1000];
}

static void realign(int n)
{
	volatile char aligned[128] __attribute__((aligned(128)));

	assert_int_equal((uintptr_t)aligned % 128, 0);
	allocate(n);
	aligned[n % 128] = 1;
	sink += aligned[n % 128];
}

/* Realigned, and of a size that only the frame pointer can tell. */
static void realign_and_allocate(int n)
{
	volatile char aligned[64] __attribute__((aligned(64)));
	volatile char *room = alloca(100 + n % 7 * 16);

	aligned[n % 64] = room[n % 100] = 1;
	call_next(n);
	sink += aligned[n % 64] + room[n % 100];
}

static void on_signal(int number)
{
	call_next(number);
	sink++;
}

static void interrupt(int n)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)n;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	raise(SIGUSR1);
	sink++;
}

static void interrupt_to_another_stack(int n)
{
	static char memory[1 << 18];
	const stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	const stack_t none = {.ss_flags = SS_DISABLE};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

	(void)n;
	assert_int_equal(sigaltstack(&stack, NULL), 0);
	assert_int_equal(sigaction(SIGUSR2, &action, NULL), 0);
	raise(SIGUSR2);
	assert_int_equal(sigaltstack(&none, NULL), 0);
	sink++;
}

static void *run_thread(void *unused)
{
	call_next(0);
	return unused;
}

static void thread(int n)
{
	pthread_t other;

	(void)n;
	assert_int_equal(pthread_create(&other, NULL, run_thread, NULL), 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	sink++;
}

/*
 * Two functions side by side. The first lets nobody unwind from it, and is what an address one too low
 * would find; the second faults at its first instruction, where the handler lets it go on.
 */
void faults(void);
#if defined(__x86_64__)
#define FAULT "ud2"
#define FAULT_SIZE 2
#define FAULT_PC gregs[REG_RIP]
#else
#define FAULT "udf #0"
#define FAULT_SIZE 4
#define FAULT_PC pc
#endif
__asm__(".text\n"
	".cfi_startproc\n"
	".cfi_undefined 16\n"
	".cfi_undefined 30\n"
	"nop\n"
	".cfi_endproc\n"
	".globl faults\n"
	".type faults, %function\n"
	"faults:\n"
	".cfi_startproc\n" FAULT "\n"
	"ret\n"
	".cfi_endproc\n"
	".size faults, . - faults\n");

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)info;
	call_next(number);
	((ucontext_t *)context)->uc_mcontext.FAULT_PC += FAULT_SIZE;
}

static void fault(int n)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	(void)n;
	assert_int_equal(sigaction(SIGILL, &action, NULL), 0);
	faults();
	sink++;
}

#define CHECK(...)                                                                                 \
	do {                                                                                       \
		static void (*const calls[])(int) = {__VA_ARGS__, NULL};                           \
		uint32_t before = checked;                                                         \
                                                                                                   \
		next = calls;                                                                      \
		call_next(3);                                                                      \
		assert_true(checked > before);                                                     \
	} while (0)

static void stacks_of_any_depth_are_whole(void **state)
{
	static const int depths[] = {0, 1, 5, 20, 60, 110, 150};

	(void)state;
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		depth = depths[i];
		CHECK(recurse_to_depth);
	}
}

static void callbacks_from_libraries_are_passed(void **state)
{
	(void)state;
	depth = 4;
	CHECK(sort);
	CHECK(search);
	CHECK(sort, recurse_to_depth, search, recurse_to_depth);
}

static void frames_of_variable_size_are_passed(void **state)
{
	(void)state;
	CHECK(allocate);
	CHECK(realign);
	CHECK(realign_and_allocate);
	CHECK(sort, realign_and_allocate, search, allocate);
}

/* Emulators have no image of the kernel, and signal handlers return to code in no file. */
static void signal_frames_are_passed(void **state)
{
	(void)state;
	if (!self.vdso)
		skip();
	depth = 7;
	CHECK(interrupt);
	CHECK(sort, interrupt, recurse_to_depth, interrupt_to_another_stack, search);
}

static void an_interrupted_address_is_looked_up_as_it_is(void **state)
{
	(void)state;
	if (!self.vdso)
		skip();
	CHECK(fault);
}

static void threads_end_where_they_started(void **state)
{
	(void)state;
	CHECK(thread);
	CHECK(sort, thread, search, recurse_to_depth);
}

static void code_in_no_file_ends_the_walk(void **state)
{
	uint8_t *jit = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct unwind_regs regs = {.pc = (uintptr_t)jit, .sp = (uintptr_t)jit};
	enum unwind_end end;
	uint64_t frames[4];

	(void)state;
	assert_int_equal(self_walk(&self, regs, frames, 4, &end), 1);
	assert_int_equal(end, UNWIND_END_NO_MODULE);
	assert_int_equal(frames[0], (uintptr_t)jit);
	munmap(jit, 4096);
}

/* Words of a stack that there is not. */
struct fake_stack {
	uint64_t start;
	uint64_t words[4];
	bool repeats;
};

static int fake_read(void *context, uint64_t address, uint64_t *word)
{
	const struct fake_stack *stack = context;
	uint64_t at = (address - stack->start) / 8;

	if (at >= 4 && !stack->repeats)
		return -1;
	*word = stack->words[at % 4];
	return 0;
}

static uint32_t fake_walk(struct fake_stack *stack, struct unwind_regs regs, uint64_t *frames,
			  uint32_t max, enum unwind_end *end)
{
	const struct unwind_memory memory = {.read = fake_read, .context = stack};

	stack->start = regs.sp;
	return unwind_walk(self.store, self.modules, regs, &memory, frames, max, end);
}

#define FAKE_SP 0x7fff00000000ULL

static void a_stack_without_end_is_cut(void **state)
{
	const uint64_t back = (uintptr_t)faults + 1;
	struct fake_stack stack = {.words = {back, back, back, back}, .repeats = true};
	struct unwind_regs regs = {.pc = (uintptr_t)faults, .sp = FAKE_SP, .lr = back};
	uint64_t frames[10];
	enum unwind_end end;

	(void)state;
#if defined(__x86_64__)
	assert_int_equal(fake_walk(&stack, regs, frames, 10, &end), 10);
	assert_int_equal(end, UNWIND_END_FULL);
	assert_int_equal(frames[9], back);
#else
	/* A leaf that was called: what it says to be its caller is itself. */
	assert_int_equal(fake_walk(&stack, regs, frames, 10, &end), 2);
	assert_int_equal(end, UNWIND_END_BACKWARDS);
#endif
}

static void a_stack_out_of_reach_ends_the_walk(void **state)
{
	struct unwind_regs regs = {.pc = (uintptr_t)check_stack + 40, .sp = 64, .bp = 64};
	enum unwind_end end;
	uint64_t frames[4];

	(void)state;
	assert_int_equal(self_walk(&self, regs, frames, 4, &end), 1);
	assert_int_equal(end, UNWIND_END_READ);
}

/* Whether the caller of pc, before its function has done anything, is found at a word of the stack. */
static void check_entry(uint64_t pc, uint32_t word)
{
	const uint64_t back = (uintptr_t)faults + 1;
	struct fake_stack stack = {.words = {0}};
	struct unwind_regs regs = {.pc = pc, .sp = FAKE_SP, .lr = back};
	enum unwind_end end;
	uint64_t frames[2];

	stack.words[word] = back;
	assert_int_equal(fake_walk(&stack, regs, frames, 2, &end), 2);
	assert_int_equal(frames[1], back);
}

static void frames_of_the_kernels_image_are_passed(void **state)
{
	uint64_t start = getauxval(AT_SYSINFO_EHDR), vaddr;
	struct symtab *symtab;

	(void)state;
	if (!self.vdso)
		skip();
	assert_int_equal(symtab_new(self.vdso, &symtab), 0);
	if (symtab_address(symtab, "__vdso_clock_gettime", &vaddr))
		assert_int_equal(symtab_address(symtab, "__kernel_clock_gettime", &vaddr), 0);
	symtab_free(symtab);
	check_entry(start + vaddr, 0);
}

static int first_image(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1;
}

static void frames_of_lazy_linkage_are_passed(void **state)
{
#if defined(__x86_64__)
	struct elf_segment plt;
	struct elf_file *elf;
	uint64_t bias;

	(void)state;
	dl_iterate_phdr(first_image, &bias);
	assert_int_equal(elf_file_open_path("/proc/self/exe", &elf), 0);
	if (elf_file_find_section(elf, ".plt", &plt))
		skip();
	elf_file_close(elf);
	/* Behind the entry that all share, each: jmp; push; jmp to that. */
	check_entry(bias + plt.vaddr + 16, 0);
	check_entry(bias + plt.vaddr + 16 + 6, 0);
	check_entry(bias + plt.vaddr + 16 + 11, 1);
	check_entry(bias + plt.vaddr, 1);
	check_entry(bias + plt.vaddr + 6, 2);
#else
	(void)state;
	(void)first_image;
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_of_any_depth_are_whole),
		cmocka_unit_test(callbacks_from_libraries_are_passed),
		cmocka_unit_test(frames_of_variable_size_are_passed),
		cmocka_unit_test(signal_frames_are_passed),
		cmocka_unit_test(an_interrupted_address_is_looked_up_as_it_is),
		cmocka_unit_test(threads_end_where_they_started),
		cmocka_unit_test(code_in_no_file_ends_the_walk),
		cmocka_unit_test(a_stack_without_end_is_cut),
		cmocka_unit_test(a_stack_out_of_reach_ends_the_walk),
		cmocka_unit_test(frames_of_the_kernels_image_are_passed),
		cmocka_unit_test(frames_of_lazy_linkage_are_passed),
	};
	int failed;

	self_load(&self);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	self_release(&self);
	return failed;
}
