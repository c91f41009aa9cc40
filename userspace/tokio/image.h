/* SPDX-License-Identifier: MIT */
/*
 * The loaded parts of an ELF file as a running program would see them before its first instruction:
 * bytes at link-time addresses, and the pointers that the dynamic linker would relocate. x86-64.
 *
 * What the file says is checked, never believed: counts, sizes, offsets, relocations that overlap or run
 * in circles cost bounded time and memory.
 */
#ifndef POLLSCOPE_TOKIO_IMAGE_H
#define POLLSCOPE_TOKIO_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;
struct image;

/*
 * image_new() - reads the segments of a file, which must outlive the image, and its relocations
 * (R_X86_64_RELATIVE in RELA and RELR form).
 *
 * Returns 0; -ENOEXEC: damaged, or not x86-64; -EFBIG; -ENOMEM; -EIO.
 */
int image_new(const struct elf_file *file, struct image **image);

/* image_free() - NULL is legal. */
void image_free(struct image *image);

/* image_bytes() - the file's bytes from a link-time address to the end of its segment; how many. 0: none. */
size_t image_bytes(const struct image *image, uint64_t vaddr, const uint8_t **bytes);

/* image_is_code() - whether an address lies in an executable segment. */
bool image_is_code(const struct image *image, uint64_t vaddr);

/*
 * image_pointer() - the link-time address that the eight bytes at vaddr will point to. In a file that
 * can be moved only relocated words are pointers; in one that cannot, all are. False: no pointer.
 */
bool image_pointer(const struct image *image, uint64_t vaddr, uint64_t *target);

/* image_word() - the eight bytes at vaddr, if they are there and are no relocated pointer. */
bool image_word(const struct image *image, uint64_t vaddr, uint64_t *word);

/* The part of the image that one call of `each` gets: not executable, vaddr and size multiples of 8. */
struct image_data {
	uint64_t vaddr;
	uint64_t size;
};

/* image_data() - the i-th run of data that may hold pointers. False: there are no more. */
bool image_data(const struct image *image, size_t i, struct image_data *data);

#endif
