// SPDX-License-Identifier: MIT
#include "attach/entry_stop.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#if defined(__x86_64__)
#define REGS_PC(regs) ((regs)->rip)
#define REPORTED_AFTER 1 /* the program counter is past the int3 when it is reported */
static const uint8_t breakpoint[] = {0xcc};
#elif defined(__aarch64__)
#define REGS_PC(regs) ((regs)->pc)
#define REPORTED_AFTER 0
static const uint8_t breakpoint[] = {0x00, 0x00, 0x20, 0xd4};
#else
#error "launching needs this architecture's breakpoint instruction"
#endif

_Static_assert(sizeof(breakpoint) <= sizeof(((struct entry_stop *)0)->original), "room for it");

/* Where tid's image begins, from its auxiliary vector. Returns 0 or a negative errno. */
static int image_entry(pid_t tid, uint64_t *entry)
{
	uint64_t pairs[2 * 64];
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = read(fd, pairs, sizeof(pairs));
	close(fd);
	for (ssize_t i = 0; (i + 2) * (ssize_t)sizeof(*pairs) <= size; i += 2) {
		if (pairs[i] == AT_ENTRY) {
			*entry = pairs[i + 1];
			return 0;
		}
	}
	return -ENOENT;
}

static int regs_get(pid_t tid, struct user_regs_struct *regs)
{
	struct iovec iov = {regs, sizeof(*regs)};

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov))
		return -errno;
	return iov.iov_len == sizeof(*regs) ? 0 : -ENOEXEC;
}

/* Replaces the instruction at address, keeping what was there in old if that is wanted. */
static int text_write(pid_t tid, uint64_t address, const uint8_t *bytes, uint8_t *old)
{
	/* An aligned word never reaches into a page that is not mapped. */
	uint64_t base = address & ~(uint64_t)(sizeof(long) - 1);
	size_t at = address - base;
	long word;

	if (at + sizeof(breakpoint) > sizeof(word))
		return -EINVAL;
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, tid, base, 0);
	if (errno)
		return -errno;
	if (old)
		memcpy(old, (uint8_t *)&word + at, sizeof(breakpoint));
	memcpy((uint8_t *)&word + at, bytes, sizeof(breakpoint));
	return ptrace(PTRACE_POKETEXT, tid, base, word) ? -errno : 0;
}

int entry_stop_plant(struct entry_stop *stop, pid_t tid)
{
	struct user_regs_struct regs;
	int err;

	stop->planted = false;
	err = regs_get(tid, &regs);
	if (err)
		return err;
	err = image_entry(tid, &stop->address);
	if (err)
		return err;
	if (REGS_PC(&regs) == stop->address)
		return -EALREADY;
	err = text_write(tid, stop->address, breakpoint, stop->original);
	stop->planted = !err;
	return err;
}

void entry_stop_remove(struct entry_stop *stop, pid_t tid)
{
	if (stop->planted)
		text_write(tid, stop->address, stop->original, NULL);
	stop->planted = false;
}

bool entry_stop_reached(struct entry_stop *stop, pid_t tid)
{
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof(regs)};

	if (!stop->planted || regs_get(tid, &regs) ||
	    REGS_PC(&regs) != stop->address + REPORTED_AFTER)
		return false;
	entry_stop_remove(stop, tid);
	REGS_PC(&regs) = stop->address;
	ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov);
	return true;
}
