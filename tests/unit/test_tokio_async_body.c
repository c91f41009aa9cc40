// SPDX-License-Identifier: MIT
// links: tokio symbolize core util -lZydis -ldw -lelf -liberty
/* Bodies of async functions, as rustc 1.95 compiles them, in this program itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "symbolize/elf_file.h"
#include "symbolize/symtab.h"
#include "tokio/async_body.h"
#include "tokio/code.h"
#include "tokio/image.h"

/* clang-format off */
#define FUNCTION(name, text) \
	".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" text \
	".cfi_endproc\n.size " #name ", . - " #name "\n"
#define LOCATION(name, file, length, line) \
	#name ": .quad " file ", " #length "\n.long " #line ", 5\n"
#define PANIC(location) "lea " #location "(%rip), %rdi\ncall panic_resumed\n"

asm(".pushsection .rodata\n"
    "message: .ascii \"`async fn` resumed after completion\"\n"
    "main_rs: .ascii \"src/main.rs\"\n"
    "tokio_rs: .ascii \"/root/.cargo/registry/src/tokio-1.24.2/src/sync/mutex.rs\"\n"
    ".balign 4\n"
    "outer_table: .long outer_start - outer_table, outer_panic - outer_table\n"
    ".long outer_panic - outer_table\n"
    ".long outer_waits - outer_table\n"
    "inner_table: .long outer_start - inner_table, inner_panic - inner_table\n"
    ".long inner_panic - inner_table\n"
    ".long outer_start - inner_table\n"
    ".popsection\n"
    ".pushsection .data.rel.ro, \"aw\"\n.balign 8\n"
    LOCATION(location_outer, "main_rs", 11, 10)
    LOCATION(location_inner, "main_rs", 11, 20)
    LOCATION(location_own, "main_rs", 11, 30)
    LOCATION(location_library, "tokio_rs", 56, 40)
    "panic_pointer: .quad panic_resumed\n"
    ".popsection\n"
    ".pushsection .text\n"
    FUNCTION(panic_other, "ud2\n")
    FUNCTION(panic_resumed, "lea message(%rip), %rsi\nmov $0x47, %edx\ncall panic_other\nud2\n")
    FUNCTION(returns, "ret\n")
    /* The panic of the body that is awaited comes first, in the code and in numbers of jumps. */
    FUNCTION(body_by_table,
	     "movzbl 4(%rdi), %eax\nlea outer_table(%rip), %rcx\nmovslq (%rcx,%rax,4), %rax\n"
	     "add %rcx, %rax\njmp *%rax\n"
	     "inner_panic:\n" PANIC(location_inner)
	     "outer_waits: movzbl 8(%rdi), %eax\nlea inner_table(%rip), %rcx\n"
	     "movslq (%rcx,%rax,4), %rax\nadd %rcx, %rax\njmp *%rax\n"
	     "outer_start: call returns\nret\n"
	     "outer_panic:\n" PANIC(location_outer))
    /* As for size, with panics that abort: no table; the inner's states come before. */
    FUNCTION(body_by_compares,
	     "cmpb $3, 4(%rdi)\njne 1f\n"
	     "movzbl 8(%rdi), %eax\ntest %eax, %eax\nje 2f\ncmp $3, %eax\nje 2f\n"
	     PANIC(location_inner)
	     "1: cmpb $0, 4(%rdi)\nje 2f\njmp 3f\n"
	     "2: call returns\nret\n"
	     "3:\n" PANIC(location_outer))
    /* Before 1.78 bodies hand the message over. The call goes through a pointer. */
    FUNCTION(body_with_message,
	     "movzbl 4(%rdi), %eax\ntest %eax, %eax\nje 1f\n"
	     "lea message(%rip), %rdi\nlea location_outer(%rip), %rdx\nmov $35, %esi\n"
	     "call panic_other\n"
	     "1: ret\n")
    FUNCTION(body_by_pointer,
	     "movzbl 4(%rdi), %eax\ntest %eax, %eax\nje 1f\n"
	     "lea location_outer(%rip), %rdi\ncall *panic_pointer(%rip)\n1: ret\n")
    /* It never ends, and awaits a library's; it also has a panic of its own. */
    FUNCTION(body_without_end,
	     "movzbl 4(%rdi), %eax\ntest %eax, %eax\nje 1f\n"
	     "movzbl 8(%rdi), %eax\ntest %eax, %eax\nje 1f\n" PANIC(location_library)
	     "1: call returns\ntest %eax, %eax\njne 2f\nret\n"
	     "2: lea location_own(%rip), %rdi\ncall panic_other\n")
    FUNCTION(body_of_library,
	     "movzbl 4(%rdi), %eax\ntest %eax, %eax\nje 1f\n" PANIC(location_library) "1: ret\n")
    /* Code behind a panic is not what comes next. */
    FUNCTION(body_behind_panic,
	     "call returns\ntest %eax, %eax\nje 1f\n"
	     "lea location_own(%rip), %rdi\ncall panic_other\n" PANIC(location_inner)
	     "1: movzbl 4(%rdi), %eax\ntest %eax, %eax\nje 2f\njmp 3f\n"
	     "2: ret\n3:\n" PANIC(location_outer))
    FUNCTION(no_body, "lea location_own(%rip), %rdi\ncall returns\nret\n")
    ".popsection\n");
/* clang-format on */

struct program {
	struct elf_file *file;
	struct symtab *symtab;
	struct image *image;
	struct code *code;
	struct async_bodies *bodies;
};

static int setup(void **state)
{
	static struct program program;

	*state = &program;
	assert_int_equal(elf_file_open_path("/proc/self/exe", &program.file), 0);
	assert_int_equal(symtab_new(program.file, &program.symtab), 0);
	assert_int_equal(image_new(program.file, &program.image), 0);
	assert_int_equal(code_new(program.image, &program.code), 0);
	program.bodies = async_bodies_new(program.image, program.code);
	return !program.bodies;
}

static int teardown(void **state)
{
	struct program *program = *state;

	async_bodies_free(program->bodies);
	code_free(program->code);
	image_free(program->image);
	symtab_free(program->symtab);
	elf_file_close(program->file);
	return 0;
}

/* The line of the outermost body in a function; 0: it has none. */
static uint32_t line_of(struct program *program, const char *function)
{
	struct async_body body;
	uint64_t vaddr;

	assert_int_equal(symtab_address(program->symtab, function, &vaddr), 0);
	if (!async_bodies_in(program->bodies, vaddr, &body))
		return 0;
	assert_int_equal(body.function, vaddr);
	assert_int_equal(body.location.column, 5);
	return body.location.line;
}

static void outermost_body_is_found_by_its_jump_table(void **state)
{
	assert_int_equal(line_of(*state, "body_by_table"), 10);
}

static void outermost_body_is_found_by_compares(void **state)
{
	assert_int_equal(line_of(*state, "body_by_compares"), 10);
}

static void panics_of_older_compilers_are_found(void **state)
{
	assert_int_equal(line_of(*state, "body_with_message"), 10);
}

static void panics_are_found_through_pointers(void **state)
{
	assert_int_equal(line_of(*state, "body_by_pointer"), 10);
}

static void bodies_without_end_are_not_what_they_await(void **state)
{
	assert_int_equal(line_of(*state, "body_without_end"), 30);
	assert_int_equal(line_of(*state, "body_of_library"), 40);
}

static void panics_do_not_go_on(void **state)
{
	assert_int_equal(line_of(*state, "body_behind_panic"), 10);
}

static void other_functions_have_no_body(void **state)
{
	assert_int_equal(line_of(*state, "no_body"), 0);
	assert_int_equal(line_of(*state, "panic_resumed"), 0);
	assert_int_equal(line_of(*state, "main"), 0);
}

static void answers_are_the_same_when_asked_again(void **state)
{
	assert_int_equal(line_of(*state, "body_by_table"), 10);
	assert_int_equal(line_of(*state, "no_body"), 0);
}

static void locations_are_checked(void **state)
{
	struct program *program = *state;
	struct location location;
	uint64_t vaddr;

	assert_int_equal(symtab_address(program->symtab, "location_own", &vaddr), 0);
	assert_true(location_read(program->image, vaddr, &location));
	assert_int_equal(location.line, 30);
	assert_int_equal(location.file_length, 11);
	assert_memory_equal(location.file, "src/main.rs", 11);
	assert_false(location_read(program->image, vaddr + 8, &location));
	assert_false(location_read(program->image, 0, &location));
	assert_false(location_read(program->image, UINT64_MAX - 7, &location));
}

static void libraries_are_told_by_their_folders(void **state)
{
	static const struct {
		const char *file;
		bool is_library;
	} files[] = {
		{"src/main.rs", false},
		{"crates/library/src/lib.rs", false},
		{"/home/me/app/src/main.rs", false},
		{"library/core/src/option.rs", true},
		{"/rustc/59807616e1fa/library/core/src/option.rs", true},
		{"/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/hyper-1.4.1/src/"
		 "lib.rs",
		 true},
		{"/usr/share/cargo/registry/tokio-1.24.2/src/sync/mutex.rs", true},
		{"/root/.cargo/git/checkouts/tokio-377c595163f/src/lib.rs", true},
		{"vendor/bytes/src/lib.rs", true},
		{"/build/tokio-1.38.0/src/lib.rs", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct location location = {files[i].file, strlen(files[i].file), 1, 1};

		assert_int_equal(location_is_library(&location), files[i].is_library);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outermost_body_is_found_by_its_jump_table),
		cmocka_unit_test(outermost_body_is_found_by_compares),
		cmocka_unit_test(panics_of_older_compilers_are_found),
		cmocka_unit_test(panics_are_found_through_pointers),
		cmocka_unit_test(bodies_without_end_are_not_what_they_await),
		cmocka_unit_test(panics_do_not_go_on),
		cmocka_unit_test(other_functions_have_no_body),
		cmocka_unit_test(answers_are_the_same_when_asked_again),
		cmocka_unit_test(locations_are_checked),
		cmocka_unit_test(libraries_are_told_by_their_folders),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
