// SPDX-License-Identifier: MIT
#include "util/syscalls.h"

#include <stddef.h>
#include <string.h>

#include "util/native.h"

/* Made at build time from <asm/unistd.h>. */
static const char *const names[] = {
#include "syscall_names.inc"
};

#define COUNT ((int32_t)(sizeof(names) / sizeof(names[0])))

const char *syscall_name(const char *arch, int32_t number)
{
	if (number < 0 || number >= COUNT || strcmp(arch, NATIVE_NAME))
		return NULL;
	return names[number];
}

int32_t syscall_number(const char *name)
{
	for (int32_t i = 0; i < COUNT; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}
