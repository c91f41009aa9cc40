// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "core/probe_frames.h"
#include "core/state.h"

/* Tasks and jobs still open. */
static int finish_sources(struct correlator *c)
{
	int err = tasks_bury_all(c);

	for (unsigned int i = 0; i < c->nsources && !err; i++) {
		const struct process *process;
		struct source *source = c->sources[i];

		if (!source)
			continue;
		/* What was told late of a process that is no more ends with it. */
		process = c->processes[source->process];
		if (process && process->ended)
			err = source_end(c, source, process->end, MODEL_CANCELLED);
		else
			err = source_end(c, source, c->end, MODEL_IDLE);
		if (!err)
			err = jobs_finish(c, source);
	}
	return err;
}

struct model *correlator_finish(struct correlator *c)
{
	struct model *model = calloc(1, sizeof(*model));
	int err;

	if (!model)
		return NULL;
	err = correlator_flush(c);
	if (!c->ended)
		c->end = c->now;
	c->ended = true;
	if (!err)
		err = finish_sources(c);
	awaits_finish(c);
	if (!err)
		err = threads_end(c, EVENT_NO_PROCESS, c->end);
	if (!err) {
		sampling_settle(c);
		err = build_places(c, model);
	}
	if (!err)
		err = build_types(c, model);
	if (!err)
		err = build_tasks(c, model);
	if (!err)
		err = build_weights(c, model);
	if (!err)
		err = build_symbols(c, model);
	if (!err)
		err = probe_frames_fold(model);
	if (!err)
		err = build_capture(c, model);
	if (err) {
		model_free(model);
		return NULL;
	}
	return model;
}
