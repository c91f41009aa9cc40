// SPDX-License-Identifier: MIT
#include "symbolize/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/debug_file.h"
#include "symbolize/debug_sections.h"
#include "symbolize/elf_file.h"
#include "symbolize/line_program.h"
#include "symbolize/ranges.h"
#include "util/clock.h"

#define LINES_MAX (32u << 20) /* bytes of line programs run: libdw needs some 50 times that */
#define RANGES_MAX (4u << 20) /* address ranges of all units, and of the functions of one */
#define WALK_DEPTH_MAX 64     /* namespaces and types around a function */
#define TIME_MAX (10 * NSEC_PER_SEC) /* spent on one file, all look-ups together */
#define ORIGINS_MAX 4                /* DIEs that one refers to in turn */
#define STEPS_BETWEEN_CLOCK_READS 16

struct unit {
	Dwarf_Die die;
	bool has_functions;      /* were read */
	struct ranges functions; /* to DIE offsets */
	bool has_lines;          /* may be asked for */
	bool lines_checked;
};

struct debug_info {
	const struct elf_file *file;
	struct elf_file *alt_file;
	Dwarf *dwarf;
	Dwarf *alt;
	struct debug_strings strings, alt_strings;
	struct unit *units;
	size_t nunits;
	struct ranges ranges; /* to indices of units */
	uint64_t lines_read;  /* bytes of line programs */
	uint64_t time_used;   /* ns, by look-ups before this one */
	uint64_t started;     /* this one, CLOCK_MONOTONIC */
	unsigned int steps;
	bool given_up;
};

/* Counts one DIE looked at. False: this file has taken too long, now and for ever. */
static bool may_go_on(struct debug_info *info)
{
	if (++info->steps % STEPS_BETWEEN_CLOCK_READS)
		return !info->given_up;
	if (info->time_used + clock_monotonic_ns() - info->started > TIME_MAX)
		info->given_up = true;
	return !info->given_up;
}

/* Adds the addresses of a DIE. Linkers leave those of functions that they dropped at 0 or 1. */
static int add_ranges(struct debug_info *info, struct ranges *ranges, Dwarf_Die *die,
		      uint64_t value)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t offset = 0;
	int err = 0;

	while (!err && ranges->n < RANGES_MAX && may_go_on(info) &&
	       (offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0) {
		if (low > 1)
			err = ranges_add(ranges, low, high, value);
	}
	return err;
}

/*
 * Moves on from a DIE to its first child (`down`) or its next sibling. False: there is none, or it
 * is not further on in the file: then references lead in a circle.
 */
static bool step(Dwarf_Die *from, Dwarf_Die *to, bool down, Dwarf_Off *furthest)
{
	Dwarf_Off offset;

	if (down ? dwarf_child(from, to) : dwarf_siblingof(from, to))
		return false;
	offset = dwarf_dieoffset(to);
	if (offset == (Dwarf_Off)-1 || offset <= *furthest)
		return false;
	*furthest = offset;
	return true;
}

/* Whether functions of a program may be defined inside of such a thing. */
static bool may_hold_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_interface_type || tag == DW_TAG_enumeration_type;
}

static int read_functions(struct debug_info *info, struct unit *unit)
{
	Dwarf_Off furthest = dwarf_dieoffset(&unit->die);
	Dwarf_Die path[WALK_DEPTH_MAX] = {unit->die};
	int depth = 0, err = 0;
	bool more = step(&path[0], &path[0], true, &furthest);

	while (more && !err && may_go_on(info)) {
		int tag = dwarf_tag(&path[depth]);

		if (tag == DW_TAG_subprogram)
			err = add_ranges(info, &unit->functions, &path[depth],
					 dwarf_dieoffset(&path[depth]));
		if (may_hold_functions(tag) && depth + 1 < WALK_DEPTH_MAX &&
		    step(&path[depth], &path[depth + 1], true, &furthest)) {
			depth++;
			continue;
		}
		while (!(more = step(&path[depth], &path[depth], false, &furthest)) && depth > 0)
			depth--;
	}
	ranges_sort(&unit->functions);
	return err;
}

static int add_unit(struct debug_info *info, Dwarf_Die *die, size_t *capacity)
{
	struct unit *units;
	size_t room;

	if (info->nunits == *capacity) {
		room = *capacity ? 2 * *capacity : 64;
		units = reallocarray(info->units, room, sizeof(*units));
		if (!units)
			return -ENOMEM;
		info->units = units;
		*capacity = room;
	}
	info->units[info->nunits] = (struct unit){.die = *die};
	return add_ranges(info, &info->ranges, die, info->nunits++);
}

static int read_units(struct debug_info *info)
{
	size_t capacity = 0;
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die;
	int err = 0;

	while (!err && may_go_on(info) &&
	       !dwarf_get_units(info->dwarf, cu, &cu, NULL, &type, &die, NULL)) {
		if (type == DW_UT_compile)
			err = add_unit(info, &die, &capacity);
	}
	ranges_sort(&info->ranges);
	return err;
}

/* Where DIEs refer to a file shared by several, that one is needed, or nothing is right. */
static int open_alt(struct debug_info *info)
{
	const char *name;
	const void *build_id;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(info->dwarf, &name, &build_id);
	int err;

	if (!n)
		return 0;
	if (n < 0)
		return -ENOENT;
	err = debug_file_find_alt(info->file, name, build_id, n, &info->alt_file);
	if (!err)
		err = debug_sections_check(info->alt_file);
	if (err)
		return err;
	info->alt = dwarf_begin_elf(info->alt_file->elf, DWARF_C_READ, NULL);
	if (!info->alt)
		return -ENOENT;
	dwarf_setalt(info->dwarf, info->alt);
	debug_strings_find(info->alt_file, &info->alt_strings);
	return 0;
}

int debug_info_new(const struct elf_file *file, struct debug_info **out)
{
	struct debug_info *info;
	int err;

	*out = NULL;
	err = debug_sections_check(file);
	if (err)
		return err;
	info = calloc(1, sizeof(*info));
	if (!info)
		return -ENOMEM;
	info->file = file;
	info->started = clock_monotonic_ns();
	info->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	err = info->dwarf ? open_alt(info) : -ENOENT;
	if (!err) {
		debug_strings_find(file, &info->strings);
		err = read_units(info);
	}
	if (err) {
		debug_info_free(info);
		return err;
	}
	info->time_used = clock_monotonic_ns() - info->started;
	*out = info;
	return 0;
}

void debug_info_free(struct debug_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->nunits; i++)
		ranges_release(&info->units[i].functions);
	free(info->units);
	ranges_release(&info->ranges);
	dwarf_end(info->dwarf);
	dwarf_end(info->alt);
	elf_file_close(info->alt_file);
	free(info);
}

static const char *string_of(const struct debug_info *info, Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	const char *string = NULL;

	if (dwarf_attr_integrate(die, name, &attr))
		string = dwarf_formstring(&attr);
	if (string && (debug_strings_hold(&info->strings, string) ||
		       debug_strings_hold(&info->alt_strings, string)))
		return string;
	return NULL;
}

/* Length of a unit's line program; 0: it has none that may be run. */
static uint64_t line_program_length(const struct debug_info *info, struct unit *unit)
{
	struct elf_section section;
	Dwarf_Word offset;
	Dwarf_Attribute attr;

	/* libdw takes the length of the directory's name also where there is none. */
	if (!dwarf_attr(&unit->die, DW_AT_stmt_list, &attr) || dwarf_formudata(&attr, &offset) ||
	    !string_of(info, &unit->die, DW_AT_comp_dir))
		return 0;
	/* libdw has uncompressed the section in place. */
	if (elf_file_section(info->file, ".debug_line", SHT_NULL, DEBUG_SECTIONS_MAX, &section))
		return 0;
	return line_program_check(section.bytes, section.size, offset);
}

/* Whether the lines of a unit are, or may still be, read. */
static bool may_read_lines(struct debug_info *info, struct unit *unit)
{
	uint64_t length;

	if (!unit->lines_checked) {
		unit->lines_checked = true;
		length = line_program_length(info, unit);
		unit->has_lines = length && length <= LINES_MAX - info->lines_read;
		if (unit->has_lines)
			info->lines_read += length;
	}
	return unit->has_lines;
}

/* The source of the instruction itself. */
static void find_line(struct debug_info *info, struct unit *unit, uint64_t vaddr,
		      struct debug_frame *frame)
{
	Dwarf_Line *line;
	int number;

	if (!may_read_lines(info, unit))
		return;
	line = dwarf_getsrc_die(&unit->die, vaddr);
	if (!line || dwarf_lineno(line, &number) || number < 0)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	frame->line = frame->file ? number : 0;
}

/* Where an inlined function was called. */
static void find_call(struct debug_info *info, struct unit *unit, Dwarf_Die *inlined,
		      struct debug_frame *caller)
{
	Dwarf_Word file, line;
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	size_t n;

	if (!dwarf_attr(inlined, DW_AT_call_file, &attr) || dwarf_formudata(&attr, &file) ||
	    !may_read_lines(info, unit) || dwarf_getsrcfiles(&unit->die, &files, &n) || file >= n)
		return;
	caller->file = dwarf_filesrc(files, file, NULL, NULL);
	if (caller->file && dwarf_attr(inlined, DW_AT_call_line, &attr) &&
	    !dwarf_formudata(&attr, &line) && line <= UINT32_MAX)
		caller->line = line;
}

static const char *function_name(const struct debug_info *info, Dwarf_Die *die)
{
	const char *name = string_of(info, die, DW_AT_linkage_name);

	if (!name)
		name = string_of(info, die, DW_AT_MIPS_linkage_name);
	return name ? name : string_of(info, die, DW_AT_name);
}

/*
 * The inlined functions at an address below `die`, outermost first, into chain[0..]. Returns how
 * many. Blocks have addresses too, and are looked into but not listed.
 */
static size_t find_inlined(struct debug_info *info, Dwarf_Die *die, uint64_t vaddr,
			   Dwarf_Die chain[], size_t max)
{
	Dwarf_Off furthest = dwarf_dieoffset(die);
	Dwarf_Die at;
	size_t n = 0;
	bool more = step(die, &at, true, &furthest);

	while (more && n < max && may_go_on(info)) {
		int tag = dwarf_tag(&at);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&at, vaddr) == 1) {
			if (tag == DW_TAG_inlined_subroutine)
				chain[n++] = at;
			more = step(&at, &at, true, &furthest);
		} else {
			more = step(&at, &at, false, &furthest);
		}
	}
	return n;
}

/* The function at an address. NULL: none is known. */
static Dwarf_Die *find_function(struct debug_info *info, struct unit *unit, uint64_t vaddr,
				Dwarf_Die *die)
{
	uint64_t offset;

	if (!unit->has_functions && read_functions(info, unit))
		info->given_up = true;
	unit->has_functions = true;
	if (!ranges_find(&unit->functions, vaddr, &offset))
		return NULL;
	return dwarf_offdie(info->dwarf, offset, die);
}

static size_t lookup(struct debug_info *info, uint64_t vaddr, struct debug_frame *frames)
{
	Dwarf_Die chain[DEBUG_FRAMES_MAX];
	struct unit *unit;
	uint64_t value;
	size_t n;

	if (!ranges_find(&info->ranges, vaddr, &value))
		return 0;
	unit = &info->units[value];
	find_line(info, unit, vaddr, &frames[0]);
	if (!find_function(info, unit, vaddr, &chain[0]))
		return 0;
	n = 1 + find_inlined(info, &chain[0], vaddr, chain + 1, DEBUG_FRAMES_MAX - 1);
	for (size_t i = 0; i < n; i++) {
		frames[n - 1 - i].function = function_name(info, &chain[i]);
		if (i + 1 < n)
			find_call(info, unit, &chain[i + 1], &frames[n - 1 - i]);
	}
	return info->given_up ? 0 : n;
}

size_t debug_info_lookup(struct debug_info *info, uint64_t vaddr,
			 struct debug_frame frames[DEBUG_FRAMES_MAX])
{
	size_t n;

	frames[0] = (struct debug_frame){0};
	if (info->given_up)
		return 0;
	memset(frames, 0, DEBUG_FRAMES_MAX * sizeof(*frames));
	info->started = clock_monotonic_ns();
	n = lookup(info, vaddr, frames);
	info->time_used += clock_monotonic_ns() - info->started;
	return n;
}

const char *debug_info_name(struct debug_info *info, uint64_t vaddr)
{
	const char *name = NULL;
	uint64_t unit;
	Dwarf_Die die;

	if (info->given_up || !ranges_find(&info->ranges, vaddr, &unit))
		return NULL;
	info->started = clock_monotonic_ns();
	if (find_function(info, &info->units[unit], vaddr, &die))
		name = string_of(info, &die, DW_AT_name);
	info->time_used += clock_monotonic_ns() - info->started;
	return info->given_up ? NULL : name;
}

/* The unit that a DIE is in. NULL: none of ours. */
static struct unit *unit_of(struct debug_info *info, Dwarf_Die *die)
{
	size_t low = 0, high = info->nunits;
	Dwarf_Off offset;
	Dwarf_Die cu;

	if (!dwarf_diecu(die, &cu, NULL, NULL))
		return NULL;
	offset = dwarf_dieoffset(&cu);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dwarf_dieoffset(&info->units[middle].die) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < info->nunits && dwarf_dieoffset(&info->units[low].die) == offset
		       ? &info->units[low]
		       : NULL;
}

/*
 * Where a function is declared, which the DIE that its copies originate from says. Units whose
 * lines may be read have a folder.
 */
static bool find_declaration(struct debug_info *info, Dwarf_Die *die,
			     struct debug_declaration *declared)
{
	Dwarf_Word file, line;
	Dwarf_Die origin = *die;
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	struct unit *unit;
	size_t n;

	for (int i = 0; i < ORIGINS_MAX && !dwarf_hasattr(&origin, DW_AT_decl_file); i++)
		if ((!dwarf_attr(&origin, DW_AT_abstract_origin, &attr) &&
		     !dwarf_attr(&origin, DW_AT_specification, &attr)) ||
		    !dwarf_formref_die(&attr, &origin))
			return false;
	unit = unit_of(info, &origin);
	if (!unit || !may_read_lines(info, unit) || !dwarf_attr(&origin, DW_AT_decl_file, &attr) ||
	    dwarf_formudata(&attr, &file) || !dwarf_attr(&origin, DW_AT_decl_line, &attr) ||
	    dwarf_formudata(&attr, &line) || dwarf_getsrcfiles(&unit->die, &files, &n) ||
	    file >= n || line > UINT32_MAX)
		return false;
	declared->folder = string_of(info, &unit->die, DW_AT_comp_dir);
	declared->file = dwarf_filesrc(files, file, NULL, NULL);
	declared->line = line;
	return declared->file && strcmp(declared->file, "???");
}

/* The first DIE of a function, or of one inlined in it, that is wanted. */
static bool find_wanted(struct debug_info *info, Dwarf_Die *function,
			bool (*wanted)(void *context, const char *linkage_name), void *context,
			Dwarf_Die *found)
{
	Dwarf_Off furthest = dwarf_dieoffset(function);
	Dwarf_Die path[WALK_DEPTH_MAX] = {*function};
	bool more = true;
	int depth = 0;

	while (more && may_go_on(info)) {
		int tag = dwarf_tag(&path[depth]);
		bool is_function = !depth || tag == DW_TAG_inlined_subroutine;
		const char *name = NULL;

		if (is_function)
			name = string_of(info, &path[depth], DW_AT_linkage_name);
		if (name && wanted(context, name)) {
			*found = path[depth];
			return true;
		}
		if ((is_function || tag == DW_TAG_lexical_block) && depth + 1 < WALK_DEPTH_MAX &&
		    step(&path[depth], &path[depth + 1], true, &furthest)) {
			depth++;
			continue;
		}
		while (depth > 0 && !step(&path[depth], &path[depth], false, &furthest))
			depth--;
		more = depth > 0;
	}
	return false;
}

bool debug_info_declared(struct debug_info *info, uint64_t vaddr,
			 bool (*wanted)(void *context, const char *linkage_name), void *context,
			 struct debug_declaration *declared)
{
	Dwarf_Die function, found;
	bool known = false;
	uint64_t unit;

	*declared = (struct debug_declaration){0};
	if (info->given_up || !ranges_find(&info->ranges, vaddr, &unit))
		return false;
	info->started = clock_monotonic_ns();
	if (find_function(info, &info->units[unit], vaddr, &function) &&
	    find_wanted(info, &function, wanted, context, &found))
		known = find_declaration(info, &found, declared);
	info->time_used += clock_monotonic_ns() - info->started;
	return known && !info->given_up;
}
