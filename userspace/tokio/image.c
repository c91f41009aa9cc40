// SPDX-License-Identifier: MIT
/*
 * Relocations are applied to our own copy of the segments, as the dynamic linker would at load
 * address 0, and a bit for each word says which were: looking a pointer up is then reading it, and
 * whatever the relocations say, they cost no more than one write each.
 */
#include "tokio/image.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolize/elf_file.h"
#include "tokio/relocations.h"

#define WORD sizeof(uint64_t)

struct segment {
	uint64_t vaddr, size; /* of the bytes in the file */
	uint64_t offset;
	uint32_t flags;
	/* Where its code is: some linkers keep read-only data with it. */
	uint64_t code_low, code_high;
	bool unreadable;
	uint8_t *bytes;      /* NULL: not read yet */
	uint64_t *relocated; /* a bit for each word; NULL: none */
};

struct image {
	const struct elf_file *file;
	bool movable;
	struct segment *segments; /* by address, apart from each other */
	size_t nsegments;
	uint64_t code_size;
};

static uint64_t load_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, WORD);
	return word;
}

/* The segment's words begin at the first multiple of 8 in it. */
static size_t first_word(const struct segment *segment)
{
	return -segment->vaddr % WORD;
}

static size_t word_count(const struct segment *segment)
{
	size_t skip = first_word(segment);

	return segment->size > skip ? (segment->size - skip) / WORD : 0;
}

static struct segment *segment_at(const struct image *image, uint64_t vaddr)
{
	size_t low = 0, high = image->nsegments;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct segment *s = &image->segments[middle];

		if (vaddr < s->vaddr)
			high = middle;
		else if (vaddr - s->vaddr < s->size)
			return s;
		else
			low = middle + 1;
	}
	return NULL;
}

/* 0, -ENOMEM or -EIO; tried once. */
static int segment_read(const struct image *image, struct segment *segment)
{
	uint64_t done = 0;
	ssize_t n;

	if (segment->bytes)
		return 0;
	if (segment->unreadable)
		return -EIO;
	segment->bytes = malloc(segment->size);
	if (!segment->bytes)
		return -ENOMEM;
	while (done < segment->size) {
		n = pread(image->file->fd, segment->bytes + done, segment->size - done,
			  segment->offset + done);
		if (n <= 0 && !(n < 0 && errno == EINTR)) {
			free(segment->bytes);
			segment->bytes = NULL;
			segment->unreadable = true;
			return -EIO;
		}
		done += n > 0 ? n : 0;
	}
	return 0;
}

size_t image_bytes(const struct image *image, uint64_t vaddr, const uint8_t **bytes)
{
	struct segment *segment = segment_at(image, vaddr);

	if (!segment || segment_read(image, segment))
		return 0;
	*bytes = segment->bytes + (vaddr - segment->vaddr);
	return segment->size - (vaddr - segment->vaddr);
}

bool image_is_code(const struct image *image, uint64_t vaddr)
{
	const struct segment *segment = segment_at(image, vaddr);

	return segment && vaddr >= segment->code_low && vaddr < segment->code_high;
}

bool image_is_movable(const struct image *image)
{
	return image->movable;
}

uint64_t image_code_size(const struct image *image)
{
	return image->code_size;
}

void image_code_range(const struct image *image, uint64_t *low, uint64_t *high)
{
	*low = *high = 0;
	for (size_t i = 0; i < image->nsegments; i++) {
		const struct segment *segment = &image->segments[i];

		if (!segment->code_high)
			continue;
		if (!*high)
			*low = segment->code_low;
		*high = segment->code_high;
	}
}

/* The word at vaddr, if it is one of the segment's, and whether it was relocated. */
static bool read_word(const struct image *image, uint64_t vaddr, uint64_t *word, bool *relocated)
{
	const struct segment *segment = segment_at(image, vaddr);
	const uint8_t *bytes;
	size_t i;

	if (!segment || image_bytes(image, vaddr, &bytes) < WORD)
		return false;
	*word = load_word(bytes);
	*relocated = false;
	if (segment->relocated && vaddr % WORD == 0) {
		i = (vaddr - segment->vaddr - first_word(segment)) / WORD;
		*relocated = segment->relocated[i / 64] >> i % 64 & 1;
	}
	return true;
}

bool image_pointer(const struct image *image, uint64_t vaddr, uint64_t *target)
{
	bool relocated;

	return read_word(image, vaddr, target, &relocated) && (relocated || !image->movable) &&
	       *target;
}

bool image_word(const struct image *image, uint64_t vaddr, uint64_t *word)
{
	bool relocated;

	return read_word(image, vaddr, word, &relocated) && !relocated;
}

static bool is_code_only(const struct segment *segment)
{
	return segment->code_high - segment->code_low == segment->size;
}

bool image_data(const struct image *image, size_t i, struct image_data *data)
{
	for (size_t j = 0; j < image->nsegments; j++) {
		struct segment *segment = &image->segments[j];

		if (is_code_only(segment) || (image->movable && !segment->relocated) ||
		    !word_count(segment) || segment_read(image, segment) || i--)
			continue;
		data->vaddr = segment->vaddr + first_word(segment);
		data->nwords = word_count(segment);
		data->bytes = segment->bytes + first_word(segment);
		data->relocated = segment->relocated;
		return true;
	}
	return false;
}

bool image_text(const struct image *image, size_t i, struct image_text *text)
{
	for (size_t j = 0; j < image->nsegments; j++) {
		struct segment *segment = &image->segments[j];

		if (segment->flags & PF_W || is_code_only(segment) ||
		    segment_read(image, segment) || i--)
			continue;
		*text = (struct image_text){(const char *)segment->bytes, segment->size};
		return true;
	}
	return false;
}

/* Takes over the loaded segments that have bytes; the kernel's order is by address too. */
static int take_segments(struct image *image)
{
	const struct elf_file *file = image->file;
	uint64_t end = 0, sum = 0;

	image->segments = calloc(file->nsegments ? file->nsegments : 1, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	for (size_t i = 0; i < file->nsegments; i++) {
		const struct elf_segment *s = &file->segments[i];

		if (!s->filesz)
			continue;
		if (s->vaddr < end || s->filesz > UINT64_MAX - s->vaddr)
			return -ENOEXEC;
		end = s->vaddr + s->filesz;
		sum += s->filesz;
		if (sum > IMAGE_MAX)
			return -EFBIG;
		image->segments[image->nsegments++] = (struct segment){
			.vaddr = s->vaddr,
			.size = s->filesz,
			.offset = s->offset,
			.flags = s->flags,
		};
	}
	return 0;
}

/* Narrows a segment's code down to that of its sections, where there are any. */
static void find_code(const struct image *image, struct segment *segment)
{
	uint64_t low = UINT64_MAX, high = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;

	while ((section = elf_nextscn(image->file->elf, section))) {
		if (!gelf_getshdr(section, &shdr) || !(shdr.sh_flags & SHF_EXECINSTR) ||
		    shdr.sh_addr < segment->vaddr || shdr.sh_size > segment->size ||
		    shdr.sh_addr - segment->vaddr > segment->size - shdr.sh_size)
			continue;
		if (shdr.sh_addr < low)
			low = shdr.sh_addr;
		if (shdr.sh_addr + shdr.sh_size > high)
			high = shdr.sh_addr + shdr.sh_size;
	}
	segment->code_low = low < high ? low : segment->vaddr;
	segment->code_high = low < high ? high : segment->vaddr + segment->size;
}

/* Where the program header of a type says that its part is. */
static bool part_vaddr(const struct image *image, uint32_t type, uint64_t *vaddr)
{
	GElf_Phdr phdr;
	size_t n;

	if (elf_getphdrnum(image->file->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (gelf_getphdr(image->file->elf, i, &phdr) && phdr.p_type == type) {
			*vaddr = phdr.p_vaddr;
			return true;
		}
	}
	return false;
}

bool image_unwind_table(const struct image *image, uint64_t *vaddr)
{
	return part_vaddr(image, PT_GNU_EH_FRAME, vaddr);
}

/* What is written, and where last: the next is near. */
struct writer {
	struct image *image;
	struct segment *last;
};

/* Words in code, and across others, are left alone. */
static bool relocate(void *context, uint64_t vaddr, const uint64_t *target)
{
	struct writer *writer = context;
	const struct image *image = writer->image;
	struct segment *s = writer->last;
	size_t i;

	if (!s || vaddr < s->vaddr || vaddr - s->vaddr >= s->size)
		writer->last = s = segment_at(image, vaddr);
	if (!s || s->flags & PF_X || vaddr % WORD)
		return true;
	i = (vaddr - s->vaddr - first_word(s)) / WORD;
	if (i >= word_count(s))
		return true;
	if (segment_read(image, s))
		return false;
	if (!s->relocated)
		s->relocated = calloc((word_count(s) + 63) / 64, sizeof(*s->relocated));
	if (!s->relocated)
		return false;
	if (target)
		memcpy(s->bytes + first_word(s) + i * WORD, target, WORD);
	s->relocated[i / 64] |= 1ULL << i % 64;
	return true;
}

static int apply_relocations(struct image *image)
{
	struct writer writer = {.image = image};
	const struct relocations_sink sink = {relocate, &writer};
	uint64_t words = 0, dynamic;

	if (!part_vaddr(image, PT_DYNAMIC, &dynamic))
		return 0;
	for (size_t i = 0; i < image->nsegments; i++)
		words += word_count(&image->segments[i]);
	return relocations_read(image, dynamic, words, &sink);
}

int image_new(const struct elf_file *file, struct image **out)
{
	struct image *image;
	int err;

	*out = NULL;
	if ((file->machine != EM_X86_64 && file->machine != EM_AARCH64) ||
	    (file->type != ET_EXEC && file->type != ET_DYN))
		return -ENOEXEC;
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->file = file;
	image->movable = file->type == ET_DYN;
	err = take_segments(image);
	for (size_t i = 0; !err && i < image->nsegments; i++) {
		struct segment *segment = &image->segments[i];

		if (segment->flags & PF_X)
			find_code(image, segment);
		image->code_size += segment->code_high - segment->code_low;
	}
	if (!err && image->movable && file->machine == EM_X86_64)
		err = apply_relocations(image);
	if (err) {
		image_free(image);
		return err;
	}
	*out = image;
	return 0;
}

void image_trim(struct image *image)
{
	for (size_t i = 0; i < image->nsegments; i++) {
		struct segment *segment = &image->segments[i];

		if (segment->relocated)
			continue;
		free(segment->bytes);
		segment->bytes = NULL;
	}
}

void image_free(struct image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->nsegments; i++) {
		free(image->segments[i].bytes);
		free(image->segments[i].relocated);
	}
	free(image->segments);
	free(image);
}
