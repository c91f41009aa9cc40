// SPDX-License-Identifier: MIT
/* Finding .eh_frame in a file. */
#include <dwarf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "symbolize/elf_file.h"
#include "unwind/eh_frame.h"

/* .eh_frame_hdr: a version, the encodings of the address of .eh_frame and of two more fields; the address. */
#define HEADER_ENCODING 1
#define HEADER_ADDRESS 4
#define HEADER_SIZE (HEADER_ADDRESS + sizeof(uint64_t))

static bool find_header(const struct elf_file *file, GElf_Phdr *phdr)
{
	size_t n;

	if (elf_getphdrnum(file->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(file->elf, i, phdr) && phdr->p_type == PT_GNU_EH_FRAME)
			return true;
	return false;
}

/* All that is in the file behind a link-time address. */
static bool find_rest(const struct elf_file *file, uint64_t vaddr, struct elf_segment *where)
{
	for (size_t i = 0; i < file->nsegments; i++) {
		const struct elf_segment *s = &file->segments[i];
		uint64_t skipped = vaddr - s->vaddr;

		if (vaddr < s->vaddr || skipped >= s->filesz)
			continue;
		where->vaddr = vaddr;
		where->offset = s->offset + skipped;
		where->filesz = s->filesz - skipped;
		return true;
	}
	return false;
}

/* Stripped of its section headers, a file still has what its own unwinder goes by. */
static int find_by_header(const struct elf_file *file, struct elf_segment *where)
{
	uint8_t bytes[HEADER_SIZE];
	struct eh_frame header = {.bytes = bytes, .size = sizeof(bytes)};
	struct reader r = {.at = bytes + HEADER_ADDRESS, .end = bytes + sizeof(bytes)};
	GElf_Phdr phdr;
	uint64_t vaddr;

	if (!find_header(file, &phdr))
		return -ENOENT;
	if (pread(file->fd, bytes, sizeof(bytes), phdr.p_offset) != sizeof(bytes))
		return -ENOEXEC;
	header.address = phdr.p_vaddr;
	vaddr = eh_frame_address(&header, &r, bytes[HEADER_ENCODING]);
	return !r.bad && find_rest(file, vaddr, where) ? 0 : -ENOEXEC;
}

static int read_all(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
	ssize_t n;

	for (size_t done = 0; done < size; done += n) {
		n = pread(fd, bytes + done, size - done, offset + done);
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOEXEC; /* it was cut off meanwhile */
	}
	return 0;
}

int eh_frame_read(const struct elf_file *file, struct eh_frame *frame)
{
	struct elf_segment where;
	int err = elf_file_find_section(file, ".eh_frame", &where);

	*frame = (struct eh_frame){.open_ended = err == -ENOENT};
	if (frame->open_ended) {
		err = find_by_header(file, &where);
		if (!err && where.filesz > EH_FRAME_MAX)
			where.filesz = EH_FRAME_MAX;
	}
	if (err)
		return err;
	if (where.filesz > EH_FRAME_MAX)
		return -EFBIG;
	frame->address = where.vaddr;
	frame->size = where.filesz;
	frame->bytes = malloc(frame->size ? frame->size : 1);
	err = frame->bytes ? read_all(file->fd, frame->bytes, frame->size, where.offset) : -ENOMEM;
	if (err)
		eh_frame_release(frame);
	return err;
}

void eh_frame_release(struct eh_frame *frame)
{
	free(frame->bytes);
	*frame = (struct eh_frame){0};
}
