// SPDX-License-Identifier: MIT
/* Targets as events: each is told once, when the capture is ready for it. */
#include "attach/targets_state.h"
#include "symbolize/elf_file.h"

static int process_tell(struct targets *t, size_t i, struct event_sink *sink, uint64_t time)
{
	const struct process *p = &t->processes[i];
	struct event event = {
		.time = time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_PROCESS,
		.process =
			{
				.process = i,
				.pid = p->pid,
				.generation = p->generation,
				.launched = p->launched,
				.comm = p->comm,
				.exe = p->exe,
				.command_line = p->command_line,
			},
	};

	return sink->take(sink, &event);
}

static uint32_t capabilities_of(const struct source *s)
{
	if (!s->awaits_refused)
		return s->plan->capabilities;
	return (s->plan->capabilities & ~EVENT_CAN_AWAIT) | EVENT_AWAITS_REFUSED;
}

static int source_tell(struct targets *t, size_t i, struct event_sink *sink, uint64_t time)
{
	const struct source *s = &t->sources[i];
	struct event event = {
		.time = time,
		.source = i,
		.type = EVENT_SOURCE,
		.source_info =
			{
				.source = i,
				.process = s->process,
				.capabilities = capabilities_of(s),
				.runtime = s->plan->runtime,
				.version = s->plan->version,
				.path = s->file->path,
			},
	};
	struct event overhead = {
		.time = time,
		.source = i,
		.type = EVENT_OVERHEAD,
		.overhead = *s->cost,
	};
	int err = sink->take(sink, &event);

	return err ? err : sink->take(sink, &overhead);
}

static int module_tell(const struct module *m, struct event_sink *sink, uint64_t time)
{
	struct event event = {
		.time = time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_MODULE,
		.module =
			{
				.process = m->process,
				.start = m->start,
				.end = m->end,
				.file_offset = m->offset,
				.path = m->path,
				.build_id = m->file ? m->file->build_id : "",
			},
	};

	return sink->take(sink, &event);
}

int targets_tell(struct targets *t, struct event_sink *sink, uint64_t time)
{
	int err = 0;

	/* Something is traced, so that it is no error any more. */
	if (t->refusal[0])
		targets_notice(t, t->refusal);
	t->refusal[0] = '\0';
	for (size_t i = 0; !err && i < t->nprocesses; i++) {
		/* Launched shells and the like that turned out to hold no runtime are not targets. */
		if (t->processes[i].told ||
		    (!t->processes[i].nsources && !t->processes[i].generation))
			continue;
		t->processes[i].told = true;
		err = process_tell(t, i, sink, time);
	}
	for (size_t i = 0; !err && i < t->nsources; i++) {
		if (t->sources[i].told)
			continue;
		t->sources[i].told = true;
		err = source_tell(t, i, sink, time);
	}
	for (size_t i = 0; !err && i < t->nmodules; i++) {
		if (t->modules[i].told || !t->processes[t->modules[i].process].told)
			continue;
		t->modules[i].told = true;
		err = module_tell(&t->modules[i], sink, time);
	}
	return err;
}

int targets_tell_exit(struct event_sink *sink, uint16_t process, int status, uint64_t time)
{
	struct event event = {
		.time = time,
		.source = EVENT_NO_SOURCE,
		.type = EVENT_PROCESS_EXIT,
		.process_exit = {.process = process, .wait_status = status},
	};

	return sink->take(sink, &event);
}

int targets_tell_status(struct targets *t, struct event_sink *sink, pid_t pid, int status,
			uint64_t time)
{
	for (size_t i = t->nprocesses; i-- > 0;) {
		struct process *p = &t->processes[i];

		if (p->pid == pid && p->launched && p->told) {
			p->exited = true;
			return targets_tell_exit(sink, i, status, time);
		}
	}
	return 0;
}
