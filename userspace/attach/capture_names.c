// SPDX-License-Identifier: MIT
/* What is named when a capture ends: the kinds that are left, and the addresses in stacks. */
#include "attach/capture_state.h"
#include "attach/intake.h"
#include "attach/kind_set.h"
#include "symbolize/addresses.h"
#include "symbolize/symbolizer.h"
#include "util/clock.h"

void capture_names_count(struct capture *c)
{
	c->named++;
	capture_progress(c, clock_monotonic_ns());
}

static int symbols_tell(struct capture *c, uint64_t time)
{
	const struct addresses *addresses = intake_addresses(c->intake);

	for (size_t i = 0; i < addresses_count(addresses); i++, capture_names_count(c)) {
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

int capture_names_tell(struct capture *c, uint64_t time)
{
	int err;

	c->names = kind_set_count(intake_kinds(c->intake)) +
		   addresses_count(intake_addresses(c->intake));
	c->named = c->kinds.taken;
	err = capture_kinds_finish(c, time);
	return err ? err : symbols_tell(c, time);
}
