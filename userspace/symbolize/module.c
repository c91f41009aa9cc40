// SPDX-License-Identifier: MIT
#include "symbolize/module.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/debug_file.h"
#include "symbolize/elf_file.h"
#include "symbolize/symtab.h"

struct module {
	const struct elf_file *file;
	struct elf_file *debug_file;
	bool loaded;
	struct debug_info *info;
	struct symtab *symtab;
	struct symtab *debug_symtab; /* a stripped file's own has exported names only */
};

struct module *module_new(const struct elf_file *file)
{
	struct module *module = calloc(1, sizeof(*module));

	if (module)
		module->file = file;
	return module;
}

bool module_vaddr(const struct module *module, uint64_t offset, uint64_t *vaddr)
{
	return elf_file_vaddr(module->file, offset, vaddr);
}

void module_free(struct module *module)
{
	if (!module)
		return;
	debug_info_free(module->info);
	symtab_free(module->debug_symtab);
	symtab_free(module->symtab);
	elf_file_close(module->debug_file);
	free(module);
}

/* What is missing or damaged is done without; only memory must not be. */
static int optional(int err)
{
	return err == -ENOMEM ? err : 0;
}

static int load(struct module *module)
{
	int err = symtab_new(module->file, &module->symtab);

	if (!err)
		err = optional(debug_info_new(module->file, &module->info));
	if (err || module->info)
		return err;
	err = optional(debug_file_find(module->file, &module->debug_file));
	if (err || !module->debug_file)
		return err;
	err = symtab_new(module->debug_file, &module->debug_symtab);
	if (!err)
		err = optional(debug_info_new(module->debug_file, &module->info));
	return err;
}

static int load_once(struct module *module)
{
	if (module->loaded)
		return 0;
	module->loaded = true;
	return load(module);
}

static const char *symbol_at(const struct module *module, uint64_t vaddr)
{
	const char *name = NULL;

	if (module->debug_symtab)
		name = symtab_function(module->debug_symtab, vaddr);
	if (!name && module->symtab)
		name = symtab_function(module->symtab, vaddr);
	return name;
}

/*
 * DWARF has the bare name of some C++ functions, those of internal linkage; their symbols, being
 * mangled, have it with the namespaces around it.
 */
static const char *better_name(const char *function, const char *symbol)
{
	bool has_scope = symbol && (!strncmp(symbol, "_Z", 2) || !strncmp(symbol, "_R", 2));
	bool needs_scope = function && strncmp(function, "_Z", 2) && strncmp(function, "_R", 2);

	return !function || (needs_scope && has_scope) ? symbol : function;
}

int module_lookup(struct module *module, uint64_t offset,
		  struct debug_frame frames[DEBUG_FRAMES_MAX])
{
	uint64_t vaddr = 0;
	size_t n = 0;
	int err;

	if (!elf_file_vaddr(module->file, offset, &vaddr))
		return 0;
	err = load_once(module);
	if (err)
		return err;
	frames[0] = (struct debug_frame){0};
	if (module->info)
		n = debug_info_lookup(module->info, vaddr, frames);
	n = n ? n : 1;
	frames[n - 1].function = better_name(frames[n - 1].function, symbol_at(module, vaddr));
	return n > 1 || frames[0].function ? (int)n : 0;
}

int module_symbols(struct module *module, uint64_t vaddr, struct module_symbols *symbols)
{
	int err = load_once(module);

	symbols->n = 0;
	if (!err && module->debug_symtab)
		symbols->n = symtab_names(module->debug_symtab, vaddr, symbols->names,
					  MODULE_ALIASES_MAX);
	if (!err && module->symtab && !symbols->n)
		symbols->n =
			symtab_names(module->symtab, vaddr, symbols->names, MODULE_ALIASES_MAX);
	return err;
}

int module_name(struct module *module, uint64_t vaddr, const char **name)
{
	int err = load_once(module);

	*name = !err && module->info ? debug_info_name(module->info, vaddr) : NULL;
	return err;
}

int module_declared(struct module *module, uint64_t vaddr,
		    bool (*wanted)(void *context, const char *name), void *context,
		    struct debug_declaration *declared)
{
	int err = load_once(module);

	if (err)
		return err;
	return module->info && debug_info_declared(module->info, vaddr, wanted, context, declared)
		       ? 0
		       : -ENOENT;
}
