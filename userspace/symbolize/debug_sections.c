// SPDX-License-Identifier: MIT
#include "symbolize/debug_sections.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

int debug_sections_check(const struct elf_file *file)
{
	Elf_Scn *section = NULL;
	uint64_t total = 0;
	bool has_info = false;
	const char *name;
	GElf_Shdr shdr;
	GElf_Chdr chdr;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return -ENOENT;
	while ((section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(file->elf, names, shdr.sh_name);
		/* The older way of compression does not say how large a section becomes. */
		if (name && !strncmp(name, ".zdebug_", 8))
			return -EFBIG;
		if (!name || (strncmp(name, ".debug_", 7) && strcmp(name, ".gnu_debugaltlink")))
			continue;
		has_info |= !strcmp(name, ".debug_info");
		if (shdr.sh_flags & SHF_COMPRESSED && gelf_getchdr(section, &chdr))
			shdr.sh_size = chdr.ch_size;
		if (__builtin_add_overflow(total, shdr.sh_size, &total) ||
		    total > DEBUG_SECTIONS_MAX)
			return -EFBIG;
	}
	return has_info ? 0 : -ENOENT;
}

void debug_strings_find(const struct elf_file *file, struct debug_strings *strings)
{
	static const char *const names[] = {
		".debug_info",
		".debug_str",
		".debug_line_str",
		".debug_types",
	};

	strings->n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!elf_file_section(file, names[i], SHT_NULL, DEBUG_SECTIONS_MAX,
				      &strings->sections[strings->n]))
			strings->n++;
	}
}

bool debug_strings_hold(const struct debug_strings *strings, const char *string)
{
	for (size_t i = 0; i < strings->n; i++) {
		uintptr_t offset = (uintptr_t)string - (uintptr_t)strings->sections[i].bytes;

		if (offset < strings->sections[i].size)
			return memchr(string, 0, strings->sections[i].size - offset);
	}
	return false;
}
