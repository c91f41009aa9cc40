/* SPDX-License-Identifier: MIT */
/*
 * The loaded parts of an ELF file as a running program would see them before its first instruction:
 * bytes at link-time addresses, and the pointers that the dynamic linker would relocate (on x86-64).
 *
 * What the file says is checked, never believed: counts, sizes, offsets, relocations that overlap
 * or run in circles cost bounded time and memory.
 */
#ifndef POLLSCOPE_TOKIO_IMAGE_H
#define POLLSCOPE_TOKIO_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;
struct image;

#define IMAGE_MAX (1ULL << 30) /* bytes of all segments of the largest file that is read */

/*
 * image_new() - looks at the segments of a file, which must outlive the image, and applies its
 * relocations: to its own addresses (RELA and RELR form), and to symbols that it defines itself.
 * Segments without relocations are read when they are first asked for.
 *
 * Returns 0; -ENOEXEC: damaged, or neither x86-64 nor arm64; -EFBIG; -ENOMEM; -EIO.
 */
int image_new(const struct elf_file *file, struct image **image);

/* image_free() - NULL is legal. */
void image_free(struct image *image);

/*
 * image_trim() - gives back the memory of what can be read again; what image_bytes() and
 * image_text() told is not there any more.
 */
void image_trim(struct image *image);

/*
 * image_bytes() - the file's bytes from a link-time address to the end of its segment, pointers
 * relocated; how many. 0: none, or they cannot be read.
 */
size_t image_bytes(const struct image *image, uint64_t vaddr, const uint8_t **bytes);

/* image_is_movable() - whether it is loaded at another address than it was linked for. */
bool image_is_movable(const struct image *image);

/* image_is_code() - whether an address lies in an executable segment, in the part that is code. */
bool image_is_code(const struct image *image, uint64_t vaddr);

/* image_code_size() - bytes of all code. */
uint64_t image_code_size(const struct image *image);

/* image_code_range() - what all code is within; low == high: there is none. */
void image_code_range(const struct image *image, uint64_t *low, uint64_t *high);

/*
 * image_pointer() - the link-time address that the eight bytes at vaddr will point to. In a file
 * that can be moved only relocated words are pointers; in one that cannot, all are. False: no
 * pointer.
 */
bool image_pointer(const struct image *image, uint64_t vaddr, uint64_t *target);

/* image_word() - the eight bytes at vaddr, if they are there and are no relocated pointer. */
bool image_word(const struct image *image, uint64_t vaddr, uint64_t *word);

/* image_unwind_table() - link-time address of .eh_frame_hdr. False: there is none. */
bool image_unwind_table(const struct image *image, uint64_t *vaddr);

/* A run of words at multiples of 8 that may be pointers. */
struct image_data {
	uint64_t vaddr;
	size_t nwords;
	const uint8_t *bytes;      /* 8 * nwords */
	const uint64_t *relocated; /* a bit for each word, lowest first; NULL: all are pointers */
};

/* image_data() - the i-th of them. False: there are no more. */
bool image_data(const struct image *image, size_t i, struct image_data *data);

/* A run of read-only data, as image_text() finds it. */
struct image_text {
	const char *start;
	size_t size;
};

/*
 * image_text() - the i-th of them: what is neither writable nor, unless the linker put them into
 * one segment, code. False: there are no more.
 */
bool image_text(const struct image *image, size_t i, struct image_text *text);

#endif
