// SPDX-License-Identifier: MIT
#include "emit/perfetto.h"

#include <errno.h>
#include <stdlib.h>

#include "core/correlate.h"
#include "emit/awaits.h"
#include "emit/perfetto_state.h"

const struct model_source *perfetto_source(const struct perfetto *p, uint16_t number)
{
	size_t index = p->source_index[number];

	return index < p->model->nsources ? &p->model->sources[index] : NULL;
}

const struct model_process *perfetto_process(const struct perfetto *p, uint16_t number)
{
	size_t index = p->process_index[number];

	return index < p->model->nprocesses ? &p->model->processes[index] : NULL;
}

uint64_t perfetto_time(const struct perfetto *p, uint64_t time)
{
	const struct model_capture *capture = &p->model->capture;
	uint64_t since = time > capture->start_ns ? time - capture->start_ns : 0;

	return since < capture->duration_ns ? since : capture->duration_ns;
}

static int perfetto_take(struct event_sink *sink, const struct event *event)
{
	struct perfetto *p = (struct perfetto *)sink;
	struct event_sink *correlator = correlator_sink(p->correlator);
	int err = correlator->take(correlator, event); /* tells what was before */

	if (err)
		return err;
	switch (event->type) {
	case EVENT_THREAD:
	case EVENT_THREAD_TOTALS:
	case EVENT_PARK:
	case EVENT_UNPARK:
	case EVENT_OFFCPU:
		err = thread_track_take(p, event);
		break;
	case EVENT_BLOCKING_QUEUE:
	case EVENT_BLOCKING_START:
		err = counters_pool(p, event);
		break;
	default:
		break;
	}
	return err ?: p->packets.error;
}

static int perfetto_finish(struct export_stream *stream)
{
	struct perfetto *p = (struct perfetto *)stream;
	struct model *again = correlator_finish(p->correlator); /* tells what is still open */
	int err = p->packets.error;

	if (!err && !again)
		err = -ENOMEM;
	model_free(again);
	if (!err)
		err = thread_tracks_finish(p);
	if (!err)
		counters_finish(p);
	return err ?: p->packets.error;
}

static void perfetto_free(struct export_stream *stream)
{
	struct perfetto *p = (struct perfetto *)stream;

	thread_tracks_free(p);
	for (size_t i = 0; p->sources && i < p->model->nsources; i++) {
		series_release(&p->sources[i].runnable);
		series_release(&p->sources[i].injection);
	}
	id_table_clear(&p->by_serial);
	packets_release(&p->packets);
	correlator_free(p->correlator);
	free(p->tasks);
	free(p->sources);
	free(p->kind_names);
	for (size_t i = 0; p->awaits && i < p->model->nstacks; i++)
		free(p->awaits[i]);
	free(p->awaits);
	free(p->idle_names);
	free(p);
}

static int index_model(struct perfetto *p)
{
	const struct model *model = p->model;

	p->tasks = calloc(model->ntasks + 1, sizeof(*p->tasks));
	p->sources = calloc(model->nsources + 1, sizeof(*p->sources));
	p->kind_names = calloc(model->nkinds + 1, sizeof(*p->kind_names));
	p->idle_names = calloc(model->nstacks + 1, sizeof(*p->idle_names));
	if (!p->tasks || !p->sources || !p->kind_names || !p->idle_names ||
	    emit_await_functions(model, &p->awaits))
		return -ENOMEM;
	for (size_t i = 0; i < PERFETTO_NUMBERS; i++) {
		p->source_index[i] = model->nsources;
		p->process_index[i] = model->nprocesses;
	}
	for (size_t i = 0; i < model->nsources; i++)
		p->source_index[model->sources[i].number] = i;
	for (size_t i = 0; i < model->nprocesses; i++)
		p->process_index[model->processes[i].number] = i;
	for (size_t i = 0; i < model->ntasks; i++) {
		p->tasks[i] = (struct task_track){.track = track_id(TRACK_TASK, i), .begin = 1};
		if (id_table_add(&p->by_serial, model->tasks[i].serial, &p->tasks[i]))
			return -ENOMEM;
	}
	return 0;
}

static void begin(struct perfetto *p, FILE *out)
{
	struct packets *packets = &p->packets;

	packets_begin(packets, out, p->model->capture.start_ns, p->model->capture.start_unix_ns);
	p->idle = packets_name(packets, "idle");
	p->scheduled = packets_name(packets, "scheduled");
	p->polling = packets_name(packets, "polling");
	p->parked = packets_name(packets, "parked");
	p->runqueue = packets_name(packets, "run queue");
	p->ready = packets_text(packets, "ready");
	p->pending = packets_text(packets, "pending");
	p->in_progress = packets_text(packets, "in progress");
	tracks_describe_model(packets, p->model);
}

struct export_stream *emit_perfetto_open(const struct model *model, FILE *out)
{
	struct perfetto *p = calloc(1, sizeof(*p));
	struct correlate_options options = {0};

	if (!p)
		return NULL;
	p->stream = (struct export_stream){
		.sink.take = perfetto_take, .finish = perfetto_finish, .free = perfetto_free};
	p->observer = (struct observer){
		.gap = perfetto_on_gap, .poll = perfetto_on_poll, .job = perfetto_on_job};
	p->model = model;
	options.observer = &p->observer;
	p->correlator = correlator_new(&options);
	if (!p->correlator || index_model(p)) {
		perfetto_free(&p->stream);
		return NULL;
	}
	begin(p, out);
	return &p->stream;
}
