// SPDX-License-Identifier: MIT
// links: attach symbolize -ldw -lelf
/*
 * This program has probes itself, and is its own tracer: a breakpoint on each, whose handler reads
 * the arguments from the registers and memory as the decoded notes say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#include "attach/usdt.h"
#include "symbolize/elf_file.h"

#define SEMAPHORE(name)                                                                            \
	unsigned short usdttest_##name##_semaphore __attribute__((section(".probes"), used))

SEMAPHORE(constants);
SEMAPHORE(registers);
SEMAPHORE(memory);
SEMAPHORE(globals);
SEMAPHORE(array);
SEMAPHORE(twelve);

/* What the handler saw of the last probe that fired. */
static struct {
	struct usdt_notes *notes;
	uintptr_t bias;
	const struct usdt_note *note;
	size_t n;
	bool readable[OPERAND_ARGS_MAX];
	int64_t value[OPERAND_ARGS_MAX];
} seen;

#if defined(__x86_64__)
typedef uint8_t instruction;
static const instruction nop = 0x90, breakpoint = 0xcc;
#define EXAMPLE "4f@%xmm0 -4@%eax"

static int64_t dwarf_register(const ucontext_t *context, unsigned int number)
{
	static const int gregs[16] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
		REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};

	return context->uc_mcontext.gregs[gregs[number]];
}

/* Where the breakpoint is; the program goes on behind it. */
static uint64_t pass_breakpoint(ucontext_t *context)
{
	return context->uc_mcontext.gregs[REG_RIP] - 1;
}
#else
typedef uint32_t instruction;
static const instruction nop = 0xd503201f, breakpoint = 0xd4200000;
#define EXAMPLE "4f@s0 -4@w0"

static int64_t dwarf_register(const ucontext_t *context, unsigned int number)
{
	return number == 31 ? context->uc_mcontext.sp : context->uc_mcontext.regs[number];
}

static uint64_t pass_breakpoint(ucontext_t *context)
{
	context->uc_mcontext.pc += sizeof(instruction);
	return context->uc_mcontext.pc - sizeof(instruction);
}
#endif

static int64_t register_value(const ucontext_t *context, uint64_t ip, unsigned int number)
{
	if (number == OPERAND_NO_REG)
		return 0;
	return number == OPERAND_PC ? (int64_t)ip : dwarf_register(context, number);
}

static int64_t operand_value(const ucontext_t *context, uint64_t ip, const struct operand *operand)
{
	int64_t value = operand->value;
	int bits = 64 - 8 * abs(operand->size);

	if (operand->class == OPERAND_CONST)
		return value;
	if (operand->class == OPERAND_REG) {
		value = register_value(context, ip, operand->base);
	} else {
		value += register_value(context, ip, operand->base) +
			 (register_value(context, ip, operand->index) << operand->scale);
		memcpy(&value, (void *)value, abs(operand->size));
	}
	value = (int64_t)((uint64_t)value << bits);
	return operand->size < 0 ? value >> bits : (int64_t)((uint64_t)value >> bits);
}

static void handle_trap(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	uint64_t ip = pass_breakpoint(context);
	struct operand operands[OPERAND_ARGS_MAX];

	(void)signal;
	(void)info;
	seen.note = NULL;
	for (size_t i = 0; i < seen.notes->n; i++) {
		if (seen.notes->notes[i].location + seen.bias == ip)
			seen.note = &seen.notes->notes[i];
	}
	if (!seen.note)
		abort();
	seen.n = usdt_operands(seen.notes, seen.note, operands, OPERAND_ARGS_MAX);
	for (size_t i = 0; i < seen.n; i++) {
		seen.readable[i] = operands[i].class != OPERAND_NONE;
		if (seen.readable[i])
			seen.value[i] = operand_value(context, ip, &operands[i]);
	}
}

static int note_bias(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	*(uintptr_t *)data = info->dlpi_addr;
	return 1; /* the first is the program */
}

/* A breakpoint in place of each probe's nop. */
static void arm(uintptr_t address)
{
	long page = sysconf(_SC_PAGESIZE);

	assert_int_equal(*(instruction *)address, nop);
	assert_int_equal(
		mprotect((void *)(address & -page), page, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	*(instruction *)address = breakpoint;
	mprotect((void *)(address & -page), page, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)address, (char *)(address + sizeof(instruction)));
}

struct fixture {
	struct elf_file *file;
	struct usdt_notes notes;
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct sigaction action = {.sa_sigaction = handle_trap, .sa_flags = SA_SIGINFO};

	assert_int_equal(elf_file_open_path("/proc/self/exe", &fixture.file), 0);
	assert_int_equal(usdt_read(fixture.file, &fixture.notes), 0);
	dl_iterate_phdr(note_bias, &seen.bias);
	seen.notes = &fixture.notes;
	sigaction(SIGTRAP, &action, NULL);
	for (size_t i = 0; i < fixture.notes.n; i++) {
		if (!strcmp(fixture.notes.notes[i].provider, "usdttest"))
			arm(fixture.notes.notes[i].location + seen.bias);
	}
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	usdt_release(&fixture->notes);
	elf_file_close(fixture->file);
	return 0;
}

static void expect(const char *name, size_t n, const int64_t *values)
{
	assert_non_null(seen.note);
	assert_string_equal(seen.note->name, name);
	assert_int_equal(seen.n, n);
	for (size_t i = 0; i < n; i++) {
		if (!seen.readable[i] || seen.value[i] != values[i])
			fail_msg("%s, argument %zu of `%s`: %s %lld, not %lld", name, i,
				 seen.note->args, seen.readable[i] ? "read as" : "not read",
				 (long long)seen.value[i], (long long)values[i]);
	}
}

/* A value that the compiler cannot know. */
#define OPAQUE(value)                                                                              \
	({                                                                                         \
		__typeof__(value) opaque = (value);                                                \
		__asm__ volatile("" : "+r"(opaque));                                               \
		opaque;                                                                            \
	})

static void constants_are_read(void **state)
{
	(void)state;
	STAP_PROBE5(usdttest, constants, 5, -5, (uint32_t)-1, (uint8_t)200, INT64_MIN);
	expect("constants", 5, (int64_t[]){5, -5, UINT32_MAX, 200, INT64_MIN});
}

static void registers_of_every_width_are_read(void **state)
{
	uint64_t a = OPAQUE((uint64_t)0xfedcba9876543210);
	uint32_t b = OPAQUE((uint32_t)0xfedcba98);
	int32_t c = OPAQUE((int32_t)-7);
	int16_t d = OPAQUE((int16_t)-300);
	uint8_t e = OPAQUE((uint8_t)200);
	int8_t f = OPAQUE((int8_t)-100);

	(void)state;
	STAP_PROBE6(usdttest, registers, a, b, c, d, e, f);
	expect("registers", 6, (int64_t[]){a, b, c, d, e, f});
}

static void locals_in_memory_are_read(void **state)
{
	volatile uint64_t a = 0xfedcba9876543210;
	volatile int32_t b = -7;
	volatile uint8_t c = 200;
	volatile int16_t d[4] = {1, -2, 3, -4};

	(void)state;
	STAP_PROBE4(usdttest, memory, a, b, c, d[3]);
	expect("memory", 4, (int64_t[]){a, b, c, d[3]});
}

static volatile int64_t counter = -1234567890123;
volatile uint16_t exported = 54321;
static volatile struct {
	uint32_t first, second;
} pair = {1, 2000000000};

static void globals_are_read(void **state)
{
	static volatile int32_t own = -42;

	(void)state;
	STAP_PROBE4(usdttest, globals, counter, exported, pair.second, own);
	expect("globals", 4, (int64_t[]){counter, exported, pair.second, own});
}

static void indexed_memory_is_read(void **state)
{
	volatile int32_t list[8] = {0, -1, -2, -3, -4, -5, -6, -7};
	size_t i = OPAQUE((size_t)5);

	(void)state;
	STAP_PROBE2(usdttest, array, list[i], list[i + 2]);
	expect("array", 2, (int64_t[]){-5, -7});
}

static void twelve_arguments_are_read(void **state)
{
	int a = OPAQUE(1), b = OPAQUE(2), c = OPAQUE(3);

	(void)state;
	STAP_PROBE12(usdttest, twelve, a, 2, b, 4, c, 6, a, 8, b, 10, c, 12);
	expect("twelve", 12, (int64_t[]){1, 2, 2, 4, 3, 6, 1, 8, 2, 10, 3, 12});
}

/*
 * As a compiler would print them for a float: <sys/sdt.h> itself has no constraint for one in a
 * register.
 */
static void floating_arguments_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct operand operands[OPERAND_ARGS_MAX];
	struct usdt_note note = {.args = EXAMPLE};

	assert_int_equal(usdt_operands(&fixture->notes, &note, operands, OPERAND_ARGS_MAX), 2);
	assert_int_equal(operands[0].class, OPERAND_NONE);
	assert_int_equal(operands[1].class, OPERAND_REG);
}

static void offsets_are_where_the_file_has_the_nop(void **state)
{
	struct fixture *fixture = *state;
	instruction code;

	assert_true(fixture->notes.n >= 6);
	assert_int_equal(fixture->notes.skipped, 0);
	for (size_t i = 0; i < fixture->notes.n; i++) {
		assert_int_equal(pread(fixture->file->fd, &code, sizeof(code),
				       fixture->notes.notes[i].offset),
				 sizeof(code));
		assert_int_equal(code, nop);
	}
}

static void semaphores_are_where_the_variable_is(void **state)
{
	struct fixture *fixture = *state;
	uint64_t vaddr;

	for (size_t i = 0; i < fixture->notes.n; i++) {
		const struct usdt_note *note = &fixture->notes.notes[i];

		if (strcmp(note->name, "memory"))
			continue;
		for (size_t s = 0; s < fixture->file->nsegments; s++) {
			const struct elf_segment *segment = &fixture->file->segments[s];

			if (segment->flags & PF_W)
				vaddr = note->semaphore_offset - segment->offset + segment->vaddr;
		}
		assert_ptr_equal((void *)(seen.bias + vaddr), &usdttest_memory_semaphore);
	}
}

static void a_file_without_probes_has_none(void **state)
{
	static const uint8_t header[64] = {
		0x7f,        'E',        'L',           'F',       ELFCLASS64,
		ELFDATA2LSB, EV_CURRENT, [16] = ET_DYN, 0,         EM_X86_64,
		0,           EV_CURRENT, [52] = 64,     [54] = 56, [58] = 64,
	};
	int fd = memfd_create("bare", MFD_CLOEXEC);
	struct usdt_notes notes;
	struct elf_file *file;

	(void)state;
	assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
	assert_int_equal(elf_file_from_fd(fd, "bare", &file), 0);
	assert_int_equal(usdt_read(file, &notes), 0);
	assert_int_equal(notes.n, 0);
	usdt_release(&notes);
	elf_file_close(file);
}

static void names_are_compared_with_dashes_folded(void **state)
{
	(void)state;
	assert_true(usdt_name_is("task-poll-start", "task__poll__start"));
	assert_true(usdt_name_is("task-poll-start", "task_poll_start"));
	assert_true(usdt_name_is("task_poll__start", "task-poll_start"));
	assert_true(usdt_name_is("", ""));
	assert_false(usdt_name_is("task_poll_start", "task_poll_starts"));
	assert_false(usdt_name_is("task_poll_start", "taskpoll_start"));
	assert_false(usdt_name_is("task", "task_"));
	assert_false(usdt_name_is("task", "Task"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_read),
		cmocka_unit_test(registers_of_every_width_are_read),
		cmocka_unit_test(locals_in_memory_are_read),
		cmocka_unit_test(globals_are_read),
		cmocka_unit_test(indexed_memory_is_read),
		cmocka_unit_test(twelve_arguments_are_read),
		cmocka_unit_test(floating_arguments_are_left_out),
		cmocka_unit_test(offsets_are_where_the_file_has_the_nop),
		cmocka_unit_test(semaphores_are_where_the_variable_is),
		cmocka_unit_test(a_file_without_probes_has_none),
		cmocka_unit_test(names_are_compared_with_dashes_folded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
