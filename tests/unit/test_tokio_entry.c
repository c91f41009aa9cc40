// SPDX-License-Identifier: MIT
// links: tokio core symbolize util -lZydis -ldw -lelf -liberty
/* Where probes go in the first instructions of functions. */
#include "tokio_file.h"

#include "tokio/entry.h"

#define FUNCTION (FILE_CODE + 0x100)
#define NOWHERE -1

struct entry_case {
	const char *what;
	const char *code;
	size_t size;
	int for_return, for_argument; /* the point's offset */
	bool return_stepped, argument_stepped;
};

#define CODE(bytes) bytes, sizeof(bytes) - 1

static const struct entry_case cases[] = {
	{"push %rbx", CODE("\x53\xc3"), 0, 0, false, false},
	{"push %r15", CODE("\x41\x57\xc3"), 0, 0, false, false},
	{"jmp rel32", CODE("\xe9\0\0\0\0"), 0, 0, false, false},
	{"call rel32", CODE("\xe8\0\0\0\0\xc3"), 0, 0, false, false},
	{"nop", CODE("\x90\xc3"), 0, 0, false, false},
	{"xchg %ax,%ax", CODE("\x66\x90\xc3"), 0, 0, false, false},
	{"endbr64; push %rbp", CODE("\xf3\x0f\x1e\xfa\x55\xc3"), 4, 4, false, false},
	{"mov (%rdi),%rax; push %rbx", CODE("\x48\x8b\x07\x53\xc3"), 3, 3, false, false},
	{"sub $0x18,%rsp; mov (%rdi),%rax; je", CODE("\x48\x83\xec\x18\x48\x8b\x07\x74\x00\xc3"), 0,
	 7, true, false},
	{"sub $0x18,%rsp; mov %rdi,8(%rsp); call",
	 CODE("\x48\x83\xec\x18\x48\x89\x7c\x24\x08\xe8\0\0\0\0\xc3"), 0, 9, true, false},
	{"mov %rsi,%rdi; push %rbx", CODE("\x48\x89\xf7\x53\xc3"), 0, 0, true, true},
	{"mov %eax,(%rdi); push %rbx", CODE("\x89\x07\x53\xc3"), 0, 0, true, true},
	{"mov (%rdi),%rax; ret", CODE("\x48\x8b\x07\xc3"), 0, 0, true, true},
	{"call *%rax; push %rbx", CODE("\xff\xd0\x53\xc3"), 0, 0, true, true},
	/* Decided in two instructions: the entry must be probed, or both. */
	{"lock xadd; push", CODE("\xf0\x48\x0f\xc1\x07\x53\xc3"), NOWHERE, NOWHERE, false, false},
	{"ret", CODE("\xc3"), NOWHERE, NOWHERE, false, false},
	{"ud2", CODE("\x0f\x0b"), NOWHERE, NOWHERE, false, false},
	{"int3", CODE("\xcc\x53"), NOWHERE, NOWHERE, false, false},
	{"callw rel16", CODE("\x66\xe8\0\0\0\0\xc3"), NOWHERE, NOWHERE, false, false},
	/* Jumped to again: passed more than once in a call. */
	{"test %al,%al; push %rbx; pop %rbx; jne back to the push",
	 CODE("\x84\xc0\x53\x5b\x75\xfc\xc3"), 0, 2, true, false},
};

static void expect(const struct entry_case *c, const struct tokio_file *f, enum entry_need need,
		   int offset, bool stepped)
{
	struct entry_point point;
	bool found = entry_find(f->image, f->code, FUNCTION, need, &point);

	if (found != (offset != NOWHERE))
		fail_msg("%s: %s", c->what, found ? "a point" : "no point");
	if (found && (point.vaddr != (uint64_t)(FUNCTION + offset) || point.stepped != stepped))
		fail_msg("%s: at %d%s", c->what, (int)(point.vaddr - FUNCTION),
			 point.stepped ? ", stepped" : "");
}

static void probes_go_where_they_are_cheap(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct entry_case *c = &cases[i];
		struct tokio_file f;

		file_init(&f, FORM_RELA);
		file_put(&f, FUNCTION, c->code, c->size);
		file_function(&f, FUNCTION, c->size);
		file_open(&f);
		expect(c, &f, ENTRY_RETURN, c->for_return, c->return_stepped);
		expect(c, &f, ENTRY_ARGUMENT, c->for_argument, c->argument_stepped);
		file_close(&f);
	}
}

/* A clone counts a reference, and is told apart from one that counted too far. */
static void where_memory_does_not_matter_what_writes_it_is_passed(void **state)
{
	static const struct {
		const char *code;
		size_t size;
		int offset;
	} clones[] = {
		{CODE("\xb8\x40\0\0\0\xf0\x48\x0f\xc1\x07\x48\x85\xc0\x78\x01\xc3"), 13},
		{CODE("\xf0\x48\x0f\xc1\x07\x53\xc3"), 5},
		{CODE("\x89\x07\x48\x89\xf7\x53\xc3"), 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(clones) / sizeof(clones[0]); i++) {
		struct entry_point point;
		struct tokio_file f;

		file_init(&f, FORM_RELA);
		file_put(&f, FUNCTION, clones[i].code, clones[i].size);
		file_function(&f, FUNCTION, clones[i].size);
		file_open(&f);
		assert_true(entry_find(f.image, f.code, FUNCTION, ENTRY_REGISTER, &point));
		assert_int_equal(point.vaddr, FUNCTION + clones[i].offset);
		assert_int_equal(point.stepped, !clones[i].offset);
		file_close(&f);
	}
}

static void what_is_no_code_takes_no_probe(void **state)
{
	struct entry_point point;
	struct tokio_file f;

	(void)state;
	file_init(&f, FORM_RELA);
	file_open(&f);
	assert_false(entry_find(f.image, f.code, FILE_DATA, ENTRY_ARGUMENT, &point));
	assert_false(entry_find(f.image, f.code, 0, ENTRY_ARGUMENT, &point));
	file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_go_where_they_are_cheap),
		cmocka_unit_test(where_memory_does_not_matter_what_writes_it_is_passed),
		cmocka_unit_test(what_is_no_code_takes_no_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
