/* SPDX-License-Identifier: MIT */
/*
 * Separate debug files, where distributions put them: /usr/lib/debug/.build-id/XX/REST.debug by
 * build id, else the name in .gnu_debuglink beside the file, in .debug/ there, or under
 * /usr/lib/debug (GDB manual, "Debugging Information in Separate Files"). Looked up in our own
 * mount namespace only, and at last asked of debuginfod (symbolize/debuginfod.h).
 */
#ifndef POLLSCOPE_SYMBOLIZE_DEBUG_FILE_H
#define POLLSCOPE_SYMBOLIZE_DEBUG_FILE_H

#include <stddef.h>
#include <stdint.h>

#define DEBUG_FILE_ROOT "/usr/lib/debug"

struct elf_file;

/*
 * debug_file_find() - the debug file of an ELF file, to be closed with elf_file_close(). Both have
 * the same build id, or, where there is none, the checksum is right. 0, -ENOENT, -ENOMEM.
 */
int debug_file_find(const struct elf_file *file, struct elf_file **debug);

/*
 * debug_file_open() - the debug file of a build id (hex) below a folder that has them as /usr/lib/debug
 * does, to be closed with elf_file_close(). 0, -ENOENT, -ENOMEM.
 */
int debug_file_open(const char *root, const char *build_id, struct elf_file **debug);

/*
 * debug_file_find_alt() - the file shared by several debug files (dwz), by the name and build id in
 * .gnu_debugaltlink of `debug`. 0, -ENOENT, -ENOMEM.
 */
int debug_file_find_alt(const struct elf_file *debug, const char *name, const uint8_t *build_id,
			size_t build_id_len, struct elf_file **alt);

#endif
