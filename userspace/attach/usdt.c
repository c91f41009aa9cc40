// SPDX-License-Identifier: MIT
/*
 * A note of type 3 and owner "stapsdt" describes one probe: three addresses (the probe; the section
 * .stapsdt.base as it was linked; the semaphore or 0) and three strings (provider, name,
 * arguments). Notes are not relocated when a file is prelinked, .stapsdt.base is: the difference
 * moves the other two. See the SystemTap wiki, UserSpaceProbeImplementation.
 */
#include "attach/usdt.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/elf_file.h"
#include "symbolize/symtab.h"
#include "util/native.h"

#define NOTE_OWNER "stapsdt"
#define NOTE_TYPE 3
#define SECTION_MAX (64u << 20) /* bytes of notes: 1 KiB for each of USDT_NOTES_MAX */

/* The section, as far as it has been read. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool has_base;
	uint64_t base; /* where .stapsdt.base is now */
};

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Takes the next note of any type from the section. False: the rest is damaged. */
static bool next_note(struct reader *reader, Elf64_Nhdr *header, const uint8_t **owner,
		      const uint8_t **description)
{
	size_t owner_size, size;

	if (reader->left < sizeof(*header))
		return false;
	memcpy(header, reader->at, sizeof(*header));
	owner_size = align4(header->n_namesz);
	size = sizeof(*header) + owner_size + align4(header->n_descsz);
	if (size > reader->left) {
		/* The padding of the last one may be missing. */
		if (sizeof(*header) + owner_size + header->n_descsz > reader->left)
			return false;
		size = reader->left;
	}
	*owner = reader->at + sizeof(*header);
	*description = *owner + owner_size;
	reader->at += size;
	reader->left -= size;
	return true;
}

/* Takes a string from a note's description; NULL if it does not end there. */
static const char *next_string(const uint8_t **at, size_t *left)
{
	const char *string = (const char *)*at;
	const uint8_t *end = *left ? memchr(*at, 0, *left) : NULL;

	if (!end)
		return NULL;
	*left -= end + 1 - *at;
	*at = end + 1;
	return string;
}

static bool is_name(const char *name)
{
	const char *c = name;

	while (*c > ' ' && *c < 0x7f)
		c++;
	return c > name && !*c;
}

static bool parse_note(const struct elf_file *file, const struct reader *reader,
		       const uint8_t *description, size_t size, struct usdt_note *note)
{
	uint64_t address[3], moved = 0;

	if (size < sizeof(address))
		return false;
	memcpy(address, description, sizeof(address));
	description += sizeof(address);
	size -= sizeof(address);
	note->provider = next_string(&description, &size);
	note->name = note->provider ? next_string(&description, &size) : NULL;
	note->args = note->name ? next_string(&description, &size) : NULL;
	if (!note->args || !is_name(note->provider) || !is_name(note->name))
		return false;
	if (reader->has_base && address[1])
		moved = reader->base - address[1];
	note->location = address[0] + moved;
	if (!elf_file_offset(file, note->location, PF_X, &note->offset))
		return false;
	note->semaphore_offset = 0;
	return !address[2] ||
	       elf_file_offset(file, address[2] + moved, PF_W, &note->semaphore_offset);
}

static int append(struct usdt_notes *notes, size_t *capacity, const struct usdt_note *note)
{
	struct usdt_note *list;
	size_t room;

	if (notes->n == *capacity) {
		room = *capacity ? 2 * *capacity : 64;
		list = reallocarray(notes->notes, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		notes->notes = list;
		*capacity = room;
	}
	notes->notes[notes->n++] = *note;
	return 0;
}

static int read_notes(struct usdt_notes *notes, struct reader *reader)
{
	const uint8_t *owner, *description;
	struct usdt_note note;
	size_t capacity = 0;
	Elf64_Nhdr header;
	int err = 0;

	while (!err && reader->left) {
		if (!next_note(reader, &header, &owner, &description)) {
			notes->skipped++;
			return notes->n ? 0 : -ENOEXEC;
		}
		if (header.n_type != NOTE_TYPE || header.n_namesz != sizeof(NOTE_OWNER) ||
		    memcmp(owner, NOTE_OWNER, sizeof(NOTE_OWNER)))
			continue;
		if (notes->n < USDT_NOTES_MAX &&
		    parse_note(notes->file, reader, description, header.n_descsz, &note))
			err = append(notes, &capacity, &note);
		else
			notes->skipped++;
	}
	return err;
}

int usdt_read(const struct elf_file *file, struct usdt_notes *notes)
{
	struct elf_section section, base;
	struct reader reader = {0};
	int err;

	*notes = (struct usdt_notes){.file = file};
	err = elf_file_section(file, ".note.stapsdt", SHT_NOTE, SECTION_MAX, &section);
	if (err)
		return err == -ENOENT ? 0 : err;
	reader.at = section.bytes;
	reader.left = section.size;
	/* What is in it does not matter, and is one byte. */
	reader.has_base = !elf_file_section(file, ".stapsdt.base", SHT_NULL, SECTION_MAX, &base);
	if (reader.has_base)
		reader.base = base.address;
	err = read_notes(notes, &reader);
	if (err)
		usdt_release(notes);
	return err;
}

void usdt_release(struct usdt_notes *notes)
{
	symtab_free(notes->symtab);
	free(notes->notes);
	*notes = (struct usdt_notes){0};
}

static int find_symbol(void *context, const char *name, uint64_t *vaddr)
{
	struct usdt_notes *notes = context;
	int err = notes->symtab ? 0 : symtab_new(notes->file, &notes->symtab);

	return err ? err : symtab_address(notes->symtab, name, vaddr);
}

size_t usdt_operands(struct usdt_notes *notes, const struct usdt_note *note,
		     struct operand *operands, size_t max)
{
	struct operand_scope scope = {
		.machine = notes->file->machine == NATIVE_MACHINE ? NATIVE_MACHINE : EM_NONE,
		.location = note->location,
		.fixed_address = notes->file->type == ET_EXEC,
		.symbol = find_symbol,
		.context = notes,
	};

	return operand_parse_all(note->args, &scope, operands, max);
}

/* The next character of a name with `__`, `_` and `-` folded to `_`. */
static char folded(const char **name)
{
	char c = **name;

	if (!c)
		return c;
	if (c == '-' || c == '_') {
		*name += (*name)[0] == '_' && (*name)[1] == '_' ? 2 : 1;
		return '_';
	}
	++*name;
	return c;
}

bool usdt_name_is(const char *a, const char *b)
{
	char c;

	do {
		c = folded(&a);
		if (c != folded(&b))
			return false;
	} while (c);
	return true;
}
