// SPDX-License-Identifier: MIT
#include "cli/target.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "attach/find.h"
#include "cli/message.h"
#include "cli/options.h"

int target_pids(const struct options *o, struct find_pids *pids)
{
	char why[256];
	int err = o->pids ? find_by_pids(o->pids, pids, why, sizeof(why))
			  : find_by_name(o->name, pids, why, sizeof(why));

	if (err) {
		message_error("%s", why);
		return err;
	}
	for (size_t i = 0; o->name && pids->count > 1 && i < pids->count; i++)
		message_note(o, "%s: pid %d", o->name, pids->pids[i]);
	return 0;
}

bool target_is_program(const char *path)
{
	int fd = access(path, X_OK) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char start[4] = "";
	bool is_whole;

	if (fd < 0)
		return false;
	is_whole = read(fd, start, sizeof(start)) == sizeof(start);
	close(fd);
	return is_whole && (!memcmp(start, "\177ELF", 4) || !memcmp(start, "#!", 2));
}
