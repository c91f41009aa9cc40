/* SPDX-License-Identifier: MIT */
/*
 * An ELF file behind a mapping of a process, held open for as long as it is needed.
 *
 * The file is reached through the process: its name may mean another file in our mount namespace,
 * or none any more. What it holds is the target's to choose: every count, offset and size is
 * checked against the file's size, and it is read, never mapped, as a file truncated under a
 * mapping ends the reader by SIGBUS.
 */
#ifndef POLLSCOPE_SYMBOLIZE_ELF_FILE_H
#define POLLSCOPE_SYMBOLIZE_ELF_FILE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbolize/maps.h"

#define ELF_FILE_MAX (4ULL << 30) /* bytes of the largest file that is read */
#define ELF_FILE_BUILD_ID_MAX 64  /* bytes of the longest build id kept */

/* A loaded part of the file (PT_LOAD). filesz bytes from offset are within the file. */
struct elf_segment {
	uint64_t vaddr;
	uint64_t offset;
	uint64_t filesz;
	uint64_t memsz;
	uint32_t flags; /* PF_X, PF_W, PF_R */
};

/* Read-only for users. */
struct elf_file {
	int fd;           /* close on exec */
	char fd_path[32]; /* "/proc/self/fd/N": names it, also where it has no name, here only */
	char *path;       /* as the process sees it: for showing */
	dev_t dev;        /* by fstat(fd) */
	ino_t ino;
	uint64_t size;
	uint16_t type;                                /* ET_EXEC, ET_DYN, ... */
	uint16_t machine;                             /* EM_X86_64, ... */
	char build_id[2 * ELF_FILE_BUILD_ID_MAX + 1]; /* lower-case hex; "" where there is none */
	size_t build_id_len;                          /* bytes */
	struct elf_segment *segments;                 /* in the file's order */
	size_t nsegments;
	Elf *elf;
};

/*
 * elf_file_open() - opens the file behind a mapping.
 *
 * By /proc/PID/map_files (works for whatever is mapped; needs CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE), else by /proc/PID/exe or /proc/PID/root/PATH where the inode is still
 * the mapped one.
 *
 * Returns 0 and *file, to be closed with elf_file_close(); -ESTALE: the name now means another
 * file, or none, and the mapped one is out of reach; -ENOEXEC: not ELF, or damaged; -EFBIG;
 * -EINVAL: no regular file; -EACCES, -EPERM, -ENOENT, -ESRCH, -EMFILE, -ENOMEM, -EIO.
 */
int elf_file_open(pid_t pid, const struct map_entry *map, struct elf_file **file);

/* elf_file_from_fd() - the same for an open file, which it takes over (also when it fails). */
int elf_file_from_fd(int fd, const char *path, struct elf_file **file);

/* elf_file_open_path() - the same for a name in our own namespace. */
int elf_file_open_path(const char *path, struct elf_file **file);

/*
 * elf_file_open_vdso() - the image that the kernel maps into each process, from ours. -ENOENT: there
 * is none.
 */
int elf_file_open_vdso(struct elf_file **file);

void elf_file_close(struct elf_file *file);

/*
 * elf_file_forget() - frees what was read of the file: libelf keeps all of it. For when nobody uses any section
 * or symbol of it, as a target may have thousands of files, each with as much as is read of one. 0 or -ENOEXEC:
 * it is no such file any more, and has no sections.
 */
int elf_file_forget(struct elf_file *file);

/*
 * elf_file_strerror() - the reason for an error of elf_file_open(), to follow the path.
 */
const char *elf_file_strerror(int error);

/*
 * elf_file_offset() - file offset of a link-time address. False where no segment with these flags
 * (PF_X, PF_W; 0: any) has bytes for it.
 */
bool elf_file_offset(const struct elf_file *file, uint64_t vaddr, uint32_t flags, uint64_t *offset);

/*
 * elf_file_place() - makes a file without code, as a debug file is, stand in for the one that is mapped
 * there. It has the code's addresses; where the code would be in the file, the mapping tells: whole, as the
 * kernel maps it. Whether the file has code or has now got a place for it, which cannot be read.
 */
bool elf_file_place(struct elf_file *file, const struct map_entry *map);

/* elf_file_vaddr() - link-time address of a file offset. Executable segments come first. */
bool elf_file_vaddr(const struct elf_file *file, uint64_t offset, uint64_t *vaddr);

/* The content of a section. */
struct elf_section {
	const uint8_t *bytes; /* belong to the file */
	size_t size;
	uint64_t address; /* link-time */
};

/*
 * elf_file_section() - reads a section by its name and type (SHT_NULL: any but SHT_NOBITS). It is
 * kept in memory as long as the file, so at most `max` bytes of it are wanted.
 *
 * Returns 0, -ENOENT, -ENOEXEC (damaged), -EFBIG (larger than max).
 */
int elf_file_section(const struct elf_file *file, const char *name, uint32_t type, size_t max,
		     struct elf_section *section);

/*
 * elf_file_find_section() - where a section is, of whatever type but SHT_NOBITS: within the file.
 * 0, -ENOENT, -ENOEXEC (damaged).
 */
int elf_file_find_section(const struct elf_file *file, const char *name, struct elf_segment *where);

#endif
