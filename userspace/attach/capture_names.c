// SPDX-License-Identifier: MIT
/* What is named when a capture ends: the addresses in stacks, and kinds that only userspace can name. */
#include <errno.h>

#include "symbolize/addresses.h"
#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/kind_set.h"
#include "attach/targets.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

/* One more is looked up. */
static void progress_count(struct capture *c)
{
	c->named++;
	capture_progress(c, clock_monotonic_ns());
}

static int symbols_tell(struct capture *c, uint64_t time)
{
	const struct addresses *addresses = intake_addresses(c->intake);

	for (size_t i = 0; i < addresses_count(addresses); i++, progress_count(c)) {
		struct address at = addresses_at(addresses, i);
		struct event event = {
			.time = time,
			.source = EVENT_NO_SOURCE,
			.type = EVENT_SYMBOL,
		};
		int err = symbolizer_resolve(c->symbolizer, at.process, at.address, at.is_return,
					     &event.symbol);

		if (!err)
			err = c->passing.take(&c->passing, &event);
		if (err)
			return err;
	}
	return 0;
}

/* What is not known of a kind is told too: it is no kind without events. */
static int kind_tell(struct capture *c, struct kind_ref ref, uint64_t time)
{
	struct kind_name name = {0};
	int err = targets_kind_name(c->targets, ref.source, ref.kind, &name);
	struct event event = {
		.time = time,
		.source = ref.source,
		.type = EVENT_KIND,
		.kind =
			{
				.kind = ref.kind,
				.line = name.line,
				.unreadable = err == -ENOENT,
				.type = name.type ? name.type : "",
				.file = name.file ? name.file : "",
				.full = name.verbose ? name.verbose : "",
			},
	};

	if (!err || err == -ENOENT)
		err = c->passing.take(&c->passing, &event);
	kind_name_release(&name);
	return err;
}

static int kinds_tell(struct capture *c, uint64_t time)
{
	const struct kind_set *kinds = intake_kinds(c->intake);
	int err = 0;

	for (size_t i = 0; !err && i < kind_set_count(kinds); i++, progress_count(c))
		err = kind_tell(c, kind_set_at(kinds, i), time);
	return err;
}

int capture_names_tell(struct capture *c, uint64_t time)
{
	int err;

	c->names = kind_set_count(intake_kinds(c->intake)) +
		   addresses_count(intake_addresses(c->intake));
	err = kinds_tell(c, time);
	return err ? err : symbols_tell(c, time);
}
