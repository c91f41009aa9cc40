/* SPDX-License-Identifier: MIT */
/*
 * Hand-made ELF files with the parts in which Tokio is looked for, in memory: read-only data, code,
 * and data with pointers, each at an address that is its offset in the file (plus BASE where the
 * file has a fixed address).
 */
#ifndef POLLSCOPE_TESTS_TOKIO_FILE_H
#define POLLSCOPE_TESTS_TOKIO_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolize/elf_file.h"
#include "tokio/code.h"
#include "tokio/image.h"

#define FILE_RELOCATIONS 0x200 /* offsets of the parts */
#define FILE_UNWIND 0x800
#define FILE_TEXT 0xb00 /* read-only data */
#define FILE_CODE 0x1000
#define FILE_DATA 0x2000
#define FILE_DYNAMIC 0x3000
#define FILE_SIZE 0x3100
#define FILE_FUNCTIONS 30

/* How its pointers are written. */
enum file_form {
	FORM_RELA,
	FORM_RELR,
	FORM_FIXED, /* it cannot be moved: as they are */
};

struct tokio_file {
	enum file_form form;
	uint64_t base;
	uint8_t bytes[FILE_SIZE];
	size_t nrelocations;
	size_t nfunctions;
	struct elf_file *file; /* from file_open() */
	struct image *image;
	struct code *code;
};

static inline void file_put(struct tokio_file *f, uint64_t offset, const void *bytes, size_t size)
{
	assert_true(offset + size <= FILE_SIZE);
	memcpy(f->bytes + offset, bytes, size);
}

static inline void file_word(struct tokio_file *f, uint64_t offset, uint64_t word)
{
	file_put(f, offset, &word, sizeof(word));
}

static inline void file_segment(struct tokio_file *f, size_t i, uint32_t type, uint32_t flags,
				uint64_t start, uint64_t end)
{
	const Elf64_Phdr phdr = {
		.p_type = type,
		.p_flags = flags,
		.p_offset = start,
		.p_vaddr = start + f->base,
		.p_filesz = end - start,
		.p_memsz = end - start,
		.p_align = 8,
	};

	file_put(f, sizeof(Elf64_Ehdr) + i * sizeof(phdr), &phdr, sizeof(phdr));
}

static inline void file_init(struct tokio_file *f, enum file_form form)
{
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = form == FORM_FIXED ? ET_EXEC : ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 5,
		.e_shentsize = sizeof(Elf64_Shdr),
	};

	*f = (struct tokio_file){.form = form, .base = form == FORM_FIXED ? 0x400000 : 0};
	file_put(f, 0, &header, sizeof(header));
	file_segment(f, 0, PT_LOAD, PF_R, 0, FILE_CODE);
	file_segment(f, 1, PT_LOAD, PF_R | PF_X, FILE_CODE, FILE_DATA);
	file_segment(f, 2, PT_LOAD, PF_R | PF_W, FILE_DATA, FILE_SIZE);
	file_segment(f, 3, PT_DYNAMIC, PF_R | PF_W, FILE_DYNAMIC, FILE_SIZE);
	file_segment(f, 4, PT_GNU_EH_FRAME, PF_R, FILE_UNWIND, FILE_TEXT);
	memset(f->bytes + FILE_CODE, 0xcc, FILE_DATA - FILE_CODE);
}

static inline void file_relocation(struct tokio_file *f, uint64_t offset, uint64_t info,
				   uint64_t addend)
{
	const Elf64_Rela rela = {.r_offset = offset + f->base, .r_info = info, .r_addend = addend};

	file_put(f, FILE_RELOCATIONS + f->nrelocations++ * sizeof(rela), &rela, sizeof(rela));
}

/* A pointer to what is at the offset `target`. */
static inline void file_pointer(struct tokio_file *f, uint64_t offset, uint64_t target)
{
	if (f->form == FORM_RELA) {
		file_relocation(f, offset, R_X86_64_RELATIVE, target);
		return;
	}
	file_word(f, offset, target + f->base);
	if (f->form == FORM_RELR)
		file_word(f, FILE_RELOCATIONS + f->nrelocations++ * sizeof(uint64_t), offset);
}

static inline void file_text(struct tokio_file *f, uint64_t offset, const char *text)
{
	file_put(f, offset, text, strlen(text));
}

/* A core::panic::Location. */
static inline void file_location(struct tokio_file *f, uint64_t offset, uint64_t name,
				 const char *text, uint32_t line)
{
	file_text(f, name, text);
	file_pointer(f, offset, name);
	file_word(f, offset + 8, strlen(text));
	file_word(f, offset + 16, (uint64_t)1 << 32 | line); /* and its first column */
}

/* Has the unwinder's table know a function: the next in the order of addresses. */
static inline void file_function(struct tokio_file *f, uint64_t start, uint64_t size)
{
	/* length, id, version, "zR", alignments, return register, augmentation: pcrel sdata4 */
	static const uint8_t common[] = {16,  0, 0, 0,    0,  0, 0,    0, 1, 'z',
					 'R', 0, 1, 0x78, 16, 1, 0x1b, 0, 0, 0};
	static const uint8_t header[] = {1, 0x1b, 0x03, 0x3b};
	const uint64_t descriptions = FILE_UNWIND + 12 + FILE_FUNCTIONS * 8 + sizeof(common);
	uint64_t description = descriptions + f->nfunctions * 16;
	uint64_t entry = FILE_UNWIND + 12 + f->nfunctions * 8;
	uint32_t fields[4] = {12, description + 4 - (descriptions - sizeof(common)),
			      start - (description + 8), size};
	int32_t pair[2] = {start - FILE_UNWIND, description - FILE_UNWIND};
	uint32_t n = ++f->nfunctions;

	assert_true(n <= FILE_FUNCTIONS);
	file_put(f, FILE_UNWIND, header, sizeof(header));
	file_put(f, FILE_UNWIND + 8, &n, sizeof(n));
	file_put(f, descriptions - sizeof(common), common, sizeof(common));
	file_put(f, entry, pair, sizeof(pair));
	file_put(f, description, fields, sizeof(fields));
}

/* Code of a function: bytes, then a relative operand to `target` of four bytes (0: none). */
static inline uint64_t file_code(struct tokio_file *f, uint64_t at, const char *bytes, size_t size,
				 uint64_t target)
{
	int32_t relative = target - (at + size + 4);

	file_put(f, at, bytes, size);
	if (!target)
		return at + size;
	file_put(f, at + size, &relative, sizeof(relative));
	return at + size + 4;
}

#define FILE_CALL(f, at, target) file_code(f, at, "\xe8", 1, target)
#define FILE_JMP(f, at, target) file_code(f, at, "\xe9", 1, target)
#define FILE_LEA(f, at, target) file_code(f, at, "\x48\x8d\x05", 3, target)  /* lea x(%rip),%rax */
#define FILE_LOAD(f, at, target) file_code(f, at, "\x48\x8b\x05", 3, target) /* mov x(%rip),%rax */
#define FILE_RET(f, at) file_code(f, at, "\xc3", 1, 0)

/* A task vtable as it is since 1.23. */
static inline void file_vtable(struct tokio_file *f, uint64_t at, const uint64_t function[7],
			       uint64_t trailer, uint64_t scheduler, uint64_t id)
{
	for (size_t i = 0; i < 7; i++)
		file_pointer(f, at + 8 * i, function[i]);
	file_word(f, at + 56, trailer);
	file_word(f, at + 64, scheduler);
	file_word(f, at + 72, id);
}

static inline void file_dynamic(struct tokio_file *f)
{
	const Elf64_Dyn rela[] = {
		{DT_RELA, {FILE_RELOCATIONS}},
		{DT_RELASZ, {f->nrelocations * sizeof(Elf64_Rela)}},
		{DT_SYMTAB, {FILE_TEXT}},
		{DT_NULL, {0}},
	};
	const Elf64_Dyn relr[] = {
		{DT_RELR, {FILE_RELOCATIONS}},
		{DT_RELRSZ, {f->nrelocations * sizeof(uint64_t)}},
		{DT_NULL, {0}},
	};

	if (f->form == FORM_RELA)
		file_put(f, FILE_DYNAMIC, rela, sizeof(rela));
	else if (f->form == FORM_RELR)
		file_put(f, FILE_DYNAMIC, relr, sizeof(relr));
}

/* The first `size` bytes of it as a file. */
static inline int file_open_bytes(struct tokio_file *f, size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->bytes, size), size);
	return elf_file_from_fd(fd, "file", &f->file);
}

/* Its image, as far as the relocations are sound. */
static inline int file_image(struct tokio_file *f)
{
	file_dynamic(f);
	assert_int_equal(file_open_bytes(f, FILE_SIZE), 0);
	return image_new(f->file, &f->image);
}

static inline void file_open(struct tokio_file *f)
{
	assert_int_equal(file_image(f), 0);
	assert_int_equal(code_new(f->image, &f->code), 0);
}

static inline void file_close(struct tokio_file *f)
{
	code_free(f->code);
	image_free(f->image);
	elf_file_close(f->file);
}

#endif
