// SPDX-License-Identifier: MIT
// links: symbolize util -ldw -lelf -liberty
/*
 * ELF files behind the mappings of a process, this very program being run as that process: as it
 * is, deleted and replaced on disk, and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbolize/elf_cache.h"
#include "symbolize/elf_file.h"
#include "symbolize/maps.h"
#include "symbolize/module.h"
#include "symbolize/symtab.h"
#include "util/native.h"

int landmark_data[4] = {1, 2, 3, 4};

__attribute__((noinline)) int landmark_function(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + landmark_data[x & 3];
}

/* Offset of landmark_function in this program's file. */
static uint64_t landmark_offset(void)
{
	uint64_t address = (uintptr_t)landmark_function, offset = 0;
	struct maps maps;

	assert_int_equal(maps_read(getpid(), &maps), 0);
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *map = &maps.entries[i];

		if (address >= map->start && address < map->end)
			offset = address - map->start + map->offset;
	}
	maps_release(&maps);
	assert_true(offset);
	return offset;
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char buffer[65536];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, n), n);
	close(in);
	close(out);
}

/* A copy of this program, running under a name of its own. */
struct child {
	char folder[32];
	char path[48];
	pid_t pid;
	struct maps maps;
	struct map_entry *map; /* its text */
};

static void start_child(struct child *child)
{
	int ready[2];
	char byte;

	strcpy(child->folder, "/tmp/test_module.XXXXXX");
	assert_non_null(mkdtemp(child->folder));
	snprintf(child->path, sizeof(child->path), "%s/program", child->folder);
	copy_file("/proc/self/exe", child->path);
	assert_int_equal(pipe(ready), 0);
	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ready[1], STDOUT_FILENO);
		execl(child->path, child->path, "be-a-target", NULL);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void read_maps(struct child *child)
{
	child->map = NULL;
	assert_int_equal(maps_read(child->pid, &child->maps), 0);
	for (size_t i = 0; i < child->maps.n; i++) {
		struct map_entry *map = &child->maps.entries[i];

		if (!strcmp(map->path, child->path))
			child->map = map;
	}
	assert_non_null(child->map);
}

static void end_child(struct child *child)
{
	char command[64];

	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	maps_release(&child->maps);
	snprintf(command, sizeof(command), "rm -r %s", child->folder);
	assert_int_equal(system(command), 0);
}

/* Whether the file is a copy of this program, by its build id and by what it calls the landmark. */
static void assert_is_this_program(const struct elf_file *file)
{
	struct debug_frame frames[DEBUG_FRAMES_MAX];
	struct elf_file *self;
	struct module *module;

	assert_int_equal(elf_file_open_path("/proc/self/exe", &self), 0);
	assert_string_equal(file->build_id, self->build_id);
	elf_file_close(self);
	module = module_new(file);
	assert_int_equal(module_lookup(module, landmark_offset(), frames), 1);
	assert_string_equal(frames[0].function, "landmark_function");
	module_free(module);
}

static void a_mapped_file_is_opened(void **state)
{
	struct elf_file *file;
	struct child child;

	(void)state;
	start_child(&child);
	read_maps(&child);
	assert_int_equal(elf_file_open(child.pid, child.map, &file), 0);
	assert_string_equal(file->path, child.path);
	assert_int_equal(fcntl(file->fd, F_GETFD), FD_CLOEXEC);
	assert_is_this_program(file);
	elf_file_close(file);
	end_child(&child);
}

static void a_deleted_file_is_opened(void **state)
{
	struct elf_file *file, *by_name;
	struct child child;

	(void)state;
	start_child(&child);
	unlink(child.path);
	read_maps(&child);
	assert_true(child.map->deleted);
	assert_int_equal(elf_file_open(child.pid, child.map, &file), 0);
	assert_is_this_program(file);
	assert_int_equal(elf_file_open_path(file->fd_path, &by_name), 0);
	assert_is_this_program(by_name);
	elf_file_close(by_name);
	elf_file_close(file);
	end_child(&child);
}

static void a_replaced_file_is_not_mistaken_for_the_mapped_one(void **state)
{
	struct elf_file *file;
	struct child child;
	char other[64];

	(void)state;
	start_child(&child);
	read_maps(&child);
	snprintf(other, sizeof(other), "%s/other", child.folder);
	copy_file("/bin/true", other);
	assert_int_equal(rename(other, child.path), 0);
	assert_int_equal(elf_file_open(child.pid, child.map, &file), 0);
	assert_is_this_program(file);
	elf_file_close(file);
	end_child(&child);
}

static void a_file_out_of_reach_is_stale(void **state)
{
	struct elf_file *file;
	struct child child;

	(void)state;
	start_child(&child);
	read_maps(&child);
	/* As if another file were mapped: the one that is there has another number. */
	child.map->ino++;
	assert_int_equal(elf_file_open(child.pid, child.map, &file), -ESTALE);
	assert_null(file);
	assert_non_null(strstr(elf_file_strerror(-ESTALE), "replaced"));
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	assert_int_equal(elf_file_open(child.pid, child.map, &file), -ESRCH);
	end_child(&child);
}

static void a_file_outlives_its_process(void **state)
{
	struct elf_file *file;
	struct child child;

	(void)state;
	start_child(&child);
	read_maps(&child);
	assert_int_equal(elf_file_open(child.pid, child.map, &file), 0);
	end_child(&child);
	assert_is_this_program(file);
	elf_file_close(file);
}

static void a_file_is_opened_once(void **state)
{
	struct elf_cache *cache = elf_cache_new();
	struct elf_file *one, *two, *own;
	struct child first, second;
	struct map_entry map;

	(void)state;
	start_child(&first);
	start_child(&second);
	read_maps(&first);
	read_maps(&second);
	assert_int_equal(elf_cache_open(cache, first.pid, first.map, &one), 0);
	map = *first.map;
	map.start += 4096; /* as another mapping of the same file */
	assert_int_equal(elf_cache_open(cache, first.pid, &map, &two), 0);
	assert_ptr_equal(one, two);
	assert_int_equal(elf_cache_open(cache, second.pid, second.map, &own), 0);
	assert_ptr_not_equal(one, own);
	map.ino++;
	assert_int_equal(elf_cache_open(cache, first.pid, &map, &two), -ESTALE);
	assert_null(two);
	elf_cache_free(cache);
	end_child(&first);
	end_child(&second);
}

static void addresses_and_offsets_are_each_others_inverse(void **state)
{
	uint64_t offset = landmark_offset(), vaddr, back, data;
	struct symtab *symtab;
	struct elf_file *file;

	(void)state;
	assert_int_equal(elf_file_open_path("/proc/self/exe", &file), 0);
	assert_true(elf_file_vaddr(file, offset, &vaddr));
	assert_true(elf_file_offset(file, vaddr, PF_X, &back));
	assert_int_equal(back, offset);
	assert_false(elf_file_offset(file, vaddr, PF_W, &back));
	assert_false(elf_file_offset(file, UINT64_MAX, 0, &back));
	assert_false(elf_file_vaddr(file, UINT64_MAX, &back));

	assert_int_equal(symtab_new(file, &symtab), 0);
	assert_string_equal(symtab_function(symtab, vaddr), "landmark_function");
	assert_string_equal(symtab_function(symtab, vaddr + 1), "landmark_function");
	assert_null(symtab_function(symtab, 0));
	assert_int_equal(symtab_address(symtab, "landmark_function", &back), 0);
	assert_int_equal(back, vaddr);
	assert_int_equal(symtab_address(symtab, "landmark_data", &data), 0);
	assert_int_equal(data - vaddr, (uintptr_t)landmark_data - (uintptr_t)landmark_function);
	assert_int_equal(symtab_address(symtab, "landmark", &data), -ENOENT);
	symtab_free(symtab);
	elf_file_close(file);
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	char path[] = "/tmp/test_module.XXXXXX", fifo[64];
	struct elf_file *file;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(fifo, sizeof(fifo), "%s/fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(elf_file_open_path(fifo, &file), -EINVAL); /* and does not wait */
	assert_int_equal(elf_file_open_path(path, &file), -EINVAL);
	assert_int_equal(elf_file_open_path("/dev/zero", &file), -EINVAL);
	assert_int_equal(elf_file_open_path("/nonexistent", &file), -ENOENT);
	unlink(fifo);
	rmdir(path);
}

/* Opens bytes as a file; goes through all that is read of it. */
static int read_all(const uint8_t *bytes, size_t size, off_t length)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC), err;
	struct debug_frame frames[DEBUG_FRAMES_MAX];
	struct elf_section section;
	struct symtab *symtab;
	struct module *module;
	struct elf_file *file;
	uint64_t address;

	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(ftruncate(fd, length), 0);
	err = elf_file_from_fd(fd, "bytes", &file);
	if (err)
		return err;
	elf_file_section(file, ".note.stapsdt", SHT_NOTE, size, &section);
	if (!symtab_new(file, &symtab))
		symtab_address(symtab, "landmark_data", &address);
	symtab_free(symtab);
	module = module_new(file);
	for (uint64_t offset = 0; offset < 0x10000; offset += 0x800)
		module_lookup(module, offset, frames);
	module_lookup(module, landmark_offset(), frames);
	module_free(module);
	elf_file_close(file);
	return 0;
}

static uint8_t *own_bytes(size_t *size)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*size = st.st_size;
	bytes = malloc(*size);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void a_file_cut_short_is_refused_or_read_in_part(void **state)
{
	size_t size;
	uint8_t *bytes = own_bytes(&size);

	(void)state;
	assert_int_equal(read_all(bytes, size, size), 0);
	assert_int_equal(read_all(bytes, 0, 0), -ENOEXEC);
	assert_int_equal(read_all(bytes, 63, 63), -ENOEXEC);
	for (size_t n = 64; n < size; n += size / 40)
		read_all(bytes, n, n);
	assert_int_equal(read_all(bytes, size, (off_t)5 << 30), -EFBIG);
	free(bytes);
}

static void damage_anywhere_is_survived(void **state)
{
	uint32_t random = 1;
	size_t size;
	uint8_t *bytes = own_bytes(&size);

	(void)state;
	for (int round = 0; round < 60; round++) {
		size_t at[16];
		uint8_t kept[16];

		for (int i = 0; i < 16; i++) {
			random = random * 1664525 + 1013904223;
			/* most of it in the headers: the file's, and the sections' at its end */
			at[i] = i < 2   ? random % 64
				: i < 8 ? size - 1 - random % 2500
					: random % size;
			kept[i] = bytes[at[i]];
			bytes[at[i]] = random >> 24;
		}
		read_all(bytes, size, size);
		for (int i = 15; i >= 0; i--)
			bytes[at[i]] = kept[i];
	}
	assert_int_equal(read_all(bytes, size, size), 0);
	free(bytes);
}

static void a_claim_of_millions_of_sections_is_refused(void **state)
{
	size_t size;
	uint8_t *bytes = own_bytes(&size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;

	(void)state;
	/* No sections but a table: the number is in its first entry, of a sparse file of 3 GiB. */
	header->e_shnum = 0;
	((Elf64_Shdr *)(bytes + header->e_shoff))->sh_size = 40000000;
	assert_int_equal(read_all(bytes, size, (off_t)3 << 30), -ENOEXEC);
	header->e_shnum = 1;
	header->e_phnum = 65535;
	assert_int_equal(read_all(bytes, size, (off_t)3 << 30), -ENOEXEC);
	free(bytes);
}

/* A file of nothing but code and one note, of that many bytes. */
static struct elf_file *note_file(size_t size)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		Elf64_Nhdr note;
		char owner[4];
	} image = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = NATIVE_MACHINE,
			   .e_version = EV_CURRENT,
			   .e_phoff = offsetof(typeof(image), segments),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segments = {{.p_type = PT_LOAD,
			      .p_flags = PF_R | PF_X,
			      .p_filesz = 4096,
			      .p_memsz = 4096,
			      .p_align = 4096},
			     {.p_type = PT_NOTE,
			      .p_flags = PF_R,
			      .p_offset = offsetof(typeof(image), note),
			      .p_filesz = size,
			      .p_memsz = size,
			      .p_align = 4}},
		.note = {.n_namesz = 4, .n_descsz = size - 16, .n_type = 77},
		.owner = "any",
	};
	int fd = memfd_create("note", MFD_CLOEXEC);
	struct elf_file *file;

	assert_int_equal(write(fd, &image, sizeof(image)), sizeof(image));
	assert_int_equal(ftruncate(fd, offsetof(typeof(image), note) + size), 0);
	assert_int_equal(elf_file_from_fd(fd, "note", &file), 0);
	return file;
}

static size_t memory_used(void)
{
	struct mallinfo2 memory = mallinfo2();

	return memory.uordblks + memory.hblkhd;
}

/* A target can have thousands of such files, which take no place on its disk. */
static void notes_of_a_file_are_not_kept(void **state)
{
	struct elf_file *files[8];
	const size_t size = 8 << 20;
	size_t before = memory_used();

	(void)state;
	for (int i = 0; i < 8; i++)
		files[i] = note_file(size);
	assert_true(memory_used() < before + size);
	for (int i = 0; i < 8; i++)
		elf_file_close(files[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapped_file_is_opened),
		cmocka_unit_test(a_deleted_file_is_opened),
		cmocka_unit_test(a_replaced_file_is_not_mistaken_for_the_mapped_one),
		cmocka_unit_test(a_file_out_of_reach_is_stale),
		cmocka_unit_test(a_file_outlives_its_process),
		cmocka_unit_test(a_file_is_opened_once),
		cmocka_unit_test(addresses_and_offsets_are_each_others_inverse),
		cmocka_unit_test(what_is_no_regular_file_is_not_opened),
		cmocka_unit_test(a_file_cut_short_is_refused_or_read_in_part),
		cmocka_unit_test(damage_anywhere_is_survived),
		cmocka_unit_test(a_claim_of_millions_of_sections_is_refused),
		cmocka_unit_test(notes_of_a_file_are_not_kept),
	};

	if (argc > 1 && !strcmp(argv[1], "be-a-target")) {
		if (write(STDOUT_FILENO, "r", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
