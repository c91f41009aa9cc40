// SPDX-License-Identifier: MIT
#include "attach/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/utf8.h"

ssize_t procfs_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd, err;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	err = -errno;
	close(fd);
	if (n < 0)
		return err;
	text[n] = '\0';
	return n;
}

pid_t procfs_thread_group(pid_t tid)
{
	char text[4096];
	const char *line;
	int tgid;

	if (procfs_read(tid, "status", text, sizeof(text)) <= 0)
		return -1;
	line = strstr(text, "\nTgid:");
	return line && sscanf(line, "\nTgid: %d", &tgid) == 1 ? tgid : -1;
}

uint64_t procfs_own_capabilities(void)
{
	uint64_t effective = 0;
	char line[256];
	FILE *in = fopen("/proc/self/status", "re");

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "CapEff: %" SCNx64, &effective) == 1)
			break;
	if (in)
		fclose(in);
	return effective;
}

#define CAN(capability) (UINT64_C(1) << (capability))

static const char *process_remedy(uint64_t capabilities)
{
	if (capabilities & CAN(CAP_SYS_PTRACE))
		return "CAP_SYS_PTRACE is there, but a container, a user namespace or a security "
		       "module (LSM) forbids it";
	return "run as root, or with CAP_SYS_PTRACE";
}

const char *procfs_refusal_remedy(void)
{
	return process_remedy(procfs_own_capabilities());
}

const char *procfs_file_remedy(int error, bool reached, uint64_t capabilities)
{
	static const char *const forbidden =
		"the capabilities for it are there, but its file system (NFS, FUSE), a container, "
		"a user namespace or a security module (LSM) forbids it";

	switch (-error) {
	case ESTALE:
		if (capabilities & (CAN(CAP_SYS_ADMIN) | CAN(CAP_CHECKPOINT_RESTORE)))
			return forbidden;
		return "to reach the file in use, run as root, or with CAP_SYS_ADMIN";
	case EACCES:
	case EPERM:
		if (!reached)
			return process_remedy(capabilities);
		if (capabilities & (CAN(CAP_DAC_READ_SEARCH) | CAN(CAP_DAC_OVERRIDE)))
			return forbidden;
		return "run as root, or with CAP_DAC_READ_SEARCH";
	default:
		return "";
	}
}

bool procfs_reached(pid_t pid)
{
	char path[32], byte;

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	return readlink(path, &byte, 1) > 0;
}

int procfs_cpu_ns(pid_t pid, uint64_t *ns)
{
	uint64_t user, system;
	char text[1024];
	const char *state; /* behind the comm, which may hold anything */
	ssize_t n = procfs_read(pid, "stat", text, sizeof(text));

	if (n < 0)
		return n;
	state = strrchr(text, ')');
	if (!state ||
	    sscanf(state, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &user, &system) != 2)
		return -EIO;
	*ns = (user + system) * (NSEC_PER_SEC / sysconf(_SC_CLK_TCK));
	return 0;
}

void procfs_comm(pid_t pid, char *text, size_t size)
{
	ssize_t n = procfs_read(pid, "comm", text, size);

	if (n > 0 && text[n - 1] == '\n')
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
	ssize_t n = procfs_read(pid, "cmdline", text, size);

	while (n > 0 && !text[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	if (n >= 0)
		text[n] = '\0';
	utf8_sanitize(text);
}
