// SPDX-License-Identifier: MIT
#include "attach/capture_kinds.h"

#include <errno.h>
#include <sys/resource.h>

#include "attach/capture_state.h"
#include "attach/intake.h"

#define NICE 10 /* a tenth of a CPU beside others: the end may have to wait for it */

static void batch_take(struct capture *c)
{
	const struct kind_set *seen = intake_kinds(c->intake);
	struct capture_kinds *kinds = &c->kinds;

	for (; kinds->n < KINDS_BATCH && kinds->taken < kind_set_count(seen); kinds->taken++) {
		struct kind_naming *naming = &kinds->batch[kinds->n++];

		*naming = (struct kind_naming){.ref = kind_set_at(seen, kinds->taken)};
		targets_kind_place(c->targets, naming->ref.source, naming->ref.kind,
				   &naming->place);
	}
}

static void naming_do(struct kind_naming *naming)
{
	naming->err = kind_place_name(&naming->place, &naming->name);
}

static void *batch_run(void *ctx)
{
	struct capture_kinds *kinds = ctx;

	/* Of the thread alone, on Linux: the targets go first. */
	setpriority(PRIO_PROCESS, 0, NICE);
	for (size_t i = 0; i < kinds->n; i++)
		naming_do(&kinds->batch[i]);
	__atomic_store_n(&kinds->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* What is not known of a kind is told too: it is no kind without events. */
static int naming_tell(const struct kind_naming *naming, struct event_sink *sink, uint64_t time)
{
	const struct kind_name *name = &naming->name;
	struct event event = {
		.time = time,
		.source = naming->ref.source,
		.type = EVENT_KIND,
		.kind =
			{
				.kind = naming->ref.kind,
				.line = name->line,
				.unreadable = naming->err == -ENOENT,
				.type = name->type ? name->type : "",
				.file = name->file ? name->file : "",
				.full = name->verbose ? name->verbose : "",
			},
	};

	if (naming->err && naming->err != -ENOENT)
		return naming->err;
	return sink->take(sink, &event);
}

static void batch_clear(struct capture_kinds *kinds)
{
	for (size_t i = 0; i < kinds->n; i++)
		kind_name_release(&kinds->batch[i].name);
	kinds->n = 0;
}

static int batch_tell(struct capture_kinds *kinds, struct event_sink *sink, uint64_t time)
{
	int err = 0;

	for (size_t i = 0; !err && i < kinds->n; i++)
		err = naming_tell(&kinds->batch[i], sink, time);
	batch_clear(kinds);
	return err;
}

static void batch_join(struct capture_kinds *kinds)
{
	if (kinds->runs)
		pthread_join(kinds->thread, NULL);
	kinds->runs = false;
}

/* Without a thread they are named in the end. */
static void batch_start(struct capture *c)
{
	struct capture_kinds *kinds = &c->kinds;

	batch_take(c);
	if (!kinds->n)
		return;
	kinds->done = false;
	kinds->runs = !pthread_create(&kinds->thread, NULL, batch_run, kinds);
	if (kinds->runs)
		return;
	kinds->taken -= kinds->n;
	kinds->n = 0;
}

int capture_kinds_follow(struct capture *c, uint64_t now)
{
	struct capture_kinds *kinds = &c->kinds;
	int err;

	if (!c->start || !c->sink->flush)
		return 0;
	if (kinds->runs && !__atomic_load_n(&kinds->done, __ATOMIC_ACQUIRE))
		return 0;
	batch_join(kinds);
	err = batch_tell(kinds, intake_sink(c->intake), now);
	if (!err)
		batch_start(c);
	return err;
}

int capture_kinds_finish(struct capture *c, uint64_t time)
{
	struct capture_kinds *kinds = &c->kinds;
	int err;

	batch_join(kinds);
	for (;;) {
		err = batch_tell(kinds, &c->passing, time);
		if (err)
			return err;
		batch_take(c);
		if (!kinds->n)
			return 0;
		for (size_t i = 0; i < kinds->n; i++) {
			naming_do(&kinds->batch[i]);
			capture_names_count(c);
		}
	}
}

void capture_kinds_release(struct capture_kinds *kinds)
{
	batch_join(kinds);
	batch_clear(kinds);
}
