// SPDX-License-Identifier: MIT
#include "tokio/layout.h"

#include <stddef.h>

#define NONE LAYOUT_NONE

/*
 * What follows in newer builds with tokio_unstable (the place of the spawn location) is of no use
 * here.
 */
static const struct layout layouts[] = {
	/* poll, dealloc, try_read_output, drop_join_handle_slow, remote_abort, shutdown */
	{{1, 13, 0}, true, 6, 0, NONE, 1, 5, NONE, NONE, NONE, 32},
	/* try_set_join_waker before drop_join_handle_slow */
	{{1, 17, 0}, true, 7, 0, NONE, 1, 6, NONE, NONE, NONE, 32},
	/* drop_abort_handle behind it */
	{{1, 18, 0}, true, 8, 0, NONE, 1, 7, NONE, NONE, NONE, 32},
	/* trailer_offset behind all; the header's list pointers have gone into the trailer */
	{{1, 21, 0}, true, 8, 0, NONE, 1, 7, NONE, NONE, NONE, 16},
	/* poll, schedule, dealloc, try_read_output, drop_join_handle_slow, drop_abort_handle, shutdown;
	   trailer_offset, scheduler_offset, id_offset */
	{{1, 23, 0}, false, 7, 0, 1, 2, 6, 0, 1, 2, 16},
};
#define NLAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

const struct layout *layout_of(const struct tokio_version *version)
{
	if (!version->major && !version->minor && !version->patch)
		return &layouts[NLAYOUTS - 1];
	for (size_t i = NLAYOUTS; i--;)
		if (version->major > layouts[i].since.major ||
		    (version->major == layouts[i].since.major &&
		     version->minor >= layouts[i].since.minor))
			return &layouts[i];
	return NULL;
}
