// SPDX-License-Identifier: MIT
#include "symbolize/symtab.h"

#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/elf_file.h"

#define SECTION_MAX (512u << 20) /* bytes of symbols, and of their names */
#define SYMBOLS_MAX (16u << 20)
#define ALIASES_MAX 64 /* symbols looked at before an address, for one that reaches over it */

struct symbol {
	uint64_t address, size;
	const char *name; /* in libelf's copy of the string table */
	uint8_t type, binding;
};

struct symbols {
	struct symbol *list;
	size_t n, capacity;
};

struct symtab {
	struct symbols functions; /* by address, of the same address the best name first */
	struct symbols named;     /* by name: functions and objects; sorted when first needed */
	bool sorted;
};

static int symbols_append(struct symbols *symbols, const struct symbol *symbol)
{
	struct symbol *list;
	size_t room;

	if (symbols->n == symbols->capacity) {
		room = symbols->capacity ? 2 * symbols->capacity : 256;
		list = reallocarray(symbols->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		symbols->list = list;
		symbols->capacity = room;
	}
	symbols->list[symbols->n++] = *symbol;
	return 0;
}

/* Name of a symbol where it is one and terminated, else NULL. */
static const char *symbol_name(const Elf_Data *strings, size_t offset)
{
	const char *name;

	if (offset >= strings->d_size)
		return NULL;
	name = (const char *)strings->d_buf + offset;
	return *name && memchr(name, 0, strings->d_size - offset) ? name : NULL;
}

static int add_symbol(struct symtab *symtab, const GElf_Sym *sym, const char *name)
{
	struct symbol symbol = {
		.address = sym->st_value,
		.size = sym->st_size,
		.name = name,
		.type = GELF_ST_TYPE(sym->st_info),
		.binding = GELF_ST_BIND(sym->st_info),
	};
	int err = 0;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS)
		return 0;
	if (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC)
		err = symbols_append(&symtab->functions, &symbol);
	if (!err &&
	    (symbol.type == STT_FUNC || symbol.type == STT_OBJECT || symbol.type == STT_NOTYPE))
		err = symbols_append(&symtab->named, &symbol);
	return err;
}

static int read_section(struct symtab *symtab, Elf *elf, Elf_Scn *section, const GElf_Shdr *shdr)
{
	Elf_Scn *names = elf_getscn(elf, shdr->sh_link);
	Elf_Data *symbols, *strings;
	GElf_Shdr names_shdr;
	size_t n;
	int err = 0;

	if (!gelf_getshdr(names, &names_shdr) || names_shdr.sh_size > SECTION_MAX)
		return 0;
	symbols = elf_getdata(section, NULL);
	strings = elf_getdata(names, NULL);
	if (!symbols || !strings || !symbols->d_buf || !strings->d_buf)
		return 0;
	n = symbols->d_size / sizeof(Elf64_Sym);
	if (n > SYMBOLS_MAX)
		n = SYMBOLS_MAX;
	for (size_t i = 0; !err && i < n; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(symbols, i, &sym))
			break;
		name = symbol_name(strings, sym.st_name);
		if (name)
			err = add_symbol(symtab, &sym, name);
	}
	return err;
}

static int read_tables(struct symtab *symtab, const struct elf_file *file, uint32_t type)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;

	while ((section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &shdr) || shdr.sh_type != type)
			continue;
		if (shdr.sh_size > SECTION_MAX || shdr.sh_flags & SHF_COMPRESSED)
			continue;
		return read_section(symtab, file->elf, section, &shdr);
	}
	return 0;
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

static int compare_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	bool x_sized = x->size, y_sized = y->size;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x_sized != y_sized)
		return y_sized - x_sized;
	if ((x->binding == STB_LOCAL) != (y->binding == STB_LOCAL))
		return x->binding == STB_LOCAL ? 1 : -1;
	if (underscores(x->name) != underscores(y->name))
		return underscores(x->name) < underscores(y->name) ? -1 : 1;
	if (x->binding != y->binding)
		return x->binding == STB_GLOBAL ? -1 : y->binding == STB_GLOBAL ? 1 : 0;
	return strcmp(x->name, y->name);
}

static int compare_name(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if (x->binding != y->binding)
		return x->binding == STB_LOCAL ? 1 : y->binding == STB_LOCAL ? -1 : 0;
	return x->address < y->address ? -1 : x->address > y->address;
}

int symtab_new(const struct elf_file *file, struct symtab **out)
{
	struct symtab *symtab = calloc(1, sizeof(*symtab));
	int err;

	*out = NULL;
	if (!symtab)
		return -ENOMEM;
	err = read_tables(symtab, file, SHT_SYMTAB);
	if (!err && !symtab->named.n)
		err = read_tables(symtab, file, SHT_DYNSYM);
	if (err) {
		symtab_free(symtab);
		return err;
	}
	if (symtab->functions.n)
		qsort(symtab->functions.list, symtab->functions.n, sizeof(struct symbol),
		      compare_address);
	*out = symtab;
	return 0;
}

void symtab_free(struct symtab *symtab)
{
	if (!symtab)
		return;
	free(symtab->functions.list);
	free(symtab->named.list);
	free(symtab);
}

/* Number of functions that start at or before an address. */
static size_t functions_before(const struct symbols *functions, uint64_t address)
{
	size_t low = 0, high = functions->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symtab_function(const struct symtab *symtab, uint64_t vaddr)
{
	size_t after = functions_before(&symtab->functions, vaddr);
	const struct symbol *best = NULL;

	for (size_t i = after; i-- > 0 && after - i <= ALIASES_MAX;) {
		const struct symbol *symbol = &symtab->functions.list[i];

		/* The best of the same address comes first: go on to it, but not past it. */
		if (best && symbol->address != best->address)
			break;
		/* One without a size, of assembly, reaches to the next symbol. */
		if (symbol->size ? vaddr - symbol->address < symbol->size
				 : symbol->address == symtab->functions.list[after - 1].address)
			best = symbol;
	}
	return best ? best->name : NULL;
}

size_t symtab_names(const struct symtab *symtab, uint64_t vaddr, const char *names[], size_t max)
{
	size_t n = 0;

	for (size_t i = functions_before(&symtab->functions, vaddr); i-- > 0 && n < max;) {
		if (symtab->functions.list[i].address != vaddr)
			break;
		names[n++] = symtab->functions.list[i].name;
	}
	return n;
}

int symtab_address(struct symtab *symtab, const char *name, uint64_t *vaddr)
{
	const struct symbol *list;
	size_t low = 0, high = symtab->named.n;

	if (!symtab->sorted && high)
		qsort(symtab->named.list, high, sizeof(struct symbol), compare_name);
	symtab->sorted = true;
	list = symtab->named.list;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == symtab->named.n || strcmp(list[low].name, name))
		return -ENOENT;
	for (size_t i = low + 1; list[low].binding == STB_LOCAL && i < symtab->named.n; i++) {
		if (strcmp(list[i].name, name))
			break;
		if (list[i].address != list[low].address)
			return -ENOTUNIQ;
	}
	*vaddr = list[low].address;
	return 0;
}
