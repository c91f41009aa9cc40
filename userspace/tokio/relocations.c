// SPDX-License-Identifier: MIT
#include "tokio/relocations.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "tokio/image.h"

#define WORD sizeof(uint64_t)
#define DYNAMIC_MAX 4096 /* entries that are looked at: programs have 30 */

/* What the dynamic section says of relocations: addresses and sizes in bytes. */
struct relocations {
	uint64_t rela, rela_size;
	uint64_t relr, relr_size;
	uint64_t symbols;
};

static void read_dynamic(const struct image *image, uint64_t vaddr, struct relocations *relocations)
{
	const uint8_t *bytes = NULL;
	size_t size = image_bytes(image, vaddr, &bytes);

	*relocations = (struct relocations){0};
	for (size_t i = 0; i < DYNAMIC_MAX && (i + 1) * sizeof(Elf64_Dyn) <= size; i++) {
		Elf64_Dyn entry;

		memcpy(&entry, bytes + i * sizeof(entry), sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_RELA)
			relocations->rela = entry.d_un.d_ptr;
		else if (entry.d_tag == DT_RELASZ)
			relocations->rela_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_RELR)
			relocations->relr = entry.d_un.d_ptr;
		else if (entry.d_tag == DT_RELRSZ)
			relocations->relr_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_SYMTAB)
			relocations->symbols = entry.d_un.d_ptr;
	}
}

/* Where a relocation by a symbol points to; 0: into another file. */
static uint64_t symbol_target(const struct image *image, uint64_t symbols, const Elf64_Rela *rela)
{
	uint64_t at = symbols + ELF64_R_SYM(rela->r_info) * sizeof(Elf64_Sym);
	const uint8_t *bytes;
	Elf64_Sym symbol;

	if (image_bytes(image, at, &bytes) < sizeof(symbol))
		return 0;
	memcpy(&symbol, bytes, sizeof(symbol));
	if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_TLS ||
	    ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
		return 0;
	return symbol.st_value +
	       (ELF64_R_TYPE(rela->r_info) == R_X86_64_64 ? (uint64_t)rela->r_addend : 0);
}

static int read_rela(const struct image *image, const struct relocations *relocations,
		     const struct relocations_sink *sink)
{
	const uint8_t *bytes = NULL;
	uint64_t target;
	Elf64_Rela rela;
	size_t size;

	size = image_bytes(image, relocations->rela, &bytes);
	if (relocations->rela_size > size)
		return -ENOEXEC;
	for (size_t n = relocations->rela_size / sizeof(rela); n; n--, bytes += sizeof(rela)) {
		memcpy(&rela, bytes, sizeof(rela));
		switch (ELF64_R_TYPE(rela.r_info)) {
		case R_X86_64_RELATIVE:
			target = rela.r_addend;
			break;
		case R_X86_64_64:
		case R_X86_64_GLOB_DAT:
			target = symbol_target(image, relocations->symbols, &rela);
			break;
		default:
			target = 0;
		}
		if (!sink->relocate(sink->context, rela.r_offset, &target))
			return -ENOMEM;
	}
	return 0;
}

/*
 * RELR: an even word is an address to relocate; an odd one says by its other 63 bits which of the
 * words behind that are (System V gABI, "Relative Relocation Table").
 */
static int read_relr(const struct image *image, const struct relocations *relocations,
		     uint64_t words, const struct relocations_sink *sink)
{
	uint64_t done = 0, vaddr = 0;
	const uint8_t *bytes = NULL;
	size_t size;

	size = image_bytes(image, relocations->relr, &bytes);
	if (relocations->relr_size > size)
		return -ENOEXEC;
	for (size_t n = relocations->relr_size / WORD; n; n--, bytes += WORD) {
		uint64_t entry, bits, at;

		memcpy(&entry, bytes, WORD);
		bits = entry & 1 ? entry >> 1 : 1;
		at = entry & 1 ? vaddr : entry;
		vaddr = at + (entry & 1 ? 63 : 1) * WORD;
		for (; bits; bits >>= 1, at += WORD) {
			/* No word is relocated twice. */
			if (bits & 1 && done++ == words)
				return -ENOEXEC;
			if (bits & 1 && !sink->relocate(sink->context, at, NULL))
				return -ENOMEM;
		}
	}
	return 0;
}

int relocations_read(const struct image *image, uint64_t dynamic, uint64_t words,
		     const struct relocations_sink *sink)
{
	struct relocations relocations;
	int err = 0;

	read_dynamic(image, dynamic, &relocations);
	if (relocations.rela_size)
		err = read_rela(image, &relocations, sink);
	if (!err && relocations.relr_size)
		err = read_relr(image, &relocations, words, sink);
	return err;
}
