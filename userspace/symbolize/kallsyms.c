// SPDX-License-Identifier: MIT
#include "symbolize/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (256u << 20) /* bytes of a table that is no longer one */
#define LAST_SIZE 4096        /* the last symbol is taken to reach as far as this */

struct kernel_symbol {
	uint64_t address;
	const char *name; /* in the text */
	bool is_global;
};

struct kallsyms {
	char *path;
	bool loaded;
	int error;
	char *text;
	struct kernel_symbol *symbols; /* by address */
	size_t n, capacity;
};

struct kallsyms *kallsyms_new(const char *path)
{
	struct kallsyms *kallsyms = calloc(1, sizeof(*kallsyms));

	if (!kallsyms)
		return NULL;
	kallsyms->path = strdup(path ? path : "/proc/kallsyms");
	if (!kallsyms->path) {
		free(kallsyms);
		return NULL;
	}
	return kallsyms;
}

void kallsyms_free(struct kallsyms *kallsyms)
{
	if (!kallsyms)
		return;
	free(kallsyms->symbols);
	free(kallsyms->text);
	free(kallsyms->path);
	free(kallsyms);
}

/* The whole file, terminated. It has no size, being made as it is read. */
static int read_text(struct kallsyms *kallsyms)
{
	int fd = open(kallsyms->path, O_RDONLY | O_CLOEXEC);
	size_t n = 0, room = 0;
	ssize_t got = 0;
	char *text;

	if (fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	do {
		n += got;
		if (room - n < 65536) {
			room = room ? 2 * room : 8 << 20;
			text = room <= TEXT_MAX ? realloc(kallsyms->text, room) : NULL;
			if (!text) {
				close(fd);
				return -ENOMEM;
			}
			kallsyms->text = text;
		}
		got = read(fd, kallsyms->text + n, room - n - 1);
	} while (got > 0);
	close(fd);
	kallsyms->text[n] = '\0';
	return got < 0 ? -errno : 0;
}

static uint64_t read_hex(char **at)
{
	uint64_t value = 0;
	unsigned int digit;

	for (;; ++*at) {
		char c = **at;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			return value;
		value = value << 4 | digit;
	}
}

static int add_symbol(struct kallsyms *kallsyms, uint64_t address, char type, const char *name)
{
	struct kernel_symbol *symbols;
	size_t room;

	if (kallsyms->n == kallsyms->capacity) {
		room = kallsyms->capacity ? 2 * kallsyms->capacity : 65536;
		symbols = reallocarray(kallsyms->symbols, room, sizeof(*symbols));
		if (!symbols)
			return -ENOMEM;
		kallsyms->symbols = symbols;
		kallsyms->capacity = room;
	}
	kallsyms->symbols[kallsyms->n++] = (struct kernel_symbol){address, name, type == 'T'};
	return 0;
}

static bool is_function(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* A line: "ffffffff81000c60 T asm_exc_page_fault", of a module followed by a tab and "[module]". */
static int parse_line(struct kallsyms *kallsyms, char *line, bool *any_address)
{
	uint64_t address = read_hex(&line);

	if (strlen(line) < 4 || line[0] != ' ' || line[2] != ' ')
		return 0;
	*any_address |= address != 0;
	if (!address || !is_function(line[1]))
		return 0;
	line[3 + strcspn(line + 3, "\t")] = '\0';
	return add_symbol(kallsyms, address, line[1], line + 3);
}

static int parse_text(struct kallsyms *kallsyms)
{
	bool any_address = false;
	char *next;
	int err = 0;

	for (char *line = kallsyms->text; !err && *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		err = parse_line(kallsyms, line, &any_address);
	}
	return !err && !any_address ? -EPERM : err;
}

/* By address; of the same address global ones first. */
static int compare(const void *a, const void *b)
{
	const struct kernel_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return y->is_global - x->is_global;
}

/*
 * Modules come after the kernel proper and are not in order; without any, there is nothing to do.
 */
static void sort_symbols(struct kallsyms *kallsyms)
{
	for (size_t i = 1; i < kallsyms->n; i++) {
		if (compare(&kallsyms->symbols[i - 1], &kallsyms->symbols[i]) > 0) {
			qsort(kallsyms->symbols, kallsyms->n, sizeof(*kallsyms->symbols), compare);
			return;
		}
	}
}

int kallsyms_load(struct kallsyms *kallsyms)
{
	if (kallsyms->loaded)
		return kallsyms->error;
	kallsyms->loaded = true;
	kallsyms->error = read_text(kallsyms);
	if (!kallsyms->error)
		kallsyms->error = parse_text(kallsyms);
	if (kallsyms->error)
		kallsyms->n = 0;
	sort_symbols(kallsyms);
	return kallsyms->error;
}

/* Index of the first symbol above an address. */
static size_t first_above(const struct kallsyms *kallsyms, uint64_t address)
{
	size_t low = 0, high = kallsyms->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kallsyms->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t end_of(const struct kallsyms *kallsyms, uint64_t start)
{
	size_t above = first_above(kallsyms, start);

	return above < kallsyms->n ? kallsyms->symbols[above].address : start + LAST_SIZE;
}

const char *kallsyms_function(struct kallsyms *kallsyms, uint64_t address)
{
	size_t i;

	if (kallsyms_load(kallsyms))
		return NULL;
	i = first_above(kallsyms, address);
	if (!i || address >= end_of(kallsyms, kallsyms->symbols[i - 1].address))
		return NULL;
	while (i > 1 && kallsyms->symbols[i - 2].address == kallsyms->symbols[i - 1].address)
		i--;
	return kallsyms->symbols[i - 1].name;
}

int kallsyms_range(struct kallsyms *kallsyms, const char *name, struct kallsyms_range *range)
{
	int err = kallsyms_load(kallsyms);

	if (err)
		return err;
	for (size_t i = 0; i < kallsyms->n; i++) {
		if (strcmp(kallsyms->symbols[i].name, name))
			continue;
		range->start = kallsyms->symbols[i].address;
		range->end = end_of(kallsyms, range->start);
		return 0;
	}
	return -ENOENT;
}

int kallsyms_fault_ranges(struct kallsyms *kallsyms,
			  struct kallsyms_range ranges[KALLSYMS_FAULT_RANGES_MAX])
{
	/* Any of them will do; which ones compilers leave out differs between kernels. */
	static const char *const handlers[] = {
		"asm_exc_page_fault", "exc_page_fault",    "do_user_addr_fault",   /* x86 */
		"do_mem_abort",       "do_page_fault",     "do_translation_fault", /* arm64 */
		"handle_mm_fault",    "__handle_mm_fault",                         /* all */
	};
	int n = 0, err = kallsyms_load(kallsyms);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (!kallsyms_range(kallsyms, handlers[i], &ranges[n]))
			n++;
	}
	return n;
}
