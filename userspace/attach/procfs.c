// SPDX-License-Identifier: MIT
#include "attach/procfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/utf8.h"

/* Reads a file of a process's folder; returns the bytes read, NUL-terminated. */
static size_t file_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		n = 0;
	text[n] = '\0';
	return n;
}

void procfs_comm(pid_t pid, char *text, size_t size)
{
	size_t n = file_read(pid, "comm", text, size);

	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	utf8_sanitize(text);
}

void procfs_exe(pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	utf8_sanitize(text);
}

void procfs_command_line(pid_t pid, char *text, size_t size)
{
	size_t n = file_read(pid, "cmdline", text, size);

	while (n && !text[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = '\0';
	utf8_sanitize(text);
}
