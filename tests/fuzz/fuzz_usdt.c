// SPDX-License-Identifier: MIT
// links: attach tokio symbolize core util -lZydis -ldw -lelf -lzstd -liberty
/*
 * An ELF file's probes, their operands, and what contracts make of them. An input that is no ELF file is a
 * note's argument string. Seeds are a program with a probe of each form, and one with each contract's under
 * one provider, linked without libraries to be small.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/usdt.h"
#include "attach/usdt_contract.h"
#include "symbolize/elf_file.h"

static int find(void *context, const char *name, uint64_t *vaddr)
{
	(void)context;
	*vaddr = 0x1000;
	return name[0] == 'x';
}

static void check(const struct operand *operand)
{
	int size = abs(operand->size);

	if (operand->class == OPERAND_NONE)
		return;
	if (operand->class > OPERAND_MEMORY || operand->scale > 3 ||
	    (size != 1 && size != 2 && size != 4 && size != 8))
		abort();
	if (operand->base != OPERAND_NO_REG && operand->base > OPERAND_PC)
		abort();
	if (operand->index != OPERAND_NO_REG && operand->index > 30)
		abort();
}

static void parse_text(const uint8_t *data, size_t size)
{
	const struct operand_scope scope = {
		.machine = size & 2 ? EM_AARCH64 : EM_X86_64,
		.location = 0x400000,
		.fixed_address = size & 1,
		.symbol = find,
	};
	struct operand operands[OPERAND_ARGS_MAX];
	char *text = malloc(size + 1);
	size_t n;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	n = operand_parse_all(text, &scope, operands, OPERAND_ARGS_MAX);
	for (size_t i = 0; i < n; i++)
		check(&operands[i]);
	free(text);
}

static void scan_contracts(const struct elf_file *file, const char *provider)
{
	static const char *const runtimes[] = {"pollrt", "tokio"};

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		struct probe_plan plan;

		if (!usdt_contract_scan(file, provider, runtimes[i], &plan))
			for (size_t j = 0; j < plan.npoints; j++)
				check(&plan.points[j].site.arg[0]);
		probe_plan_release(&plan);
	}
}

static void read_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct operand operands[OPERAND_ARGS_MAX];
	struct usdt_notes notes;
	struct elf_file *file;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (elf_file_from_fd(fd, "fuzz", &file))
		return;
	if (!usdt_read(file, &notes)) {
		for (size_t i = 0; i < notes.n; i++) {
			size_t n =
				usdt_operands(&notes, &notes.notes[i], operands, OPERAND_ARGS_MAX);

			if (notes.notes[i].offset >= size ||
			    notes.notes[i].semaphore_offset >= size)
				abort();
			usdt_name_is(notes.notes[i].name, notes.notes[i].provider);
			while (n)
				check(&operands[--n]);
		}
		if (notes.n)
			scan_contracts(file, notes.notes[0].provider);
		usdt_release(&notes);
	}
	elf_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG))
		read_file(data, size);
	else
		parse_text(data, size);
	return 0;
}
