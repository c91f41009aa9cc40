// SPDX-License-Identifier: MIT
#include "symbolize/elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Kernels refuse to run a program with more than 64 KiB of program headers; libraries have a dozen.
 */
#define SEGMENTS_MAX 4096
#define PAGE 4096
#define NAMES_MAX (1u << 20)   /* bytes of section names */
#define NOTES_MAX (128u << 20) /* bytes of notes that are searched for a build id */

/*
 * libelf sizes its own tables by these before it looks at anything else: 0 sections with a table
 * means that the count is in the table, which only huge relocatable files need and hostile ones may
 * abuse.
 */
static bool header_is_sound(int fd)
{
	Elf64_Ehdr header;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return false;
	return !memcmp(header.e_ident, ELFMAG, SELFMAG) && header.e_ident[EI_CLASS] == ELFCLASS64 &&
	       header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_phnum <= SEGMENTS_MAX &&
	       (header.e_shnum || !header.e_shoff);
}

static int read_segments(struct elf_file *file)
{
	GElf_Phdr phdr;
	size_t n;

	if (elf_getphdrnum(file->elf, &n) || n > SEGMENTS_MAX)
		return -ENOEXEC;
	file->segments = calloc(n ? n : 1, sizeof(*file->segments));
	if (!file->segments)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct elf_segment *segment = &file->segments[file->nsegments];

		if (!gelf_getphdr(file->elf, i, &phdr))
			return -ENOEXEC;
		if (phdr.p_type != PT_LOAD)
			continue;
		if (phdr.p_offset > file->size || phdr.p_memsz > UINT64_MAX - phdr.p_vaddr)
			return -ENOEXEC;
		segment->vaddr = phdr.p_vaddr;
		segment->offset = phdr.p_offset;
		segment->filesz = phdr.p_filesz;
		if (segment->filesz > phdr.p_memsz)
			segment->filesz = phdr.p_memsz;
		if (segment->filesz > file->size - phdr.p_offset)
			segment->filesz = file->size - phdr.p_offset;
		segment->memsz = phdr.p_memsz;
		segment->flags = phdr.p_flags;
		file->nsegments++;
	}
	return 0;
}

/* Adds up what libelf would read for a look at the names of the sections, or at all notes. */
static void sum_sizes(const struct elf_file *file, uint64_t *names, uint64_t *notes)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;
	GElf_Phdr phdr;
	size_t n;

	*names = *notes = 0;
	if (!elf_getshdrstrndx(file->elf, &n) && gelf_getshdr(elf_getscn(file->elf, n), &shdr))
		*names = shdr.sh_size;
	while ((section = elf_nextscn(file->elf, section))) {
		if (gelf_getshdr(section, &shdr) && shdr.sh_type == SHT_NOTE)
			*notes += shdr.sh_size < file->size ? shdr.sh_size : file->size;
	}
	for (size_t i = 0; !elf_getphdrnum(file->elf, &n) && i < n; i++) {
		if (gelf_getphdr(file->elf, i, &phdr) && phdr.p_type == PT_NOTE)
			*notes += phdr.p_filesz < file->size ? phdr.p_filesz : file->size;
	}
}

static int read_build_id(struct elf_file *file)
{
	uint64_t names, notes;
	const void *bits;
	ssize_t n = 0;

	sum_sizes(file, &names, &notes);
	if (names > NAMES_MAX)
		return -ENOEXEC;
	if (notes <= NOTES_MAX)
		n = dwelf_elf_gnu_build_id(file->elf, &bits);
	if (n <= 0 || n > ELF_FILE_BUILD_ID_MAX)
		return 0;
	file->build_id_len = n;
	for (ssize_t i = 0; i < n; i++)
		sprintf(file->build_id + 2 * i, "%02x", ((const unsigned char *)bits)[i]);
	return 0;
}

int elf_file_forget(struct elf_file *file)
{
	elf_end(file->elf);
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	return file->elf ? 0 : -ENOEXEC;
}

static int read_headers(struct elf_file *file)
{
	GElf_Ehdr ehdr;
	struct stat st;
	int err;

	if (fstat(file->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > ELF_FILE_MAX)
		return -EFBIG;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->size = st.st_size;
	if (!header_is_sound(file->fd) || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	file->elf = elf_begin(file->fd, ELF_C_READ, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &ehdr))
		return -ENOEXEC;
	file->type = ehdr.e_type;
	file->machine = ehdr.e_machine;
	err = read_segments(file);
	if (!err)
		err = read_build_id(file);
	return err ? err : elf_file_forget(file);
}

int elf_file_from_fd(int fd, const char *path, struct elf_file **out)
{
	struct elf_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	*out = NULL;
	if (!file) {
		close(fd);
		return err;
	}
	file->fd = fd;
	snprintf(file->fd_path, sizeof(file->fd_path), "/proc/self/fd/%d", fd);
	file->path = strdup(path);
	if (file->path)
		err = read_headers(file);
	if (err) {
		elf_file_close(file);
		return err;
	}
	*out = file;
	return 0;
}

void elf_file_close(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	free(file->segments);
	free(file->path);
	close(file->fd);
	free(file);
}

bool elf_file_offset(const struct elf_file *file, uint64_t vaddr, uint32_t flags, uint64_t *offset)
{
	for (size_t i = 0; i < file->nsegments; i++) {
		const struct elf_segment *s = &file->segments[i];

		if ((s->flags & flags) == flags && vaddr >= s->vaddr &&
		    vaddr - s->vaddr < s->filesz) {
			*offset = vaddr - s->vaddr + s->offset;
			return true;
		}
	}
	return false;
}

bool elf_file_place(struct elf_file *file, const struct map_entry *map)
{
	bool has_code = false;

	for (size_t i = 0; i < file->nsegments; i++) {
		struct elf_segment *s = &file->segments[i];
		uint64_t in_page = s->vaddr % PAGE;
		uint64_t pages = (in_page + s->memsz + PAGE - 1) / PAGE;

		if (!(s->flags & PF_X) || !s->memsz)
			continue;
		if (s->filesz == s->memsz)
			has_code = true;
		if (s->filesz == s->memsz || pages != (map->end - map->start) / PAGE)
			continue;
		s->offset = map->offset + in_page;
		s->filesz = s->memsz;
		return true;
	}
	return has_code;
}

bool elf_file_vaddr(const struct elf_file *file, uint64_t offset, uint64_t *vaddr)
{
	bool found = false;

	for (size_t i = 0; i < file->nsegments; i++) {
		const struct elf_segment *s = &file->segments[i];

		if (offset < s->offset || offset - s->offset >= s->filesz)
			continue;
		if (!found || s->flags & PF_X)
			*vaddr = offset - s->offset + s->vaddr;
		found = true;
		if (s->flags & PF_X)
			break;
	}
	return found;
}

static Elf_Scn *find_section(const struct elf_file *file, const char *name, uint32_t type,
			     GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	const char *found;
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, shdr) || shdr->sh_type == SHT_NOBITS ||
		    (type != SHT_NULL && shdr->sh_type != type))
			continue;
		found = elf_strptr(file->elf, names, shdr->sh_name);
		if (found && !strcmp(found, name))
			break;
	}
	return scn;
}

static bool is_within(const struct elf_file *file, const GElf_Shdr *shdr)
{
	return shdr->sh_offset <= file->size && shdr->sh_size <= file->size - shdr->sh_offset;
}

int elf_file_section(const struct elf_file *file, const char *name, uint32_t type, size_t max,
		     struct elf_section *section)
{
	Elf_Data *data;
	GElf_Shdr shdr;
	Elf_Scn *scn = find_section(file, name, type, &shdr);

	if (!scn)
		return -ENOENT;
	if (!is_within(file, &shdr))
		return -ENOEXEC;
	if (shdr.sh_size > max)
		return -EFBIG;
	/* As they are in the file, unless libdw has uncompressed them. */
	data = elf_rawdata(scn, NULL);
	if (!data || data->d_size != shdr.sh_size || (data->d_size && !data->d_buf))
		return -ENOEXEC;
	section->bytes = data->d_buf;
	section->size = data->d_size;
	section->address = shdr.sh_addr;
	return 0;
}

int elf_file_find_section(const struct elf_file *file, const char *name, struct elf_segment *where)
{
	GElf_Shdr shdr;

	if (!find_section(file, name, SHT_NULL, &shdr))
		return -ENOENT;
	if (!is_within(file, &shdr))
		return -ENOEXEC;
	*where = (struct elf_segment){
		.vaddr = shdr.sh_addr,
		.offset = shdr.sh_offset,
		.filesz = shdr.sh_size,
		.memsz = shdr.sh_size,
	};
	return 0;
}
